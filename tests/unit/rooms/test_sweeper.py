"""The sweep over the simulated store, in simulated time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2
from salon_common.clock import ManualClock
from salon_rooms import sweeper
from salon_rooms.core.entering import Join
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.presence import LEASE, HeardParticipant, PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.room import Removal
from salon_rooms.feed import Feed
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.store import StoreUnavailable
from salon_rooms.sweeper import Sweeper
from salon_rooms.writer import Writers
from unit.rooms.kit import ROOM_ID, beat, create_command, random_bytes


class Fixture:
    def __init__(self) -> None:
        self.fail = False
        self.clock = ManualClock()
        self.store = SimulatedStore(on_call=self.on_call)
        self.nodes = Directory(0.0)
        self.tracker = PresenceTracker(0.0)
        self.replicas = Replicas("r1")
        self.writers = Writers(self.store, self.nodes, self.clock)
        self.removals: list[Removal] = []
        self.swept = 0
        self.sweeper = Sweeper(
            Feed(self.store, self.tracker, self.clock),
            self.writers,
            self.tracker,
            self.nodes,
            self.replicas,
            self.clock,
            self.removals.append,
            self.on_swept,
        )
        self.beats = 0

    def on_swept(self) -> None:
        self.swept += 1

    async def on_call(self, call: str, room_id: str) -> None:
        if self.fail:
            raise StoreUnavailable

    async def join(self, name: str = "Ada") -> room_pb2.Participant:
        self.nodes.handle_beat(beat("n1"), self.clock.now())
        made = await self.writers.submit(ROOM_ID, create_command())
        request = rooms_pb2.JoinRequest(
            room_id=ROOM_ID, request_id=name, invite_secret=made.invite_secret, name=name, wants_media=True
        )
        return (await self.writers.submit(ROOM_ID, Join(request, random_bytes(18)))).participant

    async def pass_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.beats += 1
            self.clock.advance(1.0)
            self.nodes.handle_beat(beat("n1", sequence=self.beats + 1), self.clock.now())
            await self.sweeper.sweep()
            await self.sweeper.close()

    def state(self) -> dict[str, room_pb2.Participant]:
        room = self.store.read(ROOM_ID).room
        assert room is not None
        return dict(room.participants)


@pytest.fixture
async def here() -> AsyncIterator[Fixture]:
    made = Fixture()
    yield made
    await made.writers.close()


def heard(participant: room_pb2.Participant, node: str = "n1") -> HeardParticipant:
    return HeardParticipant(ROOM_ID, participant.id, participant.session_number, NodeRef(node, "b1"))


async def test_the_lost_are_taken_out_and_watched_no_more(here: Fixture) -> None:
    ada = await here.join()
    await here.pass_seconds(1)
    assert len(here.tracker) == 1
    await here.pass_seconds(LEASE - 1)
    assert ada.id in here.state()
    await here.pass_seconds(1)
    assert here.state() == {}
    assert len(here.tracker) == 0


async def test_another_replicas_share_is_left_to_it(here: Fixture) -> None:
    await here.join()
    owner = next(f"r{n}" for n in range(2, 50) if not _owns("r1", f"r{n}"))
    for _ in range(int(2 * LEASE)):
        here.replicas.handle_beat(presence_pb2.ReplicaHeartbeat(replica_id=owner), here.clock.now())
        await here.pass_seconds(1)
        here.sweeper.look_into([heard(next(iter(here.state().values())), "n9")])
        await here.sweeper.close()
    assert len(here.state()) == 1
    assert here.removals == []
    await here.pass_seconds(5)
    assert here.state() == {}


def _owns(own: str, other: str) -> bool:
    replicas = Replicas(own)
    replicas.handle_beat(presence_pb2.ReplicaHeartbeat(replica_id=other), 0.0)
    return replicas.is_own(ROOM_ID, 0.0)


async def test_the_heard_become_present(here: Fixture) -> None:
    ada = await here.join()
    here.sweeper.look_into([heard(ada), heard(ada)])
    await here.sweeper.close()
    assert here.state()[ada.id].state == room_pb2.PARTICIPANT_STATE_PRESENT
    assert here.removals == []


async def test_a_node_is_told_whom_it_should_not_have(here: Fixture) -> None:
    ada = await here.join()
    here.sweeper.look_into([heard(ada, "n9"), HeardParticipant(ROOM_ID, "z" * 16, 3, NodeRef("n1", "b1"))])
    await here.sweeper.close()
    assert here.removals == [Removal("n9", ROOM_ID, ada.id, 1), Removal("n1", ROOM_ID, "z" * 16, 3)]


async def test_without_the_store_nobody_is_judged_until_a_lease_after_it_is_back(here: Fixture) -> None:
    await here.join()
    await here.pass_seconds(LEASE - 1)
    here.fail = True
    swept = here.swept
    await here.pass_seconds(LEASE)
    assert here.swept == swept, "nobody looks at what could not be read"
    here.fail = False
    await here.pass_seconds(LEASE - 1)
    assert len(here.state()) == 1
    await here.pass_seconds(2)
    assert here.state() == {}


async def test_a_failing_sweep_does_not_end_sweeping(here: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "TICK_SECONDS", 0.0)
    sweeps: list[int] = []
    twice = asyncio.Event()

    async def fail() -> None:
        sweeps.append(1)
        if len(sweeps) == 2:
            twice.set()
        raise ZeroDivisionError

    monkeypatch.setattr(here.sweeper, "sweep", fail)
    running = asyncio.create_task(here.sweeper.run())
    async with asyncio.timeout(5):
        await twice.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_participants_fault_is_not_the_others(here: Fixture) -> None:
    ada, bob = await here.join("Ada"), await here.join("Bob")

    def fail_once(removal: Removal) -> None:
        here.removals.append(removal)
        if len(here.removals) == 1:
            raise ZeroDivisionError

    here.sweeper._remove = fail_once
    here.sweeper.look_into([heard(ada, "n9"), heard(bob, "n9")])
    await here.sweeper.close()
    assert len(here.removals) == 2
