"""Rooms replicas in this process on a real NATS: what they promise together."""

import asyncio
import contextlib
from collections import Counter

import pytest
from nats.aio.client import Client
from rooms.region import Region, region, until
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from support.nats_server import NatsServer

pytestmark = pytest.mark.stack


async def preview(here: Region, made: rooms_pb2.CreateRoomResponse) -> int:
    request = rooms_pb2.PreviewRoomRequest(room_id=made.room.id, invite_secret=made.invite_secret)
    return (await here.stub.PreviewRoom(request)).occupancy


def codes(results: list[rooms_pb2.JoinResponse | BaseException]) -> Counter[str]:
    return Counter(r.message if isinstance(r, SalonError) else type(r).__name__ for r in results)


async def test_two_hundred_joins_at_once_through_two_replicas(nc: Client, nats_server: NatsServer) -> None:
    async with region(nc, nats_server.access("rooms")) as here, here.replica("r1"), here.replica("r2"):
        made = await here.create()
        results = await asyncio.gather(
            *(here.join(made, f"P{n}") for n in range(200)), return_exceptions=True
        )
        assert codes(results) == {"JoinResponse": 50, "the room is full": 150}
        assert {r.code for r in results if isinstance(r, SalonError)} == {Code.RESOURCE_EXHAUSTED}
        assert await preview(here, made) == 50
        await until(lambda: len(here.live[made.room.id]) == 51)
        assert [event.number for event in here.live[made.room.id]] == list(range(1, 52))


async def test_joins_go_on_when_a_replica_stops(nc: Client, nats_server: NatsServer) -> None:
    async with region(nc, nats_server.access("rooms")) as here, here.replica("r1"):
        made = await here.create()
        async with contextlib.AsyncExitStack() as second:
            await second.enter_async_context(here.replica("r2"))
            joins = asyncio.gather(*(here.join(made, f"P{n}") for n in range(200)), return_exceptions=True)
            await asyncio.sleep(0)
            await second.aclose()
            assert codes(await joins) == {"JoinResponse": 50, "the room is full": 150}
        assert await preview(here, made) == 50


async def test_retries_at_any_replica_are_the_same(nc: Client, nats_server: NatsServer) -> None:
    async with region(nc, nats_server.access("rooms")) as here, here.replica("r1"), here.replica("r2"):
        request = rooms_pb2.CreateRoomRequest(
            request_id="same", owner=room_pb2.Account(app="demo", subject="x")
        )
        rooms = await asyncio.gather(*(here.stub.CreateRoom(request) for _ in range(10)))
        assert len({room.SerializeToString() for room in rooms}) == 1
        joins = await asyncio.gather(*(here.join(rooms[0], "Ada", request_id="j") for _ in range(10)))
        assert len({joined.participant.id for joined in joins}) == 1
        ada = joins[0].participant.id
        numbers = await asyncio.gather(*(here.chat(rooms[0].room.id, ada, "hi", "c") for _ in range(10)))
        assert len(set(numbers)) == 1
        assert await preview(here, rooms[0]) == 1


async def test_what_was_missed_is_told_and_later_a_snapshot(nc: Client, nats_server: NatsServer) -> None:
    async with region(nc, nats_server.access("rooms"), event_ttl=1) as here, here.replica("r1"):
        made = await here.create()
        ada = (await here.join(made, "Ada")).participant.id
        number = await here.chat(made.room.id, ada, "hello")
        replayed = await here.stub.Replay(rooms_pb2.ReplayRequest(room_id=made.room.id, after=1))
        assert [event.number for event in replayed.events] == list(range(2, number + 1))
        assert [event.number for event in here.live[made.room.id]] == list(range(1, number + 1))
        async with asyncio.timeout(10):
            while replayed.events:
                await asyncio.sleep(0.1)
                replayed = await here.stub.Replay(rooms_pb2.ReplayRequest(room_id=made.room.id, after=1))
        assert replayed.snapshot.event_number == number
        assert [p.name for p in replayed.snapshot.participants] == ["Ada"]
        assert not replayed.more
        with pytest.raises(SalonError, match="no such room") as error:
            await here.stub.Replay(rooms_pb2.ReplayRequest(room_id="local-" + "z" * 20, after=1))
        assert error.value.code is Code.NOT_FOUND


async def test_the_connected_become_present_and_the_gone_are_lost(
    nc: Client, nats_server: NatsServer
) -> None:
    async with region(nc, nats_server.access("rooms")) as here, here.replica("r1"), here.replica("r2"):
        made = await here.create()
        ada, bob = (await here.join(made, "Ada")).participant, (await here.join(made, "Bob")).participant
        for participant in (ada, bob):
            await here.vouch(participant.place.node_id, participant, made.room.id)
        await until(lambda: len(here.live[made.room.id]) == 5, seconds=1.0)
        changed = [e.participant_changed.participant for e in here.live[made.room.id][3:]]
        assert {p.id for p in changed} == {ada.id, bob.id}
        assert {p.state for p in changed} == {room_pb2.PARTICIPANT_STATE_PRESENT}

        async def vouch_for_bob() -> None:
            while True:
                await here.vouch(bob.place.node_id, bob, made.room.id)
                await asyncio.sleep(1.0)

        vouching = asyncio.create_task(vouch_for_bob())
        await here.vouch(ada.place.node_id, ada, made.room.id, gone=True)
        await until(lambda: len(here.live[made.room.id]) == 6, seconds=16.0)
        lost = here.live[made.room.id][-1].participant_left
        assert (lost.participant_id, lost.reason) == (ada.id, room_pb2.LEAVE_REASON_LOST)
        assert await preview(here, made) == 1
        vouching.cancel()
        await asyncio.gather(vouching, return_exceptions=True)


async def test_a_dead_node_is_left_and_everybody_told(nc: Client, nats_server: NatsServer) -> None:
    async with region(nc, nats_server.access("rooms")) as here, here.replica("r1"), here.replica("r2"):
        made = await here.create()
        people = [(await here.join(made, f"P{n}")).participant for n in range(3)]
        dead = people[0].place.node_id
        here.beating.remove(dead)
        request = rooms_pb2.ReplaceRequest(
            room_id=made.room.id, participant_id=people[1].id, failed=people[1].place
        )
        place = people[1].place
        async with asyncio.timeout(10):
            while place.node_id == dead:
                place = (await here.stub.Replace(request)).place
        assert place.epoch == 2
        assert (await here.stub.Replace(request)).place == place
        await until(lambda: len(here.live[made.room.id]) == 7)
        moved = [e.participant_moved for e in here.live[made.room.id] if e.HasField("participant_moved")]
        assert {m.participant_id for m in moved} == {people[0].id, people[2].id}


async def test_nothing_acknowledged_is_lost_when_nats_restarts(nc: Client, nats_server: NatsServer) -> None:
    async with region(nc, nats_server.access("rooms")) as here, here.replica("r1"), here.replica("r2"):
        made = await here.create()
        ada = (await here.join(made, "Ada")).participant.id
        numbers: dict[str, int] = {}

        async def write(text: str) -> None:
            while text not in numbers:
                try:
                    numbers[text] = await here.chat(made.room.id, ada, text, text)
                except SalonError as error:
                    assert error.code in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED)  # noqa: PT017 - or none
                    await asyncio.sleep(0.05)

        async def write_all() -> None:
            for first in range(0, 100, 5):
                await asyncio.gather(*(write(f"m{n}") for n in range(first, first + 5)))

        writing = asyncio.create_task(write_all())
        await until(lambda: len(numbers) >= 20)
        nats_server.kill()
        await asyncio.sleep(0.3)
        nats_server.start()
        async with asyncio.timeout(30):
            await writing
        replayed: list[room_pb2.Event] = []
        more = True
        while more:
            request = rooms_pb2.ReplayRequest(room_id=made.room.id, after=len(replayed))
            page = await here.stub.Replay(request)
            replayed += page.events
            more = page.more
        assert [event.number for event in replayed] == list(range(1, len(replayed) + 1))
        stored = {event.chat.text: event.number for event in replayed if event.HasField("chat")}
        assert stored == numbers
        assert len(replayed) == 102
