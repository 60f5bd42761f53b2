"""What is asked twice, what once, and in which words failures are told."""

import asyncio

import pytest
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_signaling import rooms_client
from salon_signaling.rooms_client import RoomsClient
from unit.signaling.fakes import ROOM, FakeNats, FakeRooms, LocalChannel

AWAY = SalonError(Code.UNAVAILABLE, "rpc.local.rooms.SendChat: nobody serves this now")


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> FakeRooms:
    monkeypatch.setattr(rooms_client, "RETRY_PAUSE", 0)
    return FakeRooms(FakeNats().publish)


@pytest.fixture
def client(rooms: FakeRooms) -> RoomsClient:
    return RoomsClient(lambda _region: LocalChannel(rooms).channel(), region="local", timeout=0.05)


async def test_a_chat_is_retried_once_with_the_same_request_id(client: RoomsClient, rooms: FakeRooms) -> None:
    rooms.participants["p"] = room_pb2.Participant(id="p")
    rooms.script.failures["SendChat"] = [AWAY]
    request = rooms_pb2.SendChatRequest(room_id=ROOM, participant_id="p", request_id="r", text="hello")
    assert (await client.send_chat(request)).event_number == 1
    assert rooms.script.of("SendChat") == [request, request]


async def test_two_failures_are_unavailable(client: RoomsClient, rooms: FakeRooms) -> None:
    rooms.script.failures["SendChat"] = [AWAY, SalonError(Code.ABORTED, "lost a race too often")]
    with pytest.raises(SalonError, match="Salon cannot answer now: try again") as caught:
        await client.send_chat(rooms_pb2.SendChatRequest(room_id=ROOM))
    assert caught.value.code == Code.UNAVAILABLE


async def test_silence_is_unavailable_too(client: RoomsClient, rooms: FakeRooms) -> None:
    rooms.script.gates["Leave"] = asyncio.Event()
    with pytest.raises(SalonError, match="try again") as caught:
        await client.leave(rooms_pb2.LeaveRequest(room_id=ROOM))
    assert caught.value.code == Code.UNAVAILABLE


async def test_refusals_are_passed_on_at_once(client: RoomsClient, rooms: FakeRooms) -> None:
    rooms.script.failures["Join"] = [SalonError(Code.RESOURCE_EXHAUSTED, "the room is full")]
    with pytest.raises(SalonError, match="the room is full"):
        await client.join(rooms_pb2.JoinRequest(room_id=ROOM))
    assert len(rooms.script.calls) == 1


async def test_what_would_happen_twice_is_asked_once(client: RoomsClient, rooms: FakeRooms) -> None:
    rooms.script.failures["CreateInvite"] = [AWAY]
    rooms.script.failures["Replay"] = [AWAY]
    with pytest.raises(SalonError):
        await client.create_invite(rooms_pb2.CreateInviteRequest(room_id=ROOM))
    with pytest.raises(SalonError):
        await client.replay(rooms_pb2.ReplayRequest(room_id=ROOM))
    assert len(rooms.script.calls) == 2


async def test_an_unknown_region_has_no_rooms(client: RoomsClient, rooms: FakeRooms) -> None:
    with pytest.raises(SalonError, match="no such room") as caught:
        await client.preview(rooms_pb2.PreviewRoomRequest(room_id="mars-" + "a" * 20))
    assert caught.value.code == Code.NOT_FOUND
    assert not rooms.script.calls


async def test_two_tries_take_no_longer_than_one_call_may(client: RoomsClient, rooms: FakeRooms) -> None:
    rooms.script.gates["Join"] = asyncio.Event()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(SalonError, match="try again"):
        await client.join(rooms_pb2.JoinRequest(room_id=ROOM))
    assert 0.045 <= loop.time() - began < 0.1
    assert len(rooms.script.calls) == 2
