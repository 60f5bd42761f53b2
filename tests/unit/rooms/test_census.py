"""Who tells what of the region: one replica each thing, so that sums are right."""

import json
from types import SimpleNamespace
from typing import Any, cast

import nats.errors
import pytest
from prometheus_client import REGISTRY
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common.clock import ManualClock
from salon_rooms import census as module
from salon_rooms.census import STATSZ, Census
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.nats_servers import NATS_SERVERS
from unit.rooms.core.test_server_stats import ANSWER
from unit.rooms.fake_nats import FakeNats


class Nats(FakeNats):
    """Also answers what the census asks."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False

    def jetstream(self, timeout: float) -> "Nats":
        return self

    async def stream_info(self, name: str) -> SimpleNamespace:
        if self.fails:
            raise nats.errors.TimeoutError
        return SimpleNamespace(state=SimpleNamespace(messages=5, bytes=600))

    def new_inbox(self) -> str:
        return "inbox"

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        await super().publish(subject, data)
        if not self.fails and subject == STATSZ:
            await self.deliver(reply, reply, json.dumps(ANSWER).encode())


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.nats = Nats()
        self.tracker = PresenceTracker(self.clock.now())
        self.replicas = Replicas("r1")
        self.census = Census(cast("Any", self.nats), 1, self.tracker, self.replicas, self.clock)

    def store(self, room: str, participant: str, state: room_pb2.ParticipantState.ValueType) -> None:
        stored = room_pb2.Participant(id=participant, state=state)
        self.tracker.handle_stored(room, participant, stored, self.clock.now())

    def lose_everything_to_others(self) -> None:
        """So many others beat that nothing is this replica's."""
        for number in range(500):
            beat = presence_pb2.ReplicaHeartbeat(replica_id=f"other-{number}")
            self.replicas.handle_beat(beat, self.clock.now())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.0)
    return World()


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"salon_{name}", labels)


def test_rooms_and_people_are_counted_by_whoever_tells_of_them(world: World) -> None:
    world.store("r1", "a", room_pb2.PARTICIPANT_STATE_PRESENT)
    world.store("r1", "b", room_pb2.PARTICIPANT_STATE_JOINING)
    world.store("r2", "a", room_pb2.PARTICIPANT_STATE_PRESENT)
    world.census.count_people()
    assert sample("rooms_open_rooms") == 2
    assert sample("rooms_participants", state="present") == 2
    assert sample("rooms_participants", state="joining") == 1
    world.lose_everything_to_others()
    world.census.count_people()
    assert sample("rooms_open_rooms") == 0
    assert sample("rooms_participants", state="present") == 0


async def test_streams_are_told_while_they_are_this_replicas(world: World) -> None:
    await world.census.ask_streams()
    assert sample("rooms_stream_messages", stream="ROOMS_0") == 5
    assert sample("rooms_stream_bytes", stream="ROOMS_0") == 600
    world.nats.fails = True
    await world.census.ask_streams()
    assert sample("rooms_stream_messages", stream="ROOMS_0") == 5, "an outage changes no figure"
    world.lose_everything_to_others()
    await world.census.ask_streams()
    assert sample("rooms_stream_messages", stream="ROOMS_0") is None


async def test_servers_are_told_while_they_answer(world: World) -> None:
    await world.census.ask_servers()
    assert sample("nats_server_connections", server="nats-0") == 7
    assert sample("nats_server_cpu_ratio", server="nats-0") == 1.5
    assert sample("nats_server_in_messages_total", server="nats-0") == 11
    world.nats.fails = True
    await world.census.ask_servers()
    assert sample("nats_server_connections", server="nats-0") is None
    world.nats.fails = False
    await world.census.ask_servers()
    world.lose_everything_to_others()
    await world.census.ask_servers()
    assert NATS_SERVERS.figures == {}


async def test_where_it_may_not_ask_it_asks_seldom(world: World) -> None:
    world.nats.fails = True
    for number in range(0, 60, module.ASK_ROUNDS):
        await world.census.count(number)
        world.clock.advance(15.0)
    assert [subject for subject, _ in world.nats.published] == [STATSZ]
    world.clock.advance(module.DENIED_SECONDS)
    await world.census.count(60)
    assert len(world.nats.published) == 2


async def test_while_nats_is_away_nothing_is_asked(world: World) -> None:
    world.nats.is_connected = False
    world.store("r9", "a", room_pb2.PARTICIPANT_STATE_PRESENT)
    await world.census.count(0)
    assert world.nats.published == []
    assert sample("rooms_open_rooms") == 1
