"""The rooms of a dead node over the simulated store, in simulated time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY
from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_rooms.core.entering import Join
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.suspicion import ProbeOutcome
from salon_rooms.evacuation import OWNER_SECONDS, Evacuation
from salon_rooms.feed import Feed
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.store import StoreUnavailable
from salon_rooms.writer import Writers
from unit.rooms.kit import ROOM_ID, beat, create_command, random_bytes

N1, N2 = NodeRef("n1", "b1"), NodeRef("n2", "b1")


class Fixture:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failing: set[str] = set()
        self.clock = ManualClock()
        self.store = SimulatedStore(on_call=self.on_call)
        self.nodes = Directory(0.0)
        self.tracker = PresenceTracker(0.0)
        self.replicas = Replicas("r1")
        self.writers = Writers(self.store, self.nodes, self.clock)
        self.feed = Feed(self.store, self.tracker, self.clock)
        self.evacuation = Evacuation(
            self.feed,
            self.writers,
            self.tracker,
            self.nodes,
            self.replicas,
            self.clock,
            random_bytes,
        )
        self.sequence = 0

    async def on_call(self, call: str, room_id: str) -> None:
        self.calls.append(call)
        if call in self.failing:
            raise StoreUnavailable

    def beat(self, *nodes: str) -> None:
        self.sequence += 1
        for node in nodes:
            heartbeat = beat(node, sequence=self.sequence, health_address="127.0.0.1:9000")
            self.nodes.handle_beat(heartbeat, self.clock.now())
        self.probe(ProbeOutcome.ANSWERED)

    def probe(self, outcome: ProbeOutcome) -> None:
        for wanted in self.nodes.poll_probes(self.clock.now()):
            self.nodes.handle_probe(wanted.ref, outcome, self.clock.now())

    def kill(self, node: NodeRef) -> None:
        self.nodes.handle_disconnect(node, self.clock.now())
        self.probe(ProbeOutcome.REFUSED)
        assert not self.nodes.is_alive(node, self.clock.now())

    async def join(self, *names: str) -> None:
        made = await self.writers.submit(ROOM_ID, create_command())
        for name in names:
            request = rooms_pb2.JoinRequest(
                room_id=ROOM_ID,
                request_id=name,
                invite_secret=made.invite_secret,
                name=name,
                wants_media=True,
            )
            await self.writers.submit(ROOM_ID, Join(request, random_bytes(18)))

    @property
    def placement(self) -> room_pb2.Placement:
        room = self.store.read(ROOM_ID).room
        assert room is not None
        return room.head.placement

    @property
    def node(self) -> str:
        return next(n.node_id for n in self.placement.nodes if n.state == room_pb2.PLACED_NODE_STATE_ACTIVE)

    def disown(self) -> None:
        """Another replica looks after the room."""
        for number in range(2, 50):
            other = presence_pb2.ReplicaHeartbeat(replica_id=f"r{number}")
            self.replicas.handle_beat(other, self.clock.now())
            if not self.replicas.is_own(ROOM_ID, self.clock.now()):
                return


@pytest.fixture
async def here() -> AsyncIterator[Fixture]:
    made = Fixture()
    made.beat("n1")
    await made.join("Ada", "Bob")
    made.beat("n2")
    yield made
    made.failing.clear()
    await made.evacuation.close()
    await made.writers.close()


async def test_a_verdict_moves_the_rooms_at_once(here: Fixture) -> None:
    await here.feed.follow()
    here.kill(N1)
    here.evacuation.on_dead(N1)
    await here.evacuation.close()
    assert (here.node, here.placement.epoch) == ("n2", 2)


async def test_how_long_it_took_counts_from_the_verdict(here: Fixture) -> None:
    def sample(what: str) -> float:
        return REGISTRY.get_sample_value(f"salon_rooms_evacuation_seconds_{what}") or 0.0

    count, seconds = sample("count"), sample("sum")
    await here.feed.follow()
    here.kill(N1)
    here.failing.add("commit")
    here.evacuation.on_dead(N1)
    await here.evacuation.close()
    assert sample("count") == count, "not yet moved"
    here.failing.clear()
    here.clock.advance(0.5)
    here.beat("n2")
    here.evacuation.look_again()
    await here.evacuation.close()
    assert sample("count") == count + 1
    assert sample("sum") - seconds >= 0.5


async def test_those_whom_the_feed_has_not_told_of_are_looked_for(here: Fixture) -> None:
    here.kill(N1)
    here.evacuation.on_dead(N1)
    await asyncio.gather(*here.evacuation._tasks)
    await here.evacuation.close()
    assert here.node == "n2"


async def test_a_room_is_moved_once_however_often_it_is_looked_at(here: Fixture) -> None:
    await here.feed.follow()
    here.kill(N1)
    here.evacuation.on_dead(N1)
    for _ in range(3):
        here.evacuation.look_again()
        await here.evacuation.close()
        await here.feed.follow()
    assert here.placement.epoch == 2
    assert here.calls.count("commit") == 4, "the room, two joins, one move"


async def test_while_the_store_is_away_it_is_tried_again(here: Fixture) -> None:
    await here.feed.follow()
    here.kill(N1)
    here.failing = {"load", "participants_from"}
    here.evacuation.on_dead(N1)
    await asyncio.sleep(0)
    here.clock.advance(0.1)
    here.failing.clear()
    await here.evacuation.close()
    here.evacuation.look_again()
    await here.evacuation.close()
    assert here.node == "n2"


async def test_a_node_that_lives_is_left_alone(here: Fixture) -> None:
    await here.feed.follow()
    here.evacuation.look_again()
    here.evacuation.on_dead(N1)
    await here.evacuation.close()
    assert (here.node, here.placement.epoch) == ("n1", 1)


async def test_with_nowhere_to_go_the_store_is_left_in_peace(here: Fixture) -> None:
    await here.feed.follow()
    here.kill(N1)
    here.kill(N2)
    calls = len(here.calls)
    for _ in range(5):
        here.evacuation.look_again()
        await here.evacuation.close()
    assert len(here.calls) == calls
    here.clock.advance(1.0)
    here.beat("n3")
    here.evacuation.look_again()
    await here.evacuation.close()
    assert here.node == "n3"


async def test_another_replicas_rooms_are_moved_only_when_it_does_not(here: Fixture) -> None:
    await here.feed.follow()
    here.kill(N1)
    here.disown()
    here.evacuation.on_dead(N1)
    await here.evacuation.close()
    assert here.node == "n1"
    here.clock.advance(OWNER_SECONDS + 0.1)
    here.beat("n2")
    here.evacuation.look_again()
    await here.evacuation.close()
    assert here.node == "n2"


async def test_an_incarnation_that_was_never_heard_of_is_left_once_all_had_time_to_beat(
    here: Fixture,
) -> None:
    await here.feed.follow()
    here.nodes = Directory(here.clock.now())
    here.beat("n2")
    here.evacuation._nodes = here.writers._nodes = here.nodes
    here.evacuation.look_again()
    await here.evacuation.close()
    assert here.node == "n1"
    here.clock.advance(3.5)
    here.beat("n2")
    here.evacuation.look_again()
    await here.evacuation.close()
    assert here.node == "n2"


@pytest.mark.parametrize(
    ("error", "said"),
    [(ZeroDivisionError(), "evacuation"), (SalonError(Code.UNAVAILABLE, "no store"), "no store")],
)
async def test_one_rooms_fault_is_logged_counted_and_tried_again(
    here: Fixture,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    def failures() -> float:
        labels = {"why": "dead", "result": "failed"}
        return REGISTRY.get_sample_value("salon_rooms_moves_total", labels) or 0.0

    before = failures()
    await here.feed.follow()
    here.kill(N1)

    async def fail(*_: object) -> bool:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(here.writers, "submit", fail)
        here.evacuation.look_again()
        await here.evacuation.close()
    assert said in caplog.text
    assert failures() == before + 1
    here.evacuation.look_again()
    await here.evacuation.close()
    assert here.node == "n2"
