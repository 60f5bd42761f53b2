"""Streams that miss the same ask once."""

import asyncio

import pytest
from salon_common.errors import Code, SalonError
from salon_signaling.replays import SharedReplays
from salon_signaling.rooms_client import RoomsClient
from unit.signaling.fakes import ROOM, FakeNats, FakeRooms, LocalChannel


@pytest.fixture
def rooms() -> FakeRooms:
    return FakeRooms(FakeNats().publish)


@pytest.fixture
def replays(rooms: FakeRooms) -> SharedReplays:
    return SharedReplays(RoomsClient(lambda _region: LocalChannel(rooms).channel(), region="local"))


async def test_the_same_question_is_asked_once(replays: SharedReplays, rooms: FakeRooms) -> None:
    answers = await asyncio.gather(*(replays.replay(ROOM, 0) for _ in range(5)), replays.replay(ROOM, 1))
    assert len(answers) == 6
    assert len(rooms.script.of("Replay")) == 2
    await replays.replay(ROOM, 0)
    assert len(rooms.script.of("Replay")) == 3


async def test_after_a_reconnect_earlier_answers_are_too_old(
    replays: SharedReplays, rooms: FakeRooms
) -> None:
    gate = rooms.script.gates["Replay"] = asyncio.Event()
    before = asyncio.create_task(replays.replay(ROOM, 0))
    await asyncio.sleep(0)
    replays.handle_reconnected()
    after = asyncio.create_task(replays.replay(ROOM, 0))
    await rooms.script.until("Replay", 2)
    gate.set()
    await asyncio.gather(before, after)


async def test_one_who_goes_away_takes_nothing_from_the_others(
    replays: SharedReplays, rooms: FakeRooms
) -> None:
    gate = rooms.script.gates["Replay"] = asyncio.Event()
    leaving, staying = [asyncio.create_task(replays.replay(ROOM, 0)) for _ in range(2)]
    await asyncio.sleep(0)
    leaving.cancel()
    gate.set()
    assert (await staying).events == []


async def test_failures_are_everybodys(replays: SharedReplays, rooms: FakeRooms) -> None:
    rooms.script.failures["Replay"] = [SalonError(Code.NOT_FOUND, "no such room")]
    outcomes = await asyncio.gather(*(replays.replay(ROOM, 0) for _ in range(2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [SalonError, SalonError]
