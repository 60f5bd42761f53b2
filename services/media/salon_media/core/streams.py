"""What a sending section says about its packets: header extensions, simulcast layers and SSRCs.

Owns how packets are told apart; `codecs` has what is in them.
"""

import re
from typing import Final

from salon_media.core import sdp
from salon_media.core.sdp import MediaSection

MAX_LAYERS: Final = 3
MAX_SSRCS: Final = 8
"""SSRCs that one section may declare: three layers with their RTX, and some."""

_RID: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")
"""RFC 8851 section 4, no longer than a one-byte header extension carries (RFC 8285 section 4.2)."""
_EXTMAP: Final = re.compile(r"([0-9]{1,5})(?:/(sendrecv|sendonly|recvonly|inactive))? (\S{1,255})(?: .*)?")
_SSRC: Final = re.compile(r"([0-9]{1,10}) .+")
_FID: Final = re.compile(r"FID ([0-9]{1,10}) ([0-9]{1,10})")


def read_extensions(section: MediaSection) -> dict[str, int]:
    """What the client may send, by URI; ids above 14 need two-byte headers (RFC 8285 section 4.3), which nodes don't read."""
    extensions: dict[str, int] = {}
    for attribute in section.all("extmap"):
        match = _EXTMAP.fullmatch(attribute.value)
        if match is None:
            raise sdp.odd_line(attribute.number, "is no valid a=extmap (RFC 8285 section 8)")
        number, direction, uri = int(match[1]), match[2], match[3]
        if 1 <= number <= 14 and direction in (None, "sendrecv", "sendonly"):
            if number in extensions.values():
                raise sdp.odd_line(attribute.number, f"uses the extension id {number} twice")
            extensions[uri] = number
    return extensions


def read_rids(section: MediaSection) -> tuple[str, ...]:
    """The simulcast layers in the order of a=simulcast (RFC 8853 section 5.1); a lone a=rid counts as one layer."""
    declared = [
        name
        for name, _, rest in (rid.value.partition(" ") for rid in section.all("rid"))
        if rest.partition(" ")[0] == "send"
    ]
    simulcast = section.first("simulcast")
    names = declared
    if simulcast is not None:
        direction, _, streams = simulcast.value.partition(" ")
        if direction != "send":
            raise sdp.odd_line(simulcast.number, "must be a=simulcast:send <rid>;<rid>…")
        names = [stream.removeprefix("~") for stream in streams.split(" ", 1)[0].split(";")]
    if len(names) > MAX_LAYERS:
        raise sdp.odd_section(section, f"has {len(names)} simulcast layers, the limit is {MAX_LAYERS}")
    if (
        len(set(names)) != len(names)
        or not set(names) <= set(declared)
        or not all(map(_RID.fullmatch, names))
    ):
        raise sdp.odd_section(
            section, "needs one a=rid:<id> send for each layer of a=simulcast, ids of 1-16 characters"
        )
    return tuple(names)


def read_ssrcs(section: MediaSection) -> tuple[tuple[int, int | None], ...]:
    """Media SSRCs in order, each with its RTX SSRC (RFC 5576 section 4, RFC 4588 section 8.7)."""
    declared: dict[int, None] = {}
    for attribute in section.all("ssrc"):
        match = _SSRC.fullmatch(attribute.value)
        if match is None or int(match[1]) >= 2**32:
            raise sdp.odd_line(attribute.number, "is no valid a=ssrc (RFC 5576 section 4.1)")
        declared[int(match[1])] = None
    if len(declared) > MAX_SSRCS:
        raise sdp.odd_section(section, f"declares {len(declared)} SSRCs, the limit is {MAX_SSRCS}")
    repairs: dict[int, int] = {}
    for attribute in section.all("ssrc-group"):
        if match := _FID.fullmatch(attribute.value):
            media, rtx = int(match[1]), int(match[2])
            if media == rtx or not {media, rtx} <= declared.keys():
                raise sdp.odd_line(attribute.number, "groups SSRCs that a=ssrc does not declare")
            repairs[media] = rtx
    return tuple((ssrc, repairs.get(ssrc)) for ssrc in declared if ssrc not in repairs.values())
