"""A media node without media: it beats, has a health port, vouches for whom it was told of, and does as it is told."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

from nats.aio.client import Client
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common import nats
from salon_common.health import HealthServer
from salon_common.rpc import NatsMount, ServiceRegistry

BEAT_SECONDS = 0.5


class FakeNode(media_pb2_grpc.MediaServiceServicer):
    """One incarnation."""

    def __init__(self, nc: Client, region: str, node_id: str, boot_id: str, health: HealthServer) -> None:
        self.node_id = node_id
        self.boot_id = boot_id
        self.beat = presence_pb2.NodeHeartbeat(
            node_id=node_id, boot_id=boot_id, region=region, mode=presence_pb2.NODE_MODE_ACTIVE
        )
        self.health = health
        self._nc = nc
        self._region = region
        self._people: dict[tuple[str, str], presence_pb2.PresenceEntry] = {}
        self._beating: asyncio.Task[None] | None = None
        self._silence: asyncio.Server | None = None
        self._callers: list[asyncio.StreamWriter] = []
        registry = ServiceRegistry()
        media_pb2_grpc.add_MediaServiceServicer_to_server(self, registry)
        self._mount = NatsMount(nc, registry, region=region, node=node_id)

    async def start(self) -> None:
        """Come up."""
        self.beat.health_address = f"127.0.0.1:{await self.health.start()}"
        await self._mount.start()
        self._beating = asyncio.create_task(self._run())

    async def SetMode(self, request: media_pb2.SetModeRequest, context: Any) -> media_pb2.SetModeResponse:
        assert request.boot_id == self.boot_id
        self.beat.mode = request.mode
        self.beat.ClearField("drain_deadline")
        if request.HasField("deadline"):
            self.beat.drain_deadline.CopyFrom(request.deadline)
        await self._send_beat()
        return media_pb2.SetModeResponse(participants=len(self._people))

    async def Admit(self, request: media_pb2.AdmitRequest, context: Any) -> media_pb2.AdmitResponse:
        raise NotImplementedError

    async def Remove(self, request: media_pb2.RemoveRequest, context: Any) -> media_pb2.RemoveResponse:
        self._people.pop((request.room_id, request.participant_id), None)
        return media_pb2.RemoveResponse()

    async def Inspect(self, request: media_pb2.InspectRequest, context: Any) -> media_pb2.InspectResponse:
        raise NotImplementedError

    async def connect(self, room_id: str, participant: room_pb2.Participant) -> None:
        """A participant's media has come up here."""
        entry = presence_pb2.PresenceEntry(
            room_id=room_id,
            participant_id=participant.id,
            session_number=participant.session_number,
            status=presence_pb2.PRESENCE_STATUS_CONNECTED,
        )
        self._people[room_id, participant.id] = entry
        await self._report([entry], complete=False)

    async def kill(self) -> None:
        """End as by kill -9: the port is closed, and NATS says that the connection has ended."""
        await self._fall_silent()
        await self._nc.close()

    async def freeze(self) -> None:
        """Stop at once: the port still takes connections, and nobody answers."""
        await self._fall_silent()
        host, _, port = self.beat.health_address.partition(":")
        self._silence = await asyncio.start_server(self._keep_waiting, host, int(port))

    async def stop(self) -> None:
        """Clean up."""
        if not self._nc.is_closed:
            await self.kill()
        if self._silence is not None:
            self._silence.close()
            for caller in self._callers:
                caller.close()
            await self._silence.wait_closed()

    def _keep_waiting(self, _: asyncio.StreamReader, caller: asyncio.StreamWriter) -> None:
        self._callers.append(caller)

    async def _fall_silent(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
            await self.health.stop()

    async def _run(self) -> None:
        while True:
            await self._send_beat()
            await self._report(list(self._people.values()), complete=True)
            await asyncio.sleep(BEAT_SECONDS)

    async def _send_beat(self) -> None:
        self.beat.sequence += 1
        self.beat.participants = len(self._people)
        await self._nc.publish(f"beat.{self._region}.media.{self.node_id}", self.beat.SerializeToString())

    async def _report(self, entries: list[presence_pb2.PresenceEntry], *, complete: bool) -> None:
        report = presence_pb2.PresenceReport(
            voucher=presence_pb2.VOUCHER_MEDIA,
            sender_id=self.node_id,
            boot_id=self.boot_id,
            entries=entries,
            complete=complete,
        )
        await self._nc.publish(f"vouch.{self._region}.media.{self.node_id}", report.SerializeToString())


@contextlib.asynccontextmanager
async def fake_node(url: str, region: str, node_id: str) -> AsyncIterator[FakeNode]:
    """A node, until stopped."""
    boot_id = uuid.uuid4().hex[:8]
    nc = await nats.connect(url, name=f"{node_id}.{boot_id}")
    node = FakeNode(nc, region, node_id, boot_id, HealthServer("127.0.0.1:0", boot_id))
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
