"""A client's offer, read by Salon's convention: what each section is for follows from its order.

Owns the convention; `sdp` has the grammar, `bundle`, `codecs` and `streams` what sections say. The convention, among sections of
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
from salon_common.errors import invalid

from salon_media.core import sdp
from salon_media.core.bundle import OfferedTransport, read_mid, read_transport
from salon_media.core.codecs import Codec, read_codecs
from salon_media.core.sdp import Attribute, Description, MediaSection
from salon_media.core.streams import read_extensions, read_rids, read_ssrcs

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
DEFAULT_MESSAGE_SIZE: Final = 64 * 1024
"""What a client takes when it names no max-message-size (RFC 8841 section 6.1)."""

_RTP_PROTOCOL: Final = "UDP/TLS/RTP/SAVPF"
_SCTP_PROTOCOL: Final = "UDP/DTLS/SCTP"
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


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

    transport: OfferedTransport
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
    transport = read_transport(description)
    reader = _SectionReader(description)
    sections = tuple(reader.read(section) for section in description.sections)
    _check_unique_ssrcs(sections)
    return Offer(transport, sections)


class _SectionReader:
    """Gives each section its role by counting those before it."""

    def __init__(self, description: Description) -> None:
        self._session = description.session
        self._seen: dict[tuple[str, str], int] = {}

    def read(self, section: MediaSection) -> OfferedSection:
        if section.port == 0 and not section.has("bundle-only"):
            raise sdp.odd_section(section, "is rejected (port 0): leave it out")
        mid = read_mid(section)
        if section.kind == "application":
            return self._channel(section, mid)
        if section.kind not in SENDS:
            raise sdp.odd_section(section, "must be audio, video or application")
        if section.protocol != _RTP_PROTOCOL:
            raise sdp.odd_section(section, f"must use {_RTP_PROTOCOL}")
        if not section.has("rtcp-mux"):
            raise sdp.odd_section(section, "needs a=rtcp-mux")
        direction = self._direction(section)
        if direction == "sendonly":
            return self._send(section, mid)
        if direction == "recvonly":
            return self._slot(section, mid)
        raise sdp.odd_section(section, f"must be sendonly or recvonly, not {direction}")

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
            raise sdp.odd_section(
                section, f"is one sendonly {section.kind} too many, the limit is {len(kinds)}"
            )
        extensions = read_extensions(section)
        ssrcs = read_ssrcs(section)
        if not ssrcs and "urn:ietf:params:rtp-hdrext:sdes:mid" not in extensions:
            raise sdp.odd_section(
                section, "needs a=ssrc or the header extension sdes:mid, else its packets have no owner"
            )
        return OfferedSend(
            mid=mid,
            kind=kinds[ordinal],
            media=section.kind,
            codecs=read_codecs(section),
            extensions=extensions,
            rids=read_rids(section) if section.kind == "video" else (),
            ssrcs=ssrcs,
        )

    def _slot(self, section: MediaSection, mid: str) -> OfferedSlot:
        places = SLOTS[section.kind]
        ordinal = self._ordinal(section.kind, "slot")
        if ordinal >= len(places):
            raise sdp.odd_section(
                section, f"is one recvonly {section.kind} too many, the limit is {len(places)}"
            )
        kind, index = places[ordinal]
        return OfferedSlot(mid, kind, index, section.kind, read_codecs(section))

    def _channel(self, section: MediaSection, mid: str) -> OfferedChannel:
        if self._ordinal("application", "channel"):
            raise sdp.odd_section(section, "is a second application section, the limit is 1")
        if section.protocol != _SCTP_PROTOCOL or section.formats != ("webrtc-datachannel",):
            raise sdp.odd_section(section, f"must be {_SCTP_PROTOCOL} webrtc-datachannel")
        port = _number(section.first("sctp-port"), minimum=1, maximum=0xFFFF, default=None)
        size = _number(
            section.first("max-message-size"), minimum=0, maximum=2**32 - 1, default=DEFAULT_MESSAGE_SIZE
        )
        if port is None or size is None:
            raise sdp.odd_section(section, "needs a=sctp-port")
        return OfferedChannel(mid, port, size)


def _number(attribute: Attribute | None, *, minimum: int, maximum: int, default: int | None) -> int | None:
    if attribute is None:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", attribute.value) or not minimum <= int(attribute.value) <= maximum:
        raise sdp.odd_line(attribute.number, f"must have a number from {minimum} to {maximum}")
    return int(attribute.value)


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
