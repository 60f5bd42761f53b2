"""A room against scripted replicas: what it does when streams break, end, skip or refuse."""

from collections.abc import Sequence

import pytest
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2
from salon_client.events import Disconnected, Ended, Entered, Replaced, Waiting
from salon_client.room import Room
from salon_common.errors import Code, SalonError
from unit.client.fake_signaling import (
    HANG,
    FakeSignaling,
    Refuse,
    Response,
    Step,
    chat,
    left,
    resumed,
    welcome,
)

ROOM = ("local-" + "a" * 20, "S" * 22)
LOST = room_pb2.LEAVE_REASON_LOST
REMOVED = room_pb2.LEAVE_REASON_REMOVED


def room_at(*fakes: FakeSignaling) -> Room:
    return Room.join(ROOM, "Ada", signaling=[fake.address for fake in fakes], media=False)


def scripted(*scripts: Sequence[Step]) -> FakeSignaling:
    return FakeSignaling(list(scripts))


async def test_enters_by_the_link_and_leaves() -> None:
    async with scripted((welcome(last=4), chat(5), HANG)) as fake:
        async with room_at(fake) as room:
            await room.until(lambda room: room.state.last_event == 5)
            assert (room.me, room.node_id) == ("me", "node-1")
            assert await room.send_chat("hello") == 7
        assert room.ended == Ended("left")
    join = fake.joins[0]
    assert (join.room_id, join.invite_secret, join.name, join.offer) == (*ROOM, "Ada", "")
    assert [method for method, *_ in fake.calls] == ["SendChat", "Leave"]


async def test_broken_stream_resumes_after_the_last_event() -> None:
    first = (welcome(), chat(1), chat(2), Refuse(Code.UNAVAILABLE))
    async with scripted(first, (resumed(), chat(3), HANG)) as fake, room_at(fake) as room:
        news = room.events()
        await room.until(lambda room: room.state.last_event == 3)
        join = fake.joins[1]
        assert (join.session_token, join.last_event, join.invite_secret) == ("token-1", 2, "")
        assert room.state.log == [1, 2, 3]
    kinds = [type(each) for each in [each async for each in news]]
    assert kinds.index(Disconnected) < kinds.index(Entered)


async def test_stream_that_just_ends_is_resumed() -> None:
    async with scripted((welcome(),), (resumed(), chat(1), HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.state.last_event == 1)


async def test_hole_is_closed_by_resuming_before_it() -> None:
    first = (welcome(), chat(1), chat(3), HANG)
    async with scripted(first, (resumed(), chat(2), chat(3), HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.state.last_event == 3)
        assert fake.joins[1].last_event == 1
        assert room.state.log == [1, 2, 3]


async def test_repeated_events_are_taken_once() -> None:
    async with scripted((welcome(), chat(1), chat(1), chat(2), HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.state.last_event == 2)
        assert len(room.state.chat) == 2


async def test_what_is_no_longer_kept_comes_as_a_snapshot() -> None:
    snapshot = Response(snapshot=room_pb2.Snapshot(event_number=90))
    first = (welcome(), chat(1), Refuse(Code.UNAVAILABLE))
    async with scripted(first, (resumed(), snapshot, chat(91), HANG)) as fake, room_at(fake) as room:
        news = room.events()
        await room.until(lambda room: room.state.last_event == 91)
        assert room.state.snapshots == [0, 90]
    assert Replaced(90) in [each async for each in news]


async def test_next_replica_takes_over_from_one_that_is_gone() -> None:
    script = ((welcome(), HANG), (resumed(), HANG))
    async with scripted(*script) as one, scripted(*script) as two, room_at(one, two) as room:
        home, other = (one, two) if one.joins else (two, one)
        await home.server.stop(0)
        await room.until(lambda _room: bool(other.joins))
        assert other.joins[0].session_token == "token-1"


async def test_newest_token_is_used() -> None:
    renewed = Response(session_token=signaling_pb2.SessionToken(token="token-9"))
    async with scripted((welcome(), renewed, chat(1), HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.state.last_event == 1)
        await room.send_chat("hello")
        assert fake.calls[-1][2] == "Bearer token-9"


@pytest.mark.parametrize("code", [Code.NOT_FOUND, Code.UNAUTHENTICATED])
async def test_participant_that_is_gone_enters_anew(code: Code) -> None:
    scripts = ((welcome("old"), Refuse(Code.UNAVAILABLE)), (Refuse(code),), (welcome("new", "token-5"), HANG))
    async with scripted(*scripts) as fake, room_at(fake) as room:
        await room.until(lambda room: room.me == "new")
        assert fake.joins[2].invite_secret == ROOM[1]
        assert fake.joins[2].request_id != fake.joins[0].request_id


async def test_participant_taken_for_lost_enters_anew() -> None:
    first = (welcome("old"), left(1, "old", LOST), HANG)
    async with scripted(first, (welcome("new"), HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.me == "new")
        assert fake.joins[1].invite_secret == ROOM[1]


async def test_removed_participant_stays_out() -> None:
    async with scripted((welcome(), left(1, "me", REMOVED), HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.ended is not None)
        assert room.ended == Ended("out of the room: removed")
    assert len(fake.joins) == 1
    assert fake.calls == [], "there is nothing left to leave"


async def test_others_leaving_is_no_end() -> None:
    async with scripted((welcome(), left(1, "bob", LOST), chat(2), HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.state.last_event == 2)
        assert room.ended is None


async def test_end_of_the_room_is_the_end() -> None:
    over = Response(event=room_pb2.Event(number=1, room_ended=room_pb2.RoomEnded()))
    async with scripted((welcome(), over, HANG)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.ended is not None)
        assert room.ended == Ended("the room has ended")


async def test_second_client_takes_over() -> None:
    taken = Response(taken_over=signaling_pb2.TakenOver())
    async with scripted((welcome(), taken)) as fake, room_at(fake) as room:
        await room.until(lambda room: room.ended is not None)
        assert room.ended is not None
        assert "taken over" in room.ended.why
        assert len(fake.joins) == 1


async def test_waits_at_the_door() -> None:
    waiting = Response(waiting=signaling_pb2.Waiting())
    async with scripted((waiting, HANG)) as fake, room_at(fake) as room:
        assert room.at_door
        assert room.me == ""
        with pytest.raises(SalonError, match="not in the room yet"):
            await room.send_chat("let me in")


async def test_door_opens() -> None:
    waiting = Response(waiting=signaling_pb2.Waiting())
    async with scripted((waiting, welcome(), HANG)) as fake:
        room = room_at(fake)
        news = room.events()
        async with room:
            await room.until(lambda room: room.me == "me")
            assert not room.at_door
        assert [type(each) for each in [each async for each in news]][:3] == [Waiting, Replaced, Entered]


async def test_refused_join_says_why() -> None:
    async with scripted((Refuse(Code.RESOURCE_EXHAUSTED, "the room is full"),)) as fake:
        with pytest.raises(SalonError, match="the room is full") as caught:
            async with room_at(fake):
                raise AssertionError("not in")
    assert caught.value.code is Code.RESOURCE_EXHAUSTED


async def test_retried_join_is_the_same_request() -> None:
    async with scripted((Refuse(Code.UNAVAILABLE),), (welcome(), HANG)) as fake, room_at(fake):
        assert fake.joins[0].request_id == fake.joins[1].request_id


async def test_message_is_written_once_however_often_it_is_tried() -> None:
    async with scripted((welcome(), HANG)) as fake, room_at(fake) as room:
        fake.refuse_calls = [Refuse(Code.UNAVAILABLE)] * 2
        assert await room.send_chat("hello") == 7
        ids = {request.request_id for method, request, _ in fake.calls if method == "SendChat"}
        assert len(ids) == 1


async def test_message_that_is_refused_is_not_tried_again() -> None:
    async with scripted((welcome(), HANG)) as fake, room_at(fake) as room:
        fake.refuse_calls = [Refuse(Code.INVALID_ARGUMENT, "text: must be 1-2000 characters")]
        with pytest.raises(SalonError, match="1-2000"):
            await room.send_chat("")


async def test_what_others_are_told_is_brought_in_line() -> None:
    me = room_pb2.Participant(
        id="me", sources=[room_pb2.Source(kind=room_pb2.SOURCE_KIND_CAMERA, number=5, active=True)]
    )
    async with scripted((welcome("me", "token-1", 0, me), HANG)) as fake, room_at(fake) as room:
        assert await room.set_sources([]) == 8
        assert all(list(request.active) == [] for method, request, _ in fake.calls if method == "SetSources")


async def test_moves_are_followed_once_and_never_backwards() -> None:
    moves = [
        Response(moved=signaling_pb2.Moved(epoch=3, make_before_break=True)),
        Response(event=room_pb2.Event(number=1, participant_moved=moved_event("me", 3))),
        Response(moved=signaling_pb2.Moved(epoch=2)),
        Response(event=room_pb2.Event(number=2, participant_moved=moved_event("bob", 9))),
    ]
    first: Sequence[Step] = (welcome(), *moves, chat(3), HANG)
    second = (resumed(), HANG)
    async with scripted(first, second, second) as fake:
        room = Room.join(ROOM, "Ada", signaling=[fake.address])
        async with room:
            await room.until(lambda _room: len(fake.joins) == 2)
            assert all(join.offer for join in fake.joins)
            assert (fake.joins[1].epoch, fake.joins[1].session_token) == (3, "token-1")
            await room.until(lambda room: room.state.epoch == 3)
        assert len(fake.joins) == 2


def moved_event(participant: str, epoch: int) -> room_pb2.ParticipantMoved:
    return room_pb2.ParticipantMoved(participant_id=participant, epoch=epoch, make_before_break=True)


async def test_media_is_refused_in_a_room_without() -> None:
    async with scripted((welcome(), HANG)) as fake, room_at(fake) as room:
        with pytest.raises(SalonError, match="without media"):
            _ = room.media
