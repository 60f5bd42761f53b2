"""Rooms that leave living nodes, over the simulated store, in simulated time."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_rooms.core.entering import Join
from salon_rooms.core.making import CreateRoom
from salon_rooms.core.moving import HOT_SECONDS
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.places import active_node
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.room import timestamp
from salon_rooms.core.staying import Connected
from salon_rooms.core.suspicion import ProbeOutcome
from salon_rooms.feed import Feed
from salon_rooms.mover import Mover
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.writer import Writers
from unit.rooms.kit import KEY, OWNER, beat, random_bytes

DRAINING = presence_pb2.NODE_MODE_DRAINING


class Fixture:
    """Ten rooms of two on n1, and n2 beside it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = SimulatedStore()
        self.nodes = Directory(0.0)
        self.tracker = PresenceTracker(0.0)
        self.replicas = Replicas("r1")
        self.writers = Writers(self.store, self.nodes, self.clock)
        self.feed = Feed(self.store, self.tracker, self.clock)
        self.mover = Mover(self.writers, self.tracker, self.nodes, self.replicas, self.clock, random_bytes)
        self.rooms = [f"local-{letter * 20}" for letter in "abcdefghij"]
        self.sequence = 0
        self.seconds_left = 600.0

    def beat(self, node: str, **fields: Any) -> None:
        self.sequence += 1
        fields = {"health_address": "127.0.0.1:9000"} | fields
        heartbeat = beat(node, sequence=self.sequence, **fields)
        if heartbeat.mode == DRAINING:
            heartbeat.drain_deadline.CopyFrom(timestamp(self.clock.wall() + self.seconds_left))
        self.nodes.handle_beat(heartbeat, self.clock.now())
        for wanted in self.nodes.poll_probes(self.clock.now()):
            self.nodes.handle_probe(wanted.ref, ProbeOutcome.ANSWERED, self.clock.now())

    async def fill(self) -> None:
        for room_id in self.rooms:
            create = rooms_pb2.CreateRoomRequest(request_id="c", owner=OWNER, title="Tea")
            made = await self.writers.submit(room_id, CreateRoom(room_id, create, KEY))
            for name in ("Ada", "Bob"):
                request = rooms_pb2.JoinRequest(
                    room_id=room_id,
                    request_id=name,
                    invite_secret=made.invite_secret,
                    name=name,
                    wants_media=True,
                )
                joined = await self.writers.submit(room_id, Join(request, random_bytes(18)))
                await self.arrive(room_id, joined.participant)

    async def arrive(self, room_id: str, participant: room_pb2.Participant) -> None:
        node = NodeRef(participant.place.node_id, participant.place.boot_id)
        await self.writers.submit(room_id, Connected(participant.id, participant.session_number, node))

    async def look(self) -> set[str]:
        """One sweep; the rooms that are not on n1 then."""
        await self.feed.follow()
        self.mover.look_again()
        await self.mover.close()
        return {room_id for room_id in self.rooms if self.node_of(room_id) != "n1"}

    def room(self, room_id: str) -> room_pb2.RoomHead:
        room = self.store.read(room_id).room
        assert room is not None
        return room.head

    def node_of(self, room_id: str) -> str:
        node = active_node(self.room(room_id).placement)
        assert node is not None
        return node.node_id

    async def arrive_all(self, room_id: str) -> None:
        room = self.store.read(room_id).room
        assert room is not None
        for participant in room.participants.values():
            await self.arrive(room_id, participant)

    def disown(self) -> None:
        """Another replica leads what is about n1."""
        for number in range(2, 50):
            other = presence_pb2.ReplicaHeartbeat(replica_id=f"r{number}")
            self.replicas.handle_beat(other, self.clock.now())
            if not self.replicas.is_own("n1", self.clock.now()):
                return


@pytest.fixture
async def here() -> AsyncIterator[Fixture]:
    made = Fixture()
    made.beat("n1")
    await made.fill()
    made.beat("n2")
    yield made
    await made.mover.close()
    await made.writers.close()


async def test_a_node_that_is_not_told_to_go_keeps_its_rooms(here: Fixture) -> None:
    assert await here.look() == set()


async def test_a_drain_goes_on_as_people_arrive(here: Fixture) -> None:
    here.beat("n1", mode=DRAINING)
    gone: set[str] = set()
    for _ in range(10):
        now_gone = await here.look()
        assert len(now_gone) == len(gone) + 1, "two people of twenty are a tenth"
        assert await here.look() == now_gone, "nobody else while they are on the way"
        (room_id,) = now_gone - gone
        await here.arrive_all(room_id)
        gone = now_gone
    assert gone == set(here.rooms)
    assert await here.look() == gone
    assert all(here.room(room_id).placement.epoch == 2 for room_id in here.rooms)


async def test_people_who_never_arrive_hold_a_drain_up_for_a_while_only(here: Fixture) -> None:
    here.beat("n1", mode=DRAINING)
    assert len(await here.look()) == 1
    await here.feed.follow()
    for _ in range(15):
        here.clock.advance(1.0)
        here.beat("n1", mode=DRAINING)
        here.beat("n2")
    assert len(await here.look()) == 2


async def test_with_little_time_all_go_at_once(here: Fixture) -> None:
    here.seconds_left = 3.0
    here.beat("n1", mode=DRAINING)
    assert await here.look() == set(here.rooms)


async def test_another_replicas_node_is_left_to_it(here: Fixture) -> None:
    here.disown()
    here.beat("n1", mode=DRAINING)
    assert await here.look() == set()


async def test_with_nowhere_to_go_everybody_stays(here: Fixture) -> None:
    here.beat("n1", mode=DRAINING)
    here.beat("n2", mode=DRAINING)
    assert await here.look() == set()


async def test_a_hot_node_is_relieved_of_one_room(here: Fixture) -> None:
    gone: set[str] = set()
    for _ in range(int(HOT_SECONDS) + 2):
        here.beat("n1", stress=0.95)
        here.beat("n2", stress=0.2)
        gone = await here.look()
        here.clock.advance(1.0)
    assert len(gone) == 1


@pytest.mark.parametrize("error", [SalonError(Code.UNAVAILABLE, "not now"), ZeroDivisionError()])
async def test_a_move_that_fails_is_tried_again(
    here: Fixture, error: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bool:
        raise error

    here.beat("n1", mode=DRAINING)
    with monkeypatch.context() as patch:
        patch.setattr(here.writers, "submit", fail)
        assert await here.look() == set()
    assert "mov" in caplog.text
    assert len(await here.look()) == 1
