"""Real signaling processes on a real NATS. The media nodes are fakes in the test's process, and so is the rooms service
unless a test starts the real one.
"""

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import grpc.aio
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from salon.media.v1 import media_pb2_grpc
from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2_grpc
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_client.run.apps import Keys, ensure_keys
from salon_client.run.processes import ManagedProcess, Program
from salon_client.run.services import Context, rooms_program, signaling_program
from salon_common import nats
from salon_common.rpc import NatsMount, ServiceRegistry
from support.nats_server import NatsServer
from unit.signaling.fakes import ROOM, SECRET, FakeNode, FakeRooms

ORIGIN = "http://localhost:1"


class World:
    """Everything around the replicas under test."""

    def __init__(self, server: NatsServer, directory: Path) -> None:
        self.server = server
        self.rooms = FakeRooms(self._publish)
        self.nodes = {"node-1": FakeNode(), "node-2": FakeNode()}
        self.keys: Keys = ensure_keys(directory / "keys")
        self.lossy = False
        """Whether events are committed and never delivered live."""
        self.statuses: dict[str, int] = {}
        """What signaling last reported of each participant."""
        self._reported = asyncio.Event()
        self._directory = directory
        self._nc: NatsClient | None = None
        self._replicas: list[ManagedProcess] = []
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._nc = await nats.connect(self.server.url, name="test")
        for name, node in self.nodes.items():
            registry = ServiceRegistry()
            media_pb2_grpc.add_MediaServiceServicer_to_server(node, registry)
            await NatsMount(self._nc, registry, region="local", node=name).start()
        await self._nc.subscribe("vouch.local.signaling.*", cb=self._note)

    async def fake_rooms(self) -> None:
        """Answer for the rooms service."""
        assert self._nc is not None
        registry = ServiceRegistry()
        rooms_pb2_grpc.add_RoomsServiceServicer_to_server(self.rooms, registry)
        await NatsMount(self._nc, registry, region="local").start()

    async def real_rooms(self) -> None:
        """Start the rooms service, and the heartbeats by which it knows the nodes."""
        await self._run(rooms_program(self._context({}), 1))
        self._beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        assert self._nc is not None
        for sequence in itertools.count():
            for name in self.nodes:
                beat = presence_pb2.NodeHeartbeat(
                    node_id=name,
                    boot_id="boot",
                    region="local",
                    sequence=sequence,
                    health_address="127.0.0.1:9",
                )
                await self._nc.publish(f"beat.local.media.{name}", beat.SerializeToString())
            await asyncio.sleep(1)  # the interval of heartbeats

    async def stop(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
        for replica in self._replicas:
            await replica.kill()
        if self._nc is not None:
            await self._nc.close()

    async def replica(self, number: int, **settings: str) -> ManagedProcess:
        """A running signaling replica."""
        extra = {f"SALON_SIGNALING_{key.upper()}": value for key, value in settings.items()}
        return await self._run(signaling_program(self._context({"signaling": extra}), number))

    def _context(self, extra: Mapping[str, Mapping[str, str]]) -> Context:
        return Context(
            nats_url=self.server.address,
            nats_passwords=self.server.passwords,
            session_key_file=self.keys.session_key,
            link_key_file=self.keys.link_key,
            apps_file=self.keys.apps,
            web_origins=[ORIGIN],
            advertise=[],
            extra=extra,
        )

    async def _run(self, program: Program) -> ManagedProcess:
        process = ManagedProcess(program, self._directory)
        self._replicas.append(process)
        await process.start()
        return process

    async def chat(self, text: str) -> int:
        """Somebody writes."""
        return await self.rooms.emit(room_pb2.Event(chat=room_pb2.ChatMessage(text=text)))

    async def until_reported(self, participant_id: str, status: int) -> None:
        """Until signaling says this of the participant."""
        async with asyncio.timeout(5):
            while self.statuses.get(participant_id) != status:
                self._reported.clear()
                await self._reported.wait()

    async def _publish(self, subject: str, data: bytes) -> None:
        if not self.lossy and self._nc is not None:
            await self._nc.publish(subject, data)

    async def _note(self, message: Msg) -> None:
        report = presence_pb2.PresenceReport.FromString(message.data)
        self.statuses |= {entry.participant_id: entry.status for entry in report.entries}
        self._reported.set()


class Person:
    """One client of one replica at a time, by gRPC."""

    def __init__(self, *, room_id: str = ROOM, secret: str = SECRET) -> None:
        self.participant_id = ""
        self.token = ""
        self.welcome = signaling_pb2.Welcome()
        self.numbers: list[int] = []
        """Every event's number, in the order received."""
        self.messages: list[signaling_pb2.JoinResponse] = []
        """Every message received."""
        self.last = 0
        self._room_id = room_id
        self._secret = secret
        self._channels: list[grpc.aio.Channel] = []
        self._call: grpc.aio.UnaryStreamCall[signaling_pb2.JoinRequest, signaling_pb2.JoinResponse] | None = (
            None
        )
        self._stub: signaling_pb2_grpc.SignalingServiceAsyncStub | None = None

    async def join(
        self, replica: ManagedProcess, *, offer: str = "v=0", name: str = "Ada"
    ) -> signaling_pb2.Welcome:
        """Enter by the link, or come back by the token, and read the welcome."""
        request = signaling_pb2.JoinRequest(
            room_id=self._room_id, request_id=uuid.uuid4().hex, offer=offer, last_event=self.last
        )
        if self.token:
            request.session_token = self.token
        else:
            request.invite_secret, request.name = self._secret, name
        self._call = self.stub_at(replica).Join(request)
        message = await self.read()
        assert message.WhichOneof("body") == "welcome"
        return message.welcome

    def stub_at(self, replica: ManagedProcess) -> "signaling_pb2_grpc.SignalingServiceAsyncStub":
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{replica.ports['grpc']}")
        self._channels.append(channel)
        self._stub = signaling_pb2_grpc.SignalingServiceStub(channel)
        return self._stub

    @property
    def stub(self) -> "signaling_pb2_grpc.SignalingServiceAsyncStub":
        """The replica that was joined last."""
        assert self._stub is not None
        return self._stub

    @property
    def bodies(self) -> list[str]:
        """The kind of every message received."""
        return [message.WhichOneof("body") or "" for message in self.messages]

    @property
    def metadata(self) -> Sequence[tuple[str, str]]:
        """For calls after joining."""
        return (("authorization", f"Bearer {self.token}"),)

    async def read(self, timeout: float = 10.0) -> signaling_pb2.JoinResponse:
        """The next message that is no keepalive. Raises AioRpcError, or EOFError at the stream's end."""
        assert self._call is not None
        async with asyncio.timeout(timeout):
            while True:
                message = await self._call.read()
                if message is grpc.aio.EOF:
                    raise EOFError
                assert isinstance(message, signaling_pb2.JoinResponse)
                self._note(message)
                if message.WhichOneof("body") != "keepalive":
                    return message

    async def read_until(self, number: int) -> None:
        """Read events up to this one."""
        while self.last < number:
            await self.read()

    async def read_until_kind(self, kind: str) -> None:
        """Read messages up to one of this kind."""
        while (await self.read()).WhichOneof("body") != kind:
            pass

    async def status(self) -> grpc.StatusCode:
        """How the stream ended."""
        assert self._call is not None
        return await self._call.code()

    def vanish(self) -> None:
        """Go away without a word."""
        assert self._call is not None
        self._call.cancel()

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    def _note(self, message: signaling_pb2.JoinResponse) -> None:
        self.messages.append(message)
        match message.WhichOneof("body"):
            case "welcome":
                self.welcome = message.welcome
                self.participant_id = message.welcome.participant_id
                self.token = message.welcome.session_token.token
                if message.welcome.HasField("snapshot"):
                    self.last = message.welcome.snapshot.event_number
            case "event":
                assert message.event.number == self.last + 1, "the log has a hole"
                self.last = message.event.number
                self.numbers.append(self.last)
            case "snapshot":
                self.last = message.snapshot.event_number
            case "session_token":
                self.token = message.session_token.token


@contextlib.asynccontextmanager
async def people(count: int, *, room_id: str = ROOM, secret: str = SECRET) -> AsyncIterator[list[Person]]:
    """So many clients, closed at the end."""
    everybody = [Person(room_id=room_id, secret=secret) for _ in range(count)]
    try:
        yield everybody
    finally:
        for person in everybody:
            await person.close()
