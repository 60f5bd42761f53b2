"""Streams of real replicas on a real NATS: what is killed, cut off or lost leaves no hole in anybody's log."""

import asyncio
import signal
import time

import grpc
import pytest
from salon.rooms.v1 import presence_pb2, room_pb2
from salon.signaling.v1 import signaling_pb2
from signaling.world import World, people

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def fake_rooms(world: World) -> None:
    await world.fake_rooms()


async def test_a_killed_replicas_clients_resume_elsewhere_and_miss_nothing(world: World) -> None:
    first, second = await asyncio.gather(world.replica(1), world.replica(2))
    async with people(1) as (ada,):
        await ada.join(first)
        await ada.read_until(await world.chat("before"))
        await first.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await ada.read()
        for number in range(20):
            await world.chat(f"while away {number}")
        welcome = await ada.join(second, offer="")
        assert not welcome.HasField("snapshot")
        await ada.read_until(await world.chat("after"))
        assert ada.numbers == list(range(2, len(world.rooms.log) + 1))


async def test_events_lost_while_nats_restarts_are_replayed(world: World) -> None:
    replica = await world.replica(1)
    async with people(2) as (ada, bo):
        await ada.join(replica)
        await bo.join(replica)
        await ada.read_until(bo.last)
        world.server.kill()
        world.lossy = True
        for number in range(5):
            await world.chat(f"unheard {number}")
        world.server.start()
        await asyncio.gather(*(person.read_until(len(world.rooms.log)) for person in (ada, bo)))
        world.lossy = False
        heard = await world.chat("heard")
        await asyncio.gather(*(person.read_until(heard) for person in (ada, bo)))
        assert "snapshot" not in ada.bodies + bo.bodies
    assert len(world.rooms.script.of("Replay")) <= 3, "streams of a room share a replay"


async def test_a_lost_event_is_asked_for_when_the_next_one_comes(world: World) -> None:
    replica = await world.replica(1)
    async with people(1) as (ada,):
        await ada.join(replica)
        world.lossy = True
        await world.chat("lost")
        world.lossy = False
        await ada.read_until(await world.chat("heard"))
        assert ada.numbers == [2, 3]


async def test_what_is_no_longer_kept_is_replaced_by_a_snapshot(world: World) -> None:
    replica = await world.replica(1)
    async with people(1) as (ada,):
        await ada.join(replica)
        ada.vanish()
        for number in range(5):
            await world.chat(f"forgotten {number}")
        world.rooms.kept_from = len(world.rooms.log) + 1
        await ada.join(replica, offer="")
        assert (await ada.read()).snapshot.event_number == len(world.rooms.log)
        await ada.read_until(await world.chat("kept"))


async def test_a_second_tab_takes_over_at_another_replica(world: World) -> None:
    first, second = await asyncio.gather(world.replica(1), world.replica(2))
    async with people(2) as (old, new):
        await old.join(first)
        new.token = old.token
        await new.join(second)
        assert new.participant_id == old.participant_id
        assert (await old.read()).WhichOneof("body") == "taken_over"
        with pytest.raises(EOFError):
            await old.read()
        assert await old.status() == grpc.StatusCode.OK
        await new.read_until(await world.chat("still here"))


async def test_leaving_ends_the_stream_by_its_event(world: World) -> None:
    replica = await world.replica(1)
    async with people(2) as (ada, bo):
        await ada.join(replica)
        await bo.join(replica, name="Bo")
        await ada.stub.Leave(signaling_pb2.LeaveRequest(), metadata=ada.metadata)
        gone = len(world.rooms.log)
        await asyncio.gather(ada.read_until(gone), bo.read_until(gone))
        with pytest.raises(EOFError):
            await ada.read()
        assert await ada.status() == grpc.StatusCode.OK
        with pytest.raises(grpc.aio.AioRpcError, match="no such participant"):
            await ada.stub.SendChat(
                signaling_pb2.SendChatRequest(request_id="r", text="ghost"), metadata=ada.metadata
            )


async def test_a_replica_that_stops_sends_its_people_elsewhere_and_ends(world: World) -> None:
    replica = await world.replica(1)
    async with people(1) as (ada,):
        await ada.join(replica)
        replica.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.aio.AioRpcError, match="restarting: resume elsewhere") as caught:
            await ada.read()
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        async with asyncio.timeout(5):
            assert await replica.wait() == 0
    assert ada.participant_id in world.rooms.participants


async def test_whoever_has_a_stream_is_vouched_for_until_it_ends(world: World) -> None:
    replica = await world.replica(1)
    async with people(1) as (ada,):
        await ada.join(replica)
        await world.until_reported(ada.participant_id, presence_pb2.PRESENCE_STATUS_EXPECTED)
        ada.vanish()
        await world.until_reported(ada.participant_id, presence_pb2.PRESENCE_STATUS_GONE)


async def test_a_caller_who_gives_up_while_joining_leaves_no_reservation(world: World) -> None:
    replica = await world.replica(1)
    for node in world.nodes.values():
        node.script.gates["Admit"] = asyncio.Event()
    async with people(1) as (ada,):
        joining = asyncio.create_task(ada.join(replica))
        await world.nodes["node-1"].script.until("Admit")
        ada.vanish()
        with pytest.raises(asyncio.CancelledError):
            await joining
        await world.rooms.script.until("Leave")
    assert world.rooms.script.of("Leave")[0].reason == room_pb2.LEAVE_REASON_LEFT


async def test_tokens_are_renewed_and_silence_is_filled(world: World) -> None:
    replica = await world.replica(1, token_lifetime="10", keepalive="0.2")
    async with people(1) as (ada,):
        await ada.join(replica)
        before = ada.token
        assert (await ada.read(timeout=8)).WhichOneof("body") == "session_token"
        assert ada.token != before
        assert "keepalive" in ada.bodies


async def test_while_nats_is_away_calls_fail_at_once_and_streams_stay_open(world: World) -> None:
    replica = await world.replica(1, token_lifetime="10")
    async with people(3) as (ada, bo, cy):
        await ada.join(replica)
        await bo.join(replica, name="Bo")
        bo.vanish()
        world.server.kill()
        for person in (cy, bo):
            began = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError, match="Salon cannot answer now: try again") as caught:
                await person.join(replica)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
            # A call that was under way when NATS went waits for its own time; a later one for nothing.
            assert time.monotonic() - began < 1.5
        request = signaling_pb2.SendChatRequest(request_id="r", text="into the void")
        with pytest.raises(grpc.aio.AioRpcError, match="Salon cannot answer now: try again"):
            await ada.stub.SendChat(request, metadata=ada.metadata)
        before = ada.token
        await ada.read_until_kind("session_token")
        assert ada.token != before
        world.server.start()
        await ada.read_until(await world.chat("back"))
        assert "snapshot" not in ada.bodies
        await bo.join(replica)
