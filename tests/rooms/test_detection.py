"""Real processes that are killed, frozen, restarted and cut off from a real NATS: what a rooms replica finds out, and when."""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from nats.aio.client import Client
from salon.rooms.v1 import nodes_pb2
from salon_common import nats
from salon_common.clock import SystemClock
from salon_rooms.beats import Beats
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.suspicion import ProbeOutcome
from salon_rooms.disconnects import Disconnects
from salon_rooms.doubts import ASK_SECONDS, Doubts
from salon_rooms.probe import probe
from support.nats_server import NatsServer, free_port

pytestmark = pytest.mark.stack

ALIVE = nodes_pb2.NODE_HEALTH_ALIVE
SUSPECTED = nodes_pb2.NODE_HEALTH_SUSPECTED
ISOLATED = nodes_pb2.NODE_HEALTH_ISOLATED
DEAD = nodes_pb2.NODE_HEALTH_DEAD

PROGRAM = Path(__file__).with_name("beating_node.py")
_log = logging.getLogger(__name__)


class Lookout:
    """The part of a rooms replica that watches nodes."""

    def __init__(self, nc: Client) -> None:
        clock = SystemClock()
        self.nodes = Directory(clock.now())
        self.dead: dict[NodeRef, float] = {}
        self.introduced: set[NodeRef] = set()
        self.doubts = Doubts(nc, "local", self.nodes, clock, on_dead=self._on_dead, prober=self._probe)
        self.disconnects = Disconnects(nc, "APP", self.doubts.handle_disconnect)
        tracker = PresenceTracker(clock.now())
        self.beats = Beats(nc, "local", "r1", self.nodes, Replicas("r1"), tracker, clock, lambda _heard: None)

    def health(self, ref: NodeRef) -> nodes_pb2.NodeHealth.ValueType:
        return self.nodes.health(ref, time.monotonic())

    async def heard(self, ref: NodeRef) -> None:
        """Until the node has beaten and has answered a first probe."""
        await until(lambda: ref in self.introduced)

    async def _probe(self, address: str, boot_id: str) -> ProbeOutcome:
        outcome = await probe(address, boot_id)
        if outcome is ProbeOutcome.ANSWERED:
            beats = [beat for beat, _ in self.nodes.beats(time.monotonic())]
            self.introduced |= {
                NodeRef(b.node_id, boot_id)
                for b in beats
                if (b.health_address, b.boot_id) == (address, boot_id)
            }
        return outcome

    def _on_dead(self, ref: NodeRef) -> None:
        self.dead[ref] = time.monotonic()


@contextlib.asynccontextmanager
async def lookout(server: NatsServer) -> AsyncIterator[Lookout]:
    nc = await nats.connect(server.access("rooms"), name="rooms-1")
    made = Lookout(nc)
    for part in (made.beats, made.doubts, made.disconnects):
        await part.start()
    await nc.flush()
    running = [asyncio.create_task(made.beats.run()), asyncio.create_task(made.doubts.run())]
    try:
        yield made
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await made.doubts.stop()
        await nc.close()


@contextlib.asynccontextmanager
async def node(
    url: str, node_id: str, boot_id: str = "b1", port: int = 0
) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = [sys.executable, str(PROGRAM), url, "local", node_id, boot_id, str(port)]
    process = await asyncio.create_subprocess_exec(*arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.005)


N1, N2 = NodeRef("n1", "b1"), NodeRef("n2", "b1")


@pytest.fixture
async def region(nats_server: NatsServer) -> AsyncIterator[tuple[Lookout, asyncio.subprocess.Process]]:
    """A lookout, node n1 and its process, and node n2."""
    async with (
        lookout(nats_server) as here,
        node(nats_server.url, "n1") as process,
        node(nats_server.url, "n2"),
    ):
        await here.heard(N1)
        await here.heard(N2)
        yield here, process


async def test_a_killed_node_is_dead_in_a_moment(
    region: tuple[Lookout, asyncio.subprocess.Process],
) -> None:
    here, process = region
    killed = time.monotonic()
    process.kill()
    await until(lambda: N1 in here.dead)
    took = here.dead[N1] - killed
    _log.info("dead %.1f ms after the kill", took * 1000)
    assert took < 0.5
    assert not here.nodes.is_alive(N1, time.monotonic())
    assert here.nodes.choose(time.monotonic(), b"x" * 8) == N2
    assert list(here.dead) == [N1]


async def test_a_frozen_node_is_dead_when_two_ask_and_alive_when_it_beats_again(
    region: tuple[Lookout, asyncio.subprocess.Process],
) -> None:
    here, process = region
    process.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    await asyncio.sleep(1.0)  # as long as clients take to notice
    await here.doubts.ask(N1, "ada")
    assert time.monotonic() - frozen < 1.0 + ASK_SECONDS + 0.25
    assert here.health(N1) == SUSPECTED
    assert not here.nodes.answers(N1, time.monotonic())
    await here.doubts.ask(N1, "bob")
    await until(lambda: N1 in here.dead)
    assert here.dead[N1] - frozen < 2.3
    process.send_signal(signal.SIGCONT)
    await until(lambda: here.health(N1) == ALIVE)


async def test_a_frozen_node_that_one_person_misses_is_dead_by_its_heartbeats(
    region: tuple[Lookout, asyncio.subprocess.Process],
) -> None:
    here, process = region
    process.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    while here.nodes.answers(N1, time.monotonic()):
        await asyncio.sleep(0.05)
        await here.doubts.ask(N1, "ada")
    assert time.monotonic() - frozen < 1.0
    assert here.health(N1) == SUSPECTED
    await until(lambda: N1 in here.dead)
    assert 1.9 < here.dead[N1] - frozen < 4.0
    process.send_signal(signal.SIGCONT)


async def test_another_incarnation_under_the_same_name_ends_the_former(nats_server: NatsServer) -> None:
    port = free_port()
    async with lookout(nats_server) as here, node(nats_server.url, "n2"):
        async with node(nats_server.url, "n1", "b1", port) as process:
            await here.heard(N1)
            process.kill()
        async with node(nats_server.url, "n1", "b2", port):
            reborn = NodeRef("n1", "b2")
            await here.heard(reborn)
            assert list(here.dead) == [N1]
            assert here.health(reborn) == ALIVE
            assert here.nodes.dead(time.monotonic()) == [N1]


async def test_a_node_that_loses_nats_alone_is_isolated_until_it_is_back(nats_server: NatsServer) -> None:
    async with (
        lookout(nats_server) as here,
        node(nats_server.url, "n2"),
        Tunnel(nats_server) as tunnel,
        node(tunnel.url, "n1"),
    ):
        await here.heard(N1)
        await tunnel.cut()
        await until(lambda: here.health(N1) == ISOLATED)
        assert here.nodes.is_alive(N1, time.monotonic())
        assert here.nodes.choose(time.monotonic(), b"x" * 8) == N2
        await tunnel.mend()
        await until(lambda: here.health(N1) == ALIVE)
        assert here.dead == {}


@pytest.mark.parametrize("abrupt", [False, True])
async def test_a_restart_of_nats_condemns_nobody(abrupt: bool) -> None:
    with NatsServer() as server:
        async with lookout(server) as here, node(server.url, "n1"), node(server.url, "n2"):
            await here.heard(N1)
            await here.heard(N2)
            if abrupt:
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(4.0)  # longer than a node may be silent
                await asyncio.to_thread(server.start)
            else:
                await asyncio.to_thread(server.restart)
            began, boots = time.monotonic(), {N1, N2}
            while time.monotonic() - began < 5.0:
                await asyncio.sleep(0.05)
                assert all(here.nodes.is_alive(ref, time.monotonic()) for ref in boots)
            assert [here.health(ref) for ref in (N1, N2)] == [ALIVE, ALIVE]
            assert here.dead == {}


async def test_nobody_but_rooms_hears_of_ended_connections_and_nobody_forges_them(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with lookout(nats_server) as here, node(nats_server.url, "n1") as process:
        await here.heard(N1)
        other = await nats.connect(nats_server.access("signaling"), name="signaling-1")
        heard: list[object] = []

        async def hear(message: object) -> None:
            heard.append(message)

        for subject in ("$SYS.ACCOUNT.APP.DISCONNECT", "$SYS.>", "$SYS.ACCOUNT.*.*"):
            await other.subscribe(subject, cb=hear)
        await other.publish("$SYS.ACCOUNT.APP.DISCONNECT", b'{"client": {"name": "n1.b1"}}')
        await other.flush()
        assert caplog.text.count("permissions violation") >= 2
        assert here.health(N1) == ALIVE
        process.kill()
        await until(lambda: N1 in here.dead)
        await other.flush()
        assert heard == []
        assert nats_server.passwords["rooms"].read_text().strip() not in caplog.text
        await other.close()


class Tunnel:
    """A way to NATS that can be cut, for one who has no other."""

    def __init__(self, server: NatsServer) -> None:
        self._target = int(server.url.rpartition(":")[2])
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"nats://tests:tests@127.0.0.1:{self._port}"

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def __aenter__(self) -> "Tunnel":
        await self.mend()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._ends |= {writer, there_writer}
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
