"""A region of rooms replicas in this process, beside nodes that only beat."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2, rooms_pb2_grpc
from salon_common import nats
from salon_common.clock import SystemClock
from salon_common.nats_access import NatsAccess
from salon_common.rpc import NatsChannel
from salon_rooms.config import RoomsSettings
from salon_rooms.replica import Replica

LINK_KEY = b"k" * 32
OWNER = room_pb2.Account(app="demo", subject="ada")


class Region:
    """Replicas of one region, each on its own connection, and the test's connection."""

    def __init__(self, nc: Client, access: NatsAccess, name: str, event_ttl: int) -> None:
        self.nc = nc
        self.name = name
        self.stub = rooms_pb2_grpc.RoomsServiceStub(NatsChannel(nc, region=name, timeout=5.0))
        self.live: dict[str, list[room_pb2.Event]] = {}
        self.beating = {"n1", "n2"}
        self._access = access
        self._event_ttl = event_ttl

    @contextlib.asynccontextmanager
    async def replica(self, replica_id: str) -> AsyncIterator[Replica]:
        """One replica, until stopped."""
        settings = RoomsSettings(region=self.name, replica_id=replica_id, event_ttl=self._event_ttl)
        connection = await nats.connect(self._access, name=replica_id)
        replica = Replica(connection, settings, LINK_KEY, SystemClock())
        await replica.start()
        try:
            yield replica
        finally:
            await replica.stop()
            await connection.close()

    async def create(self, **settings: int) -> rooms_pb2.CreateRoomResponse:
        """A new room, whose live events are kept from its first."""
        request = rooms_pb2.CreateRoomRequest(request_id=uuid.uuid4().hex, owner=OWNER, title="Tea")
        for field, value in settings.items():
            setattr(request.settings, field, value)
        made = await self.stub.CreateRoom(request)
        await self.nc.subscribe(f"live.{made.room.id}.*", cb=self._keep)
        await self.nc.flush()
        return made

    async def join(
        self, made: rooms_pb2.CreateRoomResponse, name: str, *, request_id: str = ""
    ) -> rooms_pb2.JoinResponse:
        """Somebody comes in by the room's link."""
        return await self.stub.Join(
            rooms_pb2.JoinRequest(
                room_id=made.room.id,
                request_id=request_id or uuid.uuid4().hex,
                invite_secret=made.invite_secret,
                name=name,
                wants_media=True,
            )
        )

    async def chat(self, room_id: str, participant_id: str, text: str, request_id: str = "") -> int:
        """Somebody writes."""
        request = rooms_pb2.SendChatRequest(
            room_id=room_id,
            participant_id=participant_id,
            request_id=request_id or uuid.uuid4().hex,
            text=text,
        )
        return (await self.stub.SendChat(request)).event_number

    async def vouch(
        self, node_id: str, participant: room_pb2.Participant, room_id: str, *, gone: bool = False
    ) -> None:
        """A node says that it has a participant, or has them no more."""
        status = presence_pb2.PRESENCE_STATUS_GONE if gone else presence_pb2.PRESENCE_STATUS_CONNECTED
        entry = presence_pb2.PresenceEntry(
            room_id=room_id,
            participant_id=participant.id,
            session_number=participant.session_number,
            status=status,
        )
        report = presence_pb2.PresenceReport(
            voucher=presence_pb2.VOUCHER_MEDIA, sender_id=node_id, boot_id="b1", entries=[entry]
        )
        await self.nc.publish(f"vouch.{self.name}.media.{node_id}", report.SerializeToString())

    async def beat(self) -> None:
        """Nodes beat, until cancelled."""
        sequence = 0
        while True:
            sequence += 1
            for node_id in self.beating:
                heartbeat = presence_pb2.NodeHeartbeat(
                    node_id=node_id, boot_id="b1", region=self.name, sequence=sequence
                )
                await self.nc.publish(f"beat.{self.name}.media.{node_id}", heartbeat.SerializeToString())
            await asyncio.sleep(0.5)

    async def _keep(self, message: Msg) -> None:
        _, room_id, number = message.subject.split(".")
        event = room_pb2.Event.FromString(message.data)
        assert event.number == int(number)
        self.live.setdefault(room_id, []).append(event)


@contextlib.asynccontextmanager
async def region(nc: Client, access: NatsAccess, *, event_ttl: int = 600) -> AsyncIterator[Region]:
    """A region of its own name, with two nodes that beat."""
    made = Region(nc, access, f"t{uuid.uuid4().hex[:8]}", event_ttl)
    beats = asyncio.create_task(made.beat())
    try:
        yield made
    finally:
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something to be so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes too
            await asyncio.sleep(0.02)
