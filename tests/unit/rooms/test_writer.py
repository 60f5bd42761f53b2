"""A room's writer over the simulated store: batches, conflicts, silence, limits and its end."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from prometheus_client import REGISTRY
from salon.rooms.v1 import rooms_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_rooms import writer as writer_module
from salon_rooms.core.entering import Join
from salon_rooms.core.making import PreviewRoom
from salon_rooms.core.placement import Directory
from salon_rooms.core.room import Change
from salon_rooms.core.staying import Leave, SendChat
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.store import StoreConflict, StoreUnavailable, StoreUnheard
from salon_rooms.writer import Writers
from unit.rooms.kit import ROOM_ID, beat, create_command, random_bytes


class Happening:
    """What befalls the store's calls: each `plan` entry is for the next call of its kind."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.plan: dict[str, list[Exception]] = {}
        self.gate: asyncio.Event | None = None

    async def __call__(self, call: str, room_id: str) -> None:
        self.calls[call] += 1
        if self.gate:
            await self.gate.wait()
        await asyncio.sleep(0)
        if waiting := self.plan.get(call):
            raise waiting.pop(0)


class Bench:
    """Replicas that share a store."""

    def __init__(self) -> None:
        self.happening = Happening()
        self.store = SimulatedStore(on_call=self.happening)
        self.clock = ManualClock()
        self.nodes = Directory(0.0)
        self.nodes.handle_beat(beat("n1"), 0.0)
        self.committed: list[Change] = []
        self.replicas = [self.replica(), self.replica()]
        self.secret = ""

    def replica(self) -> Writers:
        return Writers(self.store, self.nodes, self.clock, self.committed.append)

    async def create(self, **settings: Any) -> None:
        self.secret = (await self.replicas[0].submit(ROOM_ID, create_command(**settings))).invite_secret

    async def join(self, number: int) -> rooms_pb2.JoinResponse:
        request = rooms_pb2.JoinRequest(
            room_id=ROOM_ID,
            request_id=f"r{number}",
            invite_secret=self.secret,
            name=f"P{number}",
            wants_media=True,
        )
        return await self.replicas[number % 2].submit(ROOM_ID, Join(request, random_bytes(18)))

    async def chat(self, participant_id: str, request_id: str = "c") -> int:
        request = rooms_pb2.SendChatRequest(
            room_id=ROOM_ID, participant_id=participant_id, request_id=request_id, text="x"
        )
        return (await self.replicas[0].submit(ROOM_ID, SendChat(request))).event_number

    async def occupancy(self, replica: int) -> int:
        request = rooms_pb2.PreviewRoomRequest(room_id=ROOM_ID, invite_secret=self.secret)
        return (await self.replicas[replica].submit(ROOM_ID, PreviewRoom(request))).occupancy

    async def close(self) -> None:
        await asyncio.gather(*(replica.close() for replica in self.replicas))


async def test_two_hundred_joins_take_few_writes() -> None:
    bench = Bench()
    await bench.create()
    results = await asyncio.gather(*(bench.join(n) for n in range(200)), return_exceptions=True)
    assert Counter(type(r).__name__ for r in results) == {"JoinResponse": 50, "SalonError": 150}
    assert bench.happening.calls["commit"] <= 6
    assert sum(len(change.sent) for change in bench.committed) == 50
    await bench.close()


async def test_a_room_not_looked_at_for_a_while_is_read_before_it_is_written() -> None:
    bench = Bench()
    await bench.create()
    for number in range(6):
        bench.clock.advance(2 * writer_module.FRESH_SECONDS)
        await bench.join(number)
    assert bench.happening.calls["commit"] == 7, "no write was lost to what the other replica had written"
    await bench.close()


async def test_what_another_replica_wrote_is_seen_by_answers_that_write_nothing() -> None:
    bench = Bench()
    await bench.create(capacity=1)
    first = (await bench.join(0)).participant
    with pytest.raises(SalonError, match="full"):
        await bench.join(1)
    await bench.replicas[0].submit(
        ROOM_ID, Leave(rooms_pb2.LeaveRequest(room_id=ROOM_ID, participant_id=first.id))
    )
    assert await bench.occupancy(1) == 0
    await bench.join(1)
    assert await bench.occupancy(0) == 1
    await bench.close()


@pytest.mark.parametrize("lost", ["commit", "committed"])
async def test_a_write_without_an_answer_happens_once(lost: str) -> None:
    bench = Bench()
    await bench.create()
    ada = (await bench.join(0)).participant
    bench.happening.plan = {lost: [StoreUnheard()]}
    number = await bench.chat(ada.id)
    assert number == await bench.chat(ada.id)
    room = bench.store.read(ROOM_ID).room
    assert room is not None
    assert room.head.last_event == number
    assert [len(c.events) for c in bench.committed if c.events and c.events[-1].HasField("chat")] == [1]
    await bench.close()


async def test_conflicts_and_refusals_are_tried_again() -> None:
    bench = Bench()
    await bench.create()
    bench.happening.plan = {
        "commit": [StoreConflict(), StoreUnavailable(), StoreConflict()],
        "load": [StoreUnavailable()],
    }
    assert (await bench.join(0)).participant.name == "P0"
    assert bench.happening.plan == {"commit": [], "load": []}
    await bench.close()


async def test_a_store_that_never_answers_is_said_to_be_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WAIT_SECONDS", 0.05)
    bench = Bench()
    await bench.create()
    bench.happening.gate = asyncio.Event()
    with pytest.raises(SalonError, match="did not answer in time") as error:
        await bench.join(0)
    assert error.value.code is Code.UNAVAILABLE
    bench.happening.gate.set()
    assert (await bench.join(0)).participant.name == "P0"
    await bench.close()


async def test_too_many_waiting_commands_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_WAITING", 3)
    bench = Bench()
    await bench.create()
    bench.happening.gate = asyncio.Event()
    joins = [asyncio.create_task(bench.join(2 * n)) for n in range(5)]
    await asyncio.sleep(0.01)
    refused = [task for task in joins if task.done()]
    assert [str(task.exception()) for task in refused] == [
        "too many changes to this room wait: try again in a moment"
    ] * 2
    bench.happening.gate.set()
    await asyncio.gather(*(task for task in joins if task not in refused))
    await bench.close()


async def test_too_many_rooms_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_WRITERS", 1)
    bench = Bench()
    await bench.create()
    with pytest.raises(SalonError, match="too many rooms"):
        await bench.replicas[0].submit("other", create_command())
    await bench.close()


async def test_a_session_that_no_node_takes_is_counted() -> None:
    bench = Bench()
    await bench.create()
    bench.nodes = Directory(0.0)
    bench.replicas = [bench.replica(), bench.replica()]
    labels = {"result": "none"}
    before = REGISTRY.get_sample_value("salon_rooms_placements_total", labels)
    assert before is not None
    with pytest.raises(SalonError, match="no media node"):
        await bench.join(1)
    assert REGISTRY.get_sample_value("salon_rooms_placements_total", labels) == before + 1
    await bench.close()


async def test_an_idle_writer_ends_and_the_next_command_starts_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer_module, "IDLE_SECONDS", 0.01)
    bench = Bench()
    await bench.create()
    while bench.replicas[0]._writers:  # noqa: ASYNC110 - nothing tells of a writer's end
        await asyncio.sleep(0.005)
    assert (await bench.join(0)).snapshot.event_number == 2
    await bench.close()


async def test_closing_finishes_what_waits_and_takes_nothing_more() -> None:
    bench = Bench()
    await bench.create()
    bench.happening.gate = asyncio.Event()
    joins = [asyncio.create_task(bench.join(n)) for n in range(10)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(bench.close())
    await asyncio.sleep(0.01)
    with pytest.raises(SalonError, match="stopping") as error:
        await bench.join(99)
    assert error.value.code is Code.UNAVAILABLE
    bench.happening.gate.set()
    assert len(await asyncio.gather(*joins)) == 10
    await closing


async def test_who_gave_up_is_not_written() -> None:
    bench = Bench()
    await bench.create()
    bench.happening.gate = asyncio.Event()
    first, second = asyncio.create_task(bench.join(0)), asyncio.create_task(bench.join(2))
    await asyncio.sleep(0.01)
    late = asyncio.create_task(bench.join(4))
    await asyncio.sleep(0)
    late.cancel()
    second.cancel()
    bench.happening.gate.set()
    await first
    assert await bench.occupancy(0) in (1, 2)
    room = bench.store.read(ROOM_ID).room
    assert room is not None
    assert "P4" not in {p.name for p in room.participants.values()}
    await bench.close()


async def test_a_bug_in_a_turn_is_told_and_the_writer_lives() -> None:
    bench = Bench()
    await bench.create()
    bench.happening.plan = {"commit": [ZeroDivisionError("bug")]}
    with pytest.raises(ZeroDivisionError):
        await bench.join(0)
    await bench.join(0)
    await bench.close()
