"""Which codecs a node forwards, and how an offer's section numbers them.

Owns the choice of codecs and of their feedback messages. Payload types are always the client's own.
"""

import re
from dataclasses import dataclass
from typing import Final

from salon_media.core import sdp
from salon_media.core.sdp import MediaSection

_RTPMAP = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9._-]{1,32})/([0-9]{1,8})(?:/([0-9]{1,2}))?")
_FMTP = re.compile(r"([0-9]{1,3}) (.*)")
_FEEDBACK = re.compile(r"([0-9]{1,3}|\*) (.{1,128})")
_APT = re.compile(r"apt=([0-9]{1,3})(?:;.*)?")

FORWARDED: Final = {"audio": ("opus", 48_000, 2), "video": ("vp8", 90_000, 1)}
"""Name, clock rate and channels of the codec that slots and sources of a medium use."""
FEEDBACK: Final = ("nack", "nack pli", "ccm fir")
"""What the node understands and sends for video (RFC 4585, RFC 5104). Congestion control's messages belong here too."""


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec as one section numbers it. Satisfies `CodecSpec` of the engine."""

    payload_type: int
    name: str
    clock_rate: int
    rtx_payload_type: int | None
    feedback: tuple[str, ...] = ()
    """Of FEEDBACK, what the client offers."""


def read_codecs(section: MediaSection) -> tuple[Codec, ...]:
    """The codecs of an audio or video section that the node forwards. Raises SalonError when there are none."""
    wanted = FORWARDED[section.kind]
    maps = _rtpmaps(section)
    parameters = {int(m[1]): m[2] for a in section.all("fmtp") if (m := _FMTP.fullmatch(a.value))}
    for number in (int(text) for text in section.formats if text.isdecimal()):
        # RFC 5761 section 4: with RTCP on the same port, 64-95 would read as RTCP.
        if maps.get(number) == wanted and number not in range(64, 96):
            return (
                Codec(
                    payload_type=number,
                    name=wanted[0],
                    clock_rate=wanted[1],
                    rtx_payload_type=_rtx_for(number, section, maps, parameters),
                    feedback=_feedback(section, number) if section.kind == "video" else (),
                ),
            )
    name, rate, channels = wanted
    needed = f"{name}/{rate}" + (f"/{channels}" if section.kind == "audio" else "")
    raise sdp.odd_section(section, f"must offer {needed}")


def _rtpmaps(section: MediaSection) -> dict[int, tuple[str, int, int]]:
    maps: dict[int, tuple[str, int, int]] = {}
    for attribute in section.all("rtpmap"):
        match = _RTPMAP.fullmatch(attribute.value)
        if match is None or int(match[1]) > 127:
            raise sdp.odd_line(attribute.number, "is no valid a=rtpmap (RFC 8866 section 6.6)")
        maps[int(match[1])] = (match[2].lower(), int(match[3]), int(match[4] or 1))
    return maps


def _rtx_for(
    number: int, section: MediaSection, maps: dict[int, tuple[str, int, int]], parameters: dict[int, str]
) -> int | None:
    """The payload type of RTX for a codec (RFC 4588 section 8.6)."""
    _, rate, _ = maps[number]
    for candidate, mapped in maps.items():
        apt = _APT.fullmatch(parameters.get(candidate, ""))
        if (
            mapped[:2] == ("rtx", rate)
            and apt
            and int(apt[1]) == number
            and str(candidate) in section.formats
        ):
            return candidate
    return None


def _feedback(section: MediaSection, number: int) -> tuple[str, ...]:
    offered: set[str] = set()
    for attribute in section.all("rtcp-fb"):
        match = _FEEDBACK.fullmatch(attribute.value)
        if match and match[1] in ("*", str(number)):
            offered.add(match[2].strip())
    return tuple(name for name in FEEDBACK if name in offered)
