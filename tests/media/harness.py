"""One node in this process, and aiortc clients for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from prometheus_client import CollectorRegistry
from salon.media.v1 import channel_pb2, media_pb2
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common.clock import SystemClock
from salon_media.core.node_state import NodeState
from salon_media.core.presence import PresenceReports
from salon_media.dtls import NodeCertificate
from salon_media.engine import EnginePort, EngineReader
from salon_media.metrics import NodeMetrics
from salon_media.node import MediaNode

BOOT_ID = "boot"
ROOM_ID = "local-aaaaaaaaaaaaaaaaaaaa"
SOURCE_KINDS = (
    room_pb2.SOURCE_KIND_MICROPHONE,
    room_pb2.SOURCE_KIND_CAMERA,
    room_pb2.SOURCE_KIND_SCREEN,
    room_pb2.SOURCE_KIND_SCREEN_AUDIO,
)


def participant(ordinal: int, session_number: int = 1) -> room_pb2.Participant:
    """A speaker with the source numbers that rooms would give."""
    return room_pb2.Participant(
        id=chr(ord("a") + ordinal) * 16,
        role=room_pb2.ROLE_SPEAKER,
        session_number=session_number,
        sources=[room_pb2.Source(kind=kind, number=4 * ordinal + kind - 1) for kind in SOURCE_KINDS],
    )


class Node:
    """A node without NATS."""

    def __init__(self, engine: EnginePort, *, max_participants: int = 10) -> None:
        self.clock = SystemClock()
        self.engine = engine
        self.state = NodeState(BOOT_ID, max_participants)
        self.presence = PresenceReports("node-1", BOOT_ID)
        self.random_calls = 0
        self.registry = CollectorRegistry()
        self.metrics = NodeMetrics(self.registry)
        self.node = MediaNode(
            self.state,
            self.presence,
            engine=engine,
            certificate=NodeCertificate.generateCertificate(),
            addresses=["127.0.0.1"],
            clock=self.clock,
            random=self._random,
            metrics=self.metrics,
        )
        self.reader = EngineReader(engine, self.node)
        self.reader.start()

    def _random(self, length: int) -> bytes:
        self.random_calls += 1
        return self.random_calls.to_bytes(length, "big")

    async def stop(self) -> None:
        await self.node.close()
        self.reader.stop()
        self.engine.stop()

    async def admit(self, client: "Client", *, session_number: int = 1) -> str:
        return await self.admit_offer(participant(client.ordinal, session_number), await client.offer())

    async def admit_offer(self, who: room_pb2.Participant, offer: str, *, uplink_bps: int = 0) -> str:
        return await self.node.admit(
            media_pb2.AdmitRequest(
                boot_id=BOOT_ID,
                room_id=ROOM_ID,
                participant=who,
                epoch=1,
                offer=offer,
                uplink_bps=uplink_bps,
            )
        )

    def statuses(self) -> dict[str, presence_pb2.PresenceStatus.ValueType]:
        """What the changes since say of each participant."""
        reports = self.presence.take(self.state.entries(), self.clock.now())
        return {
            entry.participant_id: entry.status
            for report in reports
            if not report.complete
            for entry in report.entries
        }


def peer_connection() -> RTCPeerConnection:
    """With one transport from the start: with another policy aiortc leaves some receivers on a transport that is closed."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


@dataclass
class Client:
    """An aiortc client by the SDP convention."""

    ordinal: int = 1
    pc: RTCPeerConnection = field(default_factory=peer_connection)
    messages: list[channel_pb2.NodeMessage] = field(default_factory=list)

    opened: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @cached_property
    def channel(self) -> RTCDataChannel:
        """Made after the transceivers: aiortc closes the bundle's transport if it was the channel's first."""
        channel = self.pc.createDataChannel("salon", negotiated=True, id=0)
        channel.on("open", self.opened.set)
        channel.on("message", self._on_message)
        return channel

    @property
    def participant_id(self) -> str:
        return participant(self.ordinal).id

    def source(self, kind: int) -> int:
        return 4 * self.ordinal + kind - 1

    def _on_message(self, data: bytes) -> None:
        self.messages.append(channel_pb2.NodeMessage.FromString(data))
        self.arrived.set()

    async def offer(self) -> str:
        assert self.channel is not None
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    async def join(self, node: Node, *, session_number: int = 1) -> None:
        """Admitted and connected, data channel open."""
        await self.accept(await node.admit(self, session_number=session_number))
        await asyncio.wait_for(self.opened.wait(), 10)

    async def accept(self, answer: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def say(self, message: channel_pb2.ClientMessage) -> None:
        self.channel.send(message.SerializeToString())

    async def heard(self, wanted: Callable[[channel_pb2.NodeMessage], bool]) -> channel_pb2.NodeMessage:
        """The first message that is wanted."""
        async with asyncio.timeout(10):
            while True:
                for message in self.messages:
                    if wanted(message):
                        return message
                self.arrived.clear()
                await self.arrived.wait()


async def until(holds: Callable[[], bool], wait: Callable[[], Awaitable[object]] | None = None) -> None:
    """Come back to the loop until `holds`, for 10 s at most."""
    async with asyncio.timeout(10):
        while not holds():
            await (wait() if wait is not None else asyncio.sleep(0.005))
