"""A client's offer, read by Salon's convention: what each section is for follows from its order.

Owns the convention and every limit on what a client may offer; `sdp` has the grammar. The convention, among sections of
the same media and direction: sendonly audio is microphone, then screen audio; sendonly video is camera, then screen;
recvonly audio is speech slots 0-2, then programme slot 0; recvonly video is video slots 0 and up; application is the
data channel. Missing sections are fine, more are not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from salon.media.v1 import channel_pb2
from salon.rooms.v1 import room_pb2
from salon_common.errors import SalonError, invalid

from salon_media.core import sdp
from salon_media.core.codecs import Codec, read_codecs
from salon_media.core.sdp import Attribute, Description, MediaSection

SourceKind: TypeAlias = room_pb2.SourceKind.ValueType
SlotKind: TypeAlias = channel_pb2.SlotKind.ValueType

SENDS: Final[Mapping[str, Sequence[SourceKind]]] = {
    "audio": (room_pb2.SOURCE_KIND_MICROPHONE, room_pb2.SOURCE_KIND_SCREEN_AUDIO),
    "video": (room_pb2.SOURCE_KIND_CAMERA, room_pb2.SOURCE_KIND_SCREEN),
}
SPEECH_SLOTS: Final = 3
PROGRAMME_SLOTS: Final = 1
MAX_VIDEO_SLOTS: Final = 25
SLOTS: Final[Mapping[str, Sequence[tuple[SlotKind, int]]]] = {
    "audio": (
        *((channel_pb2.SLOT_KIND_SPEECH, index) for index in range(SPEECH_SLOTS)),
        *((channel_pb2.SLOT_KIND_PROGRAMME, index) for index in range(PROGRAMME_SLOTS)),
    ),
    "video": tuple((channel_pb2.SLOT_KIND_VIDEO, index) for index in range(MAX_VIDEO_SLOTS)),
}
MAX_LAYERS: Final = 3
MAX_SSRCS: Final = 8
"""SSRCs that one section may declare: three layers with their RTX, and some."""
DEFAULT_MESSAGE_SIZE: Final = 64 * 1024
"""What a client takes when it names no max-message-size (RFC 8841 section 6.1)."""

_RTP_PROTOCOL: Final = "UDP/TLS/RTP/SAVPF"
_SCTP_PROTOCOL: Final = "UDP/DTLS/SCTP"
# The header extension carries both in at most 16 bytes (RFC 8285 section 4.2); ids are tokens (RFC 8851, RFC 5888).
_MID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,16}")
_RID = re.compile(r"[A-Za-z0-9_-]{1,16}")
# RFC 8839 section 5.4: ice-char, and 4-256 or 22-256 of them.
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_EXTMAP = re.compile(r"([0-9]{1,5})(?:/(sendrecv|sendonly|recvonly|inactive))? (\S{1,255})(?: .*)?")
_SSRC = re.compile(r"([0-9]{1,10}) .+")
_FID = re.compile(r"FID ([0-9]{1,10}) ([0-9]{1,10})")
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_HEX_PAIRS = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2})*")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash of the client's certificate (RFC 8122)."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class OfferedSend:
    """A section by which the client sends a source."""

    mid: str
    kind: SourceKind
    media: str
    codecs: tuple[Codec, ...]
    extensions: Mapping[str, int]
    rids: tuple[str, ...]
    ssrcs: tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, slots=True)
class OfferedSlot:
    """A section in which the client receives."""

    mid: str
    kind: SlotKind
    index: int
    media: str
    codecs: tuple[Codec, ...]


@dataclass(frozen=True, slots=True)
class OfferedChannel:
    """The SCTP association (RFC 8841)."""

    mid: str
    port: int
    max_message_size: int


OfferedSection: TypeAlias = OfferedSend | OfferedSlot | OfferedChannel


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client offers, in the order of its sections."""

    ufrag: str
    fingerprints: tuple[Fingerprint, ...]
    sections: tuple[OfferedSection, ...]

    @property
    def sends(self) -> list[OfferedSend]:
        """The sources that the client may send."""
        return [section for section in self.sections if isinstance(section, OfferedSend)]

    @property
    def slots(self) -> list[OfferedSlot]:
        """The places in which it receives."""
        return [section for section in self.sections if isinstance(section, OfferedSlot)]

    @property
    def channel(self) -> OfferedChannel | None:
        """The data channel's association, when there is one."""
        return next((section for section in self.sections if isinstance(section, OfferedChannel)), None)


def read_offer(text: str) -> Offer:
    """Parse and check an offer. Raises SalonError INVALID_ARGUMENT about `offer`."""
    description = sdp.parse(text)
    if not description.sections:
        raise invalid("offer", "has no media section, at least one is needed")
    _check_bundle(description)
    reader = _SectionReader(description)
    sections = tuple(reader.read(section) for section in description.sections)
    _check_unique_ssrcs(sections)
    # RFC 8843 section 7.2: a bundle's transport is that of its first section; RFC 8839 allows session level too.
    tagged = description.sections[0]
    _check_setup(description, tagged)
    ufrag = _required(description, tagged, "ice-ufrag", _UFRAG)
    _required(description, tagged, "ice-pwd", _PWD)
    return Offer(ufrag, _fingerprints(description, tagged), sections)


def _refuse(section: MediaSection, problem: str) -> SalonError:
    return invalid("offer", f"section {section.index} (line {section.line_number}) {problem}")


class _SectionReader:
    """Gives each section its role by counting those before it."""

    def __init__(self, description: Description) -> None:
        self._session = description.session
        self._seen: dict[tuple[str, str], int] = {}

    def read(self, section: MediaSection) -> OfferedSection:
        if section.port == 0 and not section.has("bundle-only"):
            raise _refuse(section, "is rejected (port 0): leave it out")
        mid = _mid(section)
        if section.kind == "application":
            return self._channel(section, mid)
        if section.kind not in SENDS:
            raise _refuse(section, "must be audio, video or application")
        if section.protocol != _RTP_PROTOCOL:
            raise _refuse(section, f"must use {_RTP_PROTOCOL}")
        if not section.has("rtcp-mux"):
            raise _refuse(section, "needs a=rtcp-mux")
        direction = self._direction(section)
        if direction == "sendonly":
            return self._send(section, mid)
        if direction == "recvonly":
            return self._slot(section, mid)
        raise _refuse(section, f"must be sendonly or recvonly, not {direction}")

    def _ordinal(self, kind: str, role: str) -> int:
        ordinal = self._seen.get((kind, role), 0)
        self._seen[kind, role] = ordinal + 1
        return ordinal

    def _direction(self, section: MediaSection) -> str:
        for part in (section, self._session):
            found = [direction for direction in _DIRECTIONS if part.has(direction)]
            if found:
                return found[0]
        return "sendrecv"

    def _send(self, section: MediaSection, mid: str) -> OfferedSend:
        kinds = SENDS[section.kind]
        ordinal = self._ordinal(section.kind, "send")
        if ordinal >= len(kinds):
            raise _refuse(section, f"is one sendonly {section.kind} too many, the limit is {len(kinds)}")
        extensions = _extensions(section)
        ssrcs = _ssrcs(section)
        if not ssrcs and "urn:ietf:params:rtp-hdrext:sdes:mid" not in extensions:
            raise _refuse(
                section, "needs a=ssrc or the header extension sdes:mid, else its packets have no owner"
            )
        return OfferedSend(
            mid=mid,
            kind=kinds[ordinal],
            media=section.kind,
            codecs=read_codecs(section),
            extensions=extensions,
            rids=_rids(section) if section.kind == "video" else (),
            ssrcs=ssrcs,
        )

    def _slot(self, section: MediaSection, mid: str) -> OfferedSlot:
        places = SLOTS[section.kind]
        ordinal = self._ordinal(section.kind, "slot")
        if ordinal >= len(places):
            raise _refuse(section, f"is one recvonly {section.kind} too many, the limit is {len(places)}")
        kind, index = places[ordinal]
        return OfferedSlot(mid, kind, index, section.kind, read_codecs(section))

    def _channel(self, section: MediaSection, mid: str) -> OfferedChannel:
        if self._ordinal("application", "channel"):
            raise _refuse(section, "is a second application section, the limit is 1")
        if section.protocol != _SCTP_PROTOCOL or section.formats != ("webrtc-datachannel",):
            raise _refuse(section, f"must be {_SCTP_PROTOCOL} webrtc-datachannel")
        port = _number(section.first("sctp-port"), minimum=1, maximum=0xFFFF, default=None)
        size = _number(
            section.first("max-message-size"), minimum=0, maximum=2**32 - 1, default=DEFAULT_MESSAGE_SIZE
        )
        if port is None or size is None:
            raise _refuse(section, "needs a=sctp-port")
        return OfferedChannel(mid, port, size)


def _number(attribute: Attribute | None, *, minimum: int, maximum: int, default: int | None) -> int | None:
    if attribute is None:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", attribute.value) or not minimum <= int(attribute.value) <= maximum:
        raise sdp.odd_line(attribute.number, f"must have a number from {minimum} to {maximum}")
    return int(attribute.value)


def _mid(section: MediaSection) -> str:
    attribute = section.first("mid")
    if attribute is None or not _MID.fullmatch(attribute.value):
        raise _refuse(section, "needs a=mid with 1-16 characters of a token")
    return attribute.value


def _check_bundle(description: Description) -> None:
    mids = [_mid(section) for section in description.sections]
    if len(set(mids)) != len(mids):
        raise invalid("offer", "uses one a=mid for two sections")
    groups = [group.value.split() for group in description.session.all("group")]
    bundles = [group[1:] for group in groups if group[:1] == ["BUNDLE"]]
    if len(bundles) != 1 or bundles[0][:1] != mids[:1] or set(bundles[0]) != set(mids):
        raise invalid(
            "offer", "must have one a=group:BUNDLE that begins with the first section and names all"
        )


def _check_setup(description: Description, section: MediaSection) -> None:
    attribute = section.first("setup") or description.session.first("setup")
    # RFC 5763 section 5: the node answers "passive", so that a client's first flight needs no further round trip.
    if attribute is None or attribute.value not in ("actpass", "active"):
        raise invalid("offer", "needs a=setup:actpass: the client is the DTLS client")


def _required(description: Description, section: MediaSection, name: str, form: re.Pattern[str]) -> str:
    attribute = section.first(name) or description.session.first(name)
    if attribute is None:
        raise invalid("offer", f"needs a={name}")
    if not form.fullmatch(attribute.value):
        raise sdp.odd_line(attribute.number, f"has no valid {name} (RFC 8839 section 5.4)")
    return attribute.value


def _fingerprints(description: Description, section: MediaSection) -> tuple[Fingerprint, ...]:
    found: list[Fingerprint] = []
    for attribute in section.all("fingerprint") or description.session.all("fingerprint"):
        algorithm, _, value = attribute.value.partition(" ")
        algorithm, value = algorithm.lower(), value.upper()
        length = _DIGEST_BYTES.get(algorithm)
        if length is None:
            continue
        if len(value) != 3 * length - 1 or not _HEX_PAIRS.fullmatch(value):
            raise sdp.odd_line(
                attribute.number, f"must have {length} bytes in hexadecimal, separated by colons"
            )
        found.append(Fingerprint(algorithm, value))
    if not found or len(found) > len(_DIGEST_BYTES):
        raise invalid("offer", "needs one to three a=fingerprint lines with sha-256, sha-384 or sha-512")
    return tuple(found)


def _extensions(section: MediaSection) -> dict[str, int]:
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


def _rids(section: MediaSection) -> tuple[str, ...]:
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
        raise _refuse(section, f"has {len(names)} simulcast layers, the limit is {MAX_LAYERS}")
    if (
        len(set(names)) != len(names)
        or not set(names) <= set(declared)
        or not all(map(_RID.fullmatch, names))
    ):
        raise _refuse(
            section, "needs one a=rid:<id> send for each layer of a=simulcast, ids of 1-16 characters"
        )
    return tuple(names)


def _ssrcs(section: MediaSection) -> tuple[tuple[int, int | None], ...]:
    """Media SSRCs in order, each with its RTX SSRC (RFC 5576 section 4, RFC 4588 section 8.7)."""
    declared: dict[int, None] = {}
    for attribute in section.all("ssrc"):
        match = _SSRC.fullmatch(attribute.value)
        if match is None or int(match[1]) >= 2**32:
            raise sdp.odd_line(attribute.number, "is no valid a=ssrc (RFC 5576 section 4.1)")
        declared[int(match[1])] = None
    if len(declared) > MAX_SSRCS:
        raise _refuse(section, f"declares {len(declared)} SSRCs, the limit is {MAX_SSRCS}")
    repairs: dict[int, int] = {}
    for attribute in section.all("ssrc-group"):
        if match := _FID.fullmatch(attribute.value):
            media, rtx = int(match[1]), int(match[2])
            if media == rtx or not {media, rtx} <= declared.keys():
                raise sdp.odd_line(attribute.number, "groups SSRCs that a=ssrc does not declare")
            repairs[media] = rtx
    return tuple((ssrc, repairs.get(ssrc)) for ssrc in declared if ssrc not in repairs.values())


def _check_unique_ssrcs(sections: Sequence[OfferedSection]) -> None:
    used: set[int] = set()
    for section in sections:
        if not isinstance(section, OfferedSend):
            continue
        for pair in section.ssrcs:
            for ssrc in pair:
                if ssrc in used:
                    raise invalid("offer", f"declares the SSRC {ssrc} twice")
                if ssrc is not None:
                    used.add(ssrc)
