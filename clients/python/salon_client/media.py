"""One media session: a PeerConnection to a node, with its slots and its data channel.

Owns the offer's order of sections, the pumping of decoded frames to a sink, and the signs of life. Who is in the room, and when a session
is replaced, is the room's business.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from google.protobuf.message import DecodeError
from salon.media.v1 import channel_pb2
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError

from salon_client import aiortc_private
from salon_client.core.sdp import (
    PROGRAMME_SLOTS,
    SPEECH_SLOTS,
    candidate_addresses,
    host_candidates,
    rtx_pairs,
)
from salon_client.core.slots import SlotTimeline
from salon_client.tracks import Lender

_log = logging.getLogger(__name__)

CHANNEL_LABEL = "salon"
_CHANNEL_BYTES = 16 * 1024
_CLOSE_SECONDS = 3.0
_FLUSH_SECONDS = 0.2
_CODECS = frozenset({"audio/opus", "video/vp8", "video/rtx"})


class FrameSink(Protocol):
    """Takes decoded frames, each with the number of the source that it is of.

    There is one row of frames for each source, however often the participant is moved between nodes; `pts` starts anew with each node.
    """

    def receive_frame(self, source: int, frame: Any) -> None:
        """A video or audio frame of PyAV; 0 when its source is not known."""
        ...


class SessionReceiver(Protocol):
    """Takes all that media sessions receive; each names itself by its number."""

    def session_packet(self, session: int, source: int) -> None:
        """An RTP packet of a source, or with 0 a report of the node."""
        ...

    def session_frame(self, session: int, source: int, frame: Any) -> None:
        """A decoded frame; 0 when its source is not known."""
        ...

    def session_message(self, session: int, message: channel_pb2.NodeMessage) -> None:
        """A message of the data channel."""
        ...


@dataclass(frozen=True)
class Slot:
    """A receiving place."""

    kind: "channel_pb2.SlotKind.ValueType"
    index: int
    timeline: SlotTimeline
    transceiver: RTCRtpTransceiver


class MediaSession:
    """From an offer to its end."""

    def __init__(
        self,
        lender: Lender,
        *,
        number: int,
        video_slots: int,
        receiver: SessionReceiver,
    ) -> None:
        self.number = number
        """Grows from session to session."""
        self.connected = asyncio.Event()
        """Set once media and the data channel are up."""
        self.failed = asyncio.Event()
        """Set once the connection has failed or was closed by the node."""
        self.first_packet = asyncio.Event()
        """Set once a slot's first RTP packet arrived."""
        self._receiver = receiver
        self._pumps: list[asyncio.Task[None]] = []
        self._borrowed: list[MediaStreamTrack] = []
        # Without the empty list aiortc would ask a public STUN server.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._add_sending(lender)
        self.slots = self._add_slots(video_slots)
        aiortc_private.observe_reports(self._pc, lambda: receiver.session_packet(number, 0))
        self._channel = self._pc.createDataChannel(CHANNEL_LABEL, negotiated=True, id=0)
        self._channel.on("message", self._receive_message)
        self._channel.on("open", self._opened)
        self._pc.on("connectionstatechange", self._state_changed)
        self._offer: RTCSessionDescription | None = None
        self._rtx_pairs: dict[int, int] = {}

    async def offer(self) -> str:
        """The offer, the same each time. It has no candidates: nodes are ICE-lite and need none."""
        if self._offer is None:
            self._offer = await self._pc.createOffer()
        sdp: str = self._offer.sdp
        return sdp

    async def accept(self, answer: str) -> None:
        """Connect to the node that answered. Raises SalonError when the answer cannot be used."""
        assert self._offer is not None, "offer first"
        addresses = aiortc_private.local_addresses_towards(candidate_addresses(answer))
        try:
            await aiortc_private.gather_candidates(self._pc, addresses)
            await aiortc_private.check_at_once(self._pc, host_candidates(answer))
            await self._pc.setLocalDescription(self._offer)
            await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except (ValueError, LookupError, AssertionError, InvalidStateError) as error:
            raise SalonError(Code.INTERNAL, f"the node's answer cannot be used: {error}") from error
        self._rtx_pairs = rtx_pairs(answer)
        # A slot that the node refused has no track to read.
        answered = [slot for slot in self.slots if slot.transceiver.currentDirection == "recvonly"]
        self._pumps = [asyncio.create_task(self._pump(slot)) for slot in answered]

    def send(self, message: channel_pb2.ClientMessage) -> bool:
        """Send on the data channel; False while it is not open."""
        if self._channel.readyState != "open":
            return False
        self._channel.send(message.SerializeToString())
        return True

    def received_datagrams(self) -> int:
        """How many datagrams the node has sent; it sends one each 200 ms at least."""
        return aiortc_private.received_datagrams(self._pc)

    async def close(self) -> None:
        """End the session and its pumps; what was sent on the data channel leaves first."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        if self._channel.readyState == "open" and self._channel.bufferedAmount:
            await self._flush()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(aiortc_private.close(self._pc), _CLOSE_SECONDS)
        for track in self._borrowed:
            track.stop()
        self.failed.set()

    async def _flush(self) -> None:
        flushed = asyncio.Event()
        self._channel.on("bufferedamountlow", flushed.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(flushed.wait(), _FLUSH_SECONDS)

    # ---- making the offer

    def _add_sending(self, lender: Lender) -> None:
        """The first sendonly section of a kind is the microphone or camera, the second the screen's: none may be skipped."""
        for kind, first, second in (
            ("audio", room_pb2.SOURCE_KIND_MICROPHONE, room_pb2.SOURCE_KIND_SCREEN_AUDIO),
            ("video", room_pb2.SOURCE_KIND_CAMERA, room_pb2.SOURCE_KIND_SCREEN),
        ):
            tracks = [lender.borrow(first), lender.borrow(second)]
            self._borrowed += [track for track in tracks if track is not None]
            while tracks and tracks[-1] is None:
                tracks.pop()
            for track in tracks:
                self._add(track or kind, "sendonly")

    def _add_slots(self, video_slots: int) -> Sequence[Slot]:
        plan = (
            ("audio", channel_pb2.SLOT_KIND_SPEECH, SPEECH_SLOTS),
            ("audio", channel_pb2.SLOT_KIND_PROGRAMME, PROGRAMME_SLOTS),
            ("video", channel_pb2.SLOT_KIND_VIDEO, video_slots),
        )
        return tuple(
            self._make_slot(medium, kind, index) for medium, kind, count in plan for index in range(count)
        )

    def _make_slot(self, medium: str, kind: "channel_pb2.SlotKind.ValueType", index: int) -> Slot:
        slot = Slot(kind, index, SlotTimeline(), self._add(medium, "recvonly"))

        def note(timestamp: int, source: int) -> None:
            slot.timeline.note(timestamp, source)
            self.first_packet.set()
            self._receiver.session_packet(self.number, source)

        aiortc_private.observe_packets(slot.transceiver.receiver, note)
        return slot

    def _add(self, what: str | MediaStreamTrack, direction: str) -> RTCRtpTransceiver:
        transceiver = self._pc.addTransceiver(what, direction=direction)
        capabilities = transceiver.receiver.getCapabilities(transceiver.kind)
        assert capabilities is not None
        transceiver.setCodecPreferences(
            [each for each in capabilities.codecs if each.mimeType.lower() in _CODECS]
        )
        return transceiver

    # ---- while it runs

    async def _pump(self, slot: Slot) -> None:
        """Hand on what a slot decodes; always reading, so that nothing piles up."""
        track = slot.transceiver.receiver.track
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                source = slot.timeline.source_at((frame.pts or 0) & 0xFFFFFFFF)
                self._receiver.session_frame(self.number, source, frame)

    def _receive_message(self, data: bytes | str) -> None:
        if not isinstance(data, bytes) or len(data) > _CHANNEL_BYTES:
            return
        try:
            message = channel_pb2.NodeMessage.FromString(data)
        except DecodeError:
            _log.warning("the node sent a message that cannot be read")
            return
        self._receiver.session_message(self.number, message)

    def _opened(self) -> None:
        # The channel is the last thing to start, so by now every receiver is known to the router.
        aiortc_private.route_retransmissions(self._pc, self._rtx_pairs)
        self.connected.set()

    def _state_changed(self) -> None:
        if self._pc.connectionState in ("failed", "closed"):
            self.failed.set()
