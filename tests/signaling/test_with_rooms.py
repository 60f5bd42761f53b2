"""Signaling over the real rooms service: rooms, links, people coming, writing, moving and going."""

import asyncio
import uuid

import grpc
import pytest
from google.protobuf.message import Message
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2
from salon_client.run.processes import ManagedProcess
from salon_common.errors import Code, SalonError
from signaling.world import ORIGIN, Person, World, people
from unit.signaling.fakes import ANSWER

pytestmark = pytest.mark.stack

NOT_FOR_CLIENTS = ("account", "invite_id", "place", "request_id")


@pytest.fixture
async def replica(world: World) -> ManagedProcess:
    await world.real_rooms()
    return await world.replica(1)


async def make_room(
    world: World, replica: ManagedProcess, maker: Person, capacity: int = 50
) -> signaling_pb2.CreateRoomResponse:
    request = signaling_pb2.CreateRoomRequest(
        app_token=world.keys.app_token("Ada"),
        request_id=uuid.uuid4().hex,
        title="Tea",
        settings=room_pb2.RoomSettings(capacity=capacity),
    )
    return await maker.stub_at(replica).CreateRoom(request)


def everybody_in(message: signaling_pb2.JoinResponse) -> list[room_pb2.Participant]:
    """Each participant that a message shows."""
    match message.WhichOneof("body"):
        case "welcome":
            return list(message.welcome.snapshot.participants)
        case "event" if message.event.HasField("participant_joined"):
            return [message.event.participant_joined.participant]
        case "event" if message.event.HasField("participant_changed"):
            return [message.event.participant_changed.participant]
        case _:
            return []


def fields_of(message: Message) -> set[str]:
    return {field.name for field, _ in message.ListFields()}


async def test_a_room_from_its_start_to_an_empty_chair(world: World, replica: ManagedProcess) -> None:
    async with people(1) as (maker,):
        made = await make_room(world, replica, maker)
    assert made.link == f"{ORIGIN}/r/{made.room.id}#{made.invite_secret}"
    async with (
        people(1, room_id=made.room.id, secret=made.host_secret) as (host,),
        people(1, room_id=made.room.id, secret=made.invite_secret) as (guest,),
    ):
        welcome = await host.join(replica, name="Ada")
        assert welcome.answer == ANSWER
        assert welcome.node_id in world.nodes
        assert [person.role for person in welcome.snapshot.participants] == [room_pb2.ROLE_HOST]
        seen = await guest.join(replica, name="Bo")
        assert {person.name for person in seen.snapshot.participants} == {"Ada", "Bo"}

        chat = signaling_pb2.SendChatRequest(request_id="r1", text="hello")
        sent = await guest.stub.SendChat(chat, metadata=guest.metadata)
        again = await guest.stub.SendChat(chat, metadata=guest.metadata)
        assert again.event_number == sent.event_number
        await asyncio.gather(host.read_until(sent.event_number), guest.read_until(sent.event_number))

        await guest.stub.Leave(signaling_pb2.LeaveRequest(), metadata=guest.metadata)
        gone = sent.event_number + 1
        await asyncio.gather(host.read_until(gone), guest.read_until(gone))
        with pytest.raises(EOFError):
            await guest.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await guest.stub.SendChat(chat, metadata=guest.metadata)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        for message in host.messages + guest.messages:
            for participant in everybody_in(message):
                assert not fields_of(participant) & set(NOT_FOR_CLIENTS)


async def test_a_full_room_says_so(world: World, replica: ManagedProcess) -> None:
    async with people(1) as (maker,):
        made = await make_room(world, replica, maker, capacity=1)
    async with people(2, room_id=made.room.id, secret=made.invite_secret) as (first, second):
        await first.join(replica)
        with pytest.raises(grpc.aio.AioRpcError, match="the room is full") as caught:
            await second.join(replica, name="Bo")
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_join_that_no_node_takes_leaves_the_place_free(world: World, replica: ManagedProcess) -> None:
    async with people(1) as (maker,):
        made = await make_room(world, replica, maker, capacity=1)
    draining = SalonError(Code.UNAVAILABLE, "draining")
    for node in world.nodes.values():
        node.script.failures["Admit"] = [draining, draining]
    async with people(2, room_id=made.room.id, secret=made.invite_secret) as (unlucky, lucky):
        with pytest.raises(grpc.aio.AioRpcError, match="no media node could take you in"):
            await unlucky.join(replica)
        for node in world.nodes.values():
            node.script.failures["Admit"].clear()
        await lucky.join(replica, name="Bo")


async def test_the_other_node_takes_over_a_join(world: World, replica: ManagedProcess) -> None:
    async with people(1) as (maker,):
        made = await make_room(world, replica, maker)
    async with people(1, room_id=made.room.id, secret=made.invite_secret) as (ada,):
        for node in world.nodes.values():
            node.script.gates["Admit"] = asyncio.Event()
        joining = asyncio.create_task(ada.join(replica))
        first = await first_asked(world)
        (other,) = set(world.nodes) - {first}
        world.nodes[other].script.gates["Admit"].set()
        welcome = await joining
        assert welcome.node_id == other
        assert world.nodes[other].script.of("Admit")[0].epoch == welcome.epoch


async def first_asked(world: World) -> str:
    asked = {asyncio.create_task(node.script.until("Admit")): name for name, node in world.nodes.items()}
    done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    return asked[done.pop()]


async def test_a_revoked_link_opens_nothing(world: World, replica: ManagedProcess) -> None:
    async with people(1) as (maker,):
        made = await make_room(world, replica, maker)
    async with (
        people(1, room_id=made.room.id, secret=made.host_secret) as (host,),
        people(1, room_id=made.room.id, secret=made.invite_secret) as (late,),
    ):
        await host.join(replica)
        revoke = signaling_pb2.RevokeInviteRequest(invite_id=made.invite_id)
        await host.stub.RevokeInvite(revoke, metadata=host.metadata)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await late.join(replica, name="Bo")
        assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
        invite = await host.stub.CreateInvite(
            signaling_pb2.CreateInviteRequest(label="Bo"), metadata=host.metadata
        )
        assert invite.link.startswith(f"{ORIGIN}/r/{made.room.id}#")


async def test_two_resumes_and_a_takeover_keep_one_log(world: World, replica: ManagedProcess) -> None:
    other = await world.replica(2)
    async with people(1) as (maker,):
        made = await make_room(world, replica, maker)
    async with people(2, room_id=made.room.id, secret=made.invite_secret) as (ada, bo):
        await ada.join(replica)
        await bo.join(replica, name="Bo")
        ada.vanish()
        numbers = [
            (
                await bo.stub.SendChat(
                    signaling_pb2.SendChatRequest(request_id=f"r{n}", text=f"{n}"), metadata=bo.metadata
                )
            ).event_number
            for n in range(3)
        ]
        welcome = await ada.join(other, offer="")
        assert not welcome.HasField("snapshot")
        await ada.read_until(numbers[-1])
        await bo.read_until(numbers[-1])
        tab = Person(room_id=made.room.id)
        tab.token, tab.last = ada.token, ada.last
        assert (await tab.join(replica)).participant_id == ada.participant_id
        await ada.read_until_kind("taken_over")
        with pytest.raises(EOFError):
            await ada.read()
        await tab.close()
