"""What the engine is told about one participant's session, made from the offer and the participant.

Owns the engine's view (the protocols of `_salon_media.pyi`, as frozen values) and the assignment of SSRCs. `answer` tells
the client the same by SDP.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from salon.media.v1 import channel_pb2
from salon.rooms.v1 import room_pb2
from salon_common.errors import invalid

from salon_media.core.codecs import Codec
from salon_media.core.offer import Offer, OfferedSend, SlotKind, SourceKind

MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ACCEPTED_EXTENSIONS: Final[Mapping[str, Sequence[str]]] = {
    "audio": (MID, AUDIO_LEVEL),
    "video": (MID, RID, REPAIRED_RID),
}
"""What clients may put into packets to the node (RFC 9143, RFC 8852, RFC 6464). Congestion control will add to it."""


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """The node's own ufrag and password for one session (RFC 8839 section 5.4)."""

    ufrag: str
    pwd: str


@dataclass(frozen=True, slots=True)
class SendSpec:
    """A section by which the client sends a source."""

    source: int
    kind: SourceKind
    mid: str
    rids: tuple[str, ...]
    ssrcs: tuple[tuple[int, int | None], ...]
    codecs: tuple[Codec, ...]
    extensions: dict[str, int]


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """A section in which the client receives whatever the slot shows."""

    kind: SlotKind
    index: int
    ssrc: int
    rtx_ssrc: int | None
    codecs: tuple[Codec, ...]


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """One participant's media session."""

    session: int
    room: int
    local_ufrag: str
    local_pwd: str
    remote_ufrag: str
    cname: str
    sends: tuple[SendSpec, ...]
    slots: tuple[SlotSpec, ...]

    @property
    def video_slots(self) -> int:
        """How many pictures the client can be shown."""
        return sum(1 for slot in self.slots if slot.kind == channel_pb2.SLOT_KIND_VIDEO)


def make_session_spec(
    offer: Offer,
    participant: room_pb2.Participant,
    *,
    session: int,
    room: int,
    ice: IceCredentials,
    random_ssrcs: Iterator[int],
) -> SessionSpec:
    """Number everything that one session sends and receives.

    `random_ssrcs` yields random 32-bit numbers for ever. Raises SalonError INVALID_ARGUMENT when the participant may
    not send what the offer sends.
    """
    sources = {source.kind: source.number for source in participant.sources}
    if participant.role == room_pb2.ROLE_VIEWER and offer.sends:
        raise invalid("offer", "has a sendonly section, but a viewer only receives")
    taken = {ssrc for send in offer.sends for pair in send.ssrcs for ssrc in pair if ssrc is not None}
    numbers = _unique_ssrcs(random_ssrcs, taken)
    return SessionSpec(
        session=session,
        room=room,
        local_ufrag=ice.ufrag,
        local_pwd=ice.pwd,
        remote_ufrag=offer.transport.ufrag,
        cname=ice.ufrag,
        sends=tuple(_send_spec(send, sources) for send in offer.sends),
        slots=tuple(
            SlotSpec(
                kind=slot.kind,
                index=slot.index,
                ssrc=next(numbers),
                rtx_ssrc=next(numbers)
                if any(codec.rtx_payload_type is not None for codec in slot.codecs)
                else None,
                codecs=slot.codecs,
            )
            for slot in offer.slots
        ),
    )


def _send_spec(send: OfferedSend, sources: Mapping[SourceKind, int]) -> SendSpec:
    number = sources.get(send.kind, 0)
    if number == 0:
        raise invalid("participant.sources", f"has no number for {room_pb2.SourceKind.Name(send.kind)}")
    accepted = ACCEPTED_EXTENSIONS[send.media]
    return SendSpec(
        source=number,
        kind=send.kind,
        mid=send.mid,
        rids=send.rids,
        ssrcs=send.ssrcs,
        codecs=send.codecs,
        extensions={uri: number for uri, number in send.extensions.items() if uri in accepted},
    )


def _unique_ssrcs(random_ssrcs: Iterator[int], taken: set[int]) -> Iterator[int]:
    """A client that chose equal SSRCs for itself, or our own second draw, must not make two streams of one (RFC 3550 section 8)."""
    for ssrc in random_ssrcs:
        if ssrc != 0 and ssrc not in taken:
            taken.add(ssrc)
            yield ssrc
