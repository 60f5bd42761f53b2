"""Nodes that die, are drained or cordoned, on a real NATS: where their rooms go, how fast, and who is told what."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from nats.aio.client import Client
from rooms.fake_node import FakeNode, fake_node
from rooms.region import Region, region, until
from salon.rooms.v1 import nodes_pb2, nodes_pb2_grpc, presence_pb2, room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.rpc import NatsChannel
from support.nats_server import NatsServer

pytestmark = pytest.mark.stack

ACTIVE, CORDONED = presence_pb2.NODE_MODE_ACTIVE, presence_pb2.NODE_MODE_CORDONED
DRAINING = presence_pb2.NODE_MODE_DRAINING


@pytest.fixture
def nats_server() -> Iterator[NatsServer]:
    """A server for each test: rooms that another one left behind would be moved too."""
    with NatsServer() as server:
        yield server


class Town:
    """A region with rooms full of people, who follow every move."""

    def __init__(self, here: Region, nodes: dict[str, FakeNode]) -> None:
        self.here = here
        self.nodes = nodes
        self.operator = nodes_pb2_grpc.NodesServiceStub(NatsChannel(here.nc, region=here.name))
        self.people: dict[str, list[room_pb2.Participant]] = {}
        self.rooms: list[rooms_pb2.CreateRoomResponse] = []

    async def fill(self, rooms: int, people: int) -> list[str]:
        """So many rooms with so many people each, present; the rooms' ids."""
        ids = []
        for _ in range(rooms):
            made = await self.here.create()
            self.rooms.append(made)
            joins = [self.here.join(made, f"P{number}") for number in range(people)]
            self.people[made.room.id] = [joined.participant for joined in await asyncio.gather(*joins)]
            for participant in self.people[made.room.id]:
                await self.nodes[participant.place.node_id].connect(made.room.id, participant)
            ids.append(made.room.id)
        await until(lambda: all(self.present(room_id) == people for room_id in ids))
        return ids

    def present(self, room_id: str) -> int:
        """How many are present where they were told to be, as clients see it."""
        states: dict[str, bool] = {}
        for event in self.here.live.get(room_id, []):
            if event.HasField("participant_changed"):
                states[event.participant_changed.participant.id] = True
            elif event.HasField("participant_moved"):
                states[event.participant_moved.participant_id] = False
        return sum(states.values())

    def moved(self, room_id: str) -> list[room_pb2.ParticipantMoved]:
        """Everybody who was told to move."""
        events = self.here.live.get(room_id, [])
        return [event.participant_moved for event in events if event.HasField("participant_moved")]

    async def follow(self, room_id: str, participant_id: str) -> None:
        """What a client does that is told to move: a new session, which comes up at the new node."""
        request = rooms_pb2.JoinRequest(
            room_id=room_id, request_id="again", participant_id=participant_id, wants_media=True
        )
        again = (await self.here.stub.Join(request)).participant
        await self.nodes[again.place.node_id].connect(room_id, again)

    async def tell(
        self, node_id: str, mode: presence_pb2.NodeMode.ValueType, seconds: int = 0
    ) -> nodes_pb2.NodeStatus:
        """What an operator does."""
        request = nodes_pb2.SetNodeModeRequest(node_id=node_id, mode=mode, drain_seconds=seconds)
        return (await self.operator.SetNodeMode(request)).node

    async def status(self, node_id: str) -> nodes_pb2.NodeStatus:
        """How a node is, as `salon nodes` shows it."""
        answer = await self.operator.ListNodes(nodes_pb2.ListNodesRequest())
        unheard = nodes_pb2.NodeStatus(node_id=node_id)
        return next((node for node in answer.nodes if node.node_id == node_id), unheard)

    async def until_status(
        self, node_id: str, holds: Callable[[nodes_pb2.NodeStatus], bool], seconds: float = 10.0
    ) -> None:
        """Wait until both replicas see a node so."""
        async with asyncio.timeout(seconds):
            seen = 0
            while seen < 8:  # several in a row: any replica may answer
                seen = seen + 1 if holds(await self.status(node_id)) else 0
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def town(nc: Client, server: NatsServer) -> AsyncIterator[Town]:
    """Two replicas and three nodes; new rooms go to n1 alone until the others are told otherwise."""
    async with contextlib.AsyncExitStack() as stack:
        here = await stack.enter_async_context(region(nc, server.access("rooms")))
        here.beating.clear()
        for replica_id in ("r1", "r2"):
            await stack.enter_async_context(here.replica(replica_id))
        nodes = {
            node_id: await stack.enter_async_context(fake_node(server.url, here.name, node_id))
            for node_id in ("n1", "n2", "n3")
        }
        made = Town(here, nodes)
        for node_id in nodes:
            await made.until_status(node_id, lambda node: node.health == nodes_pb2.NODE_HEALTH_ALIVE)
        for node_id in ("n2", "n3"):
            await made.tell(node_id, CORDONED)
            await made.until_status(node_id, lambda node: node.mode == CORDONED)
        yield made


async def open_again(made: Town, *node_ids: str) -> None:
    for node_id in node_ids:
        await made.tell(node_id, ACTIVE)
        await made.until_status(node_id, lambda node: node.mode == ACTIVE)


async def test_a_killed_nodes_rooms_are_moved_at_once(nc: Client, nats_server: NatsServer) -> None:
    async with town(nc, nats_server) as here:
        victims = await here.fill(rooms=4, people=3)
        await open_again(here, "n2", "n3")
        await here.tell("n1", CORDONED)
        await here.until_status("n1", lambda node: node.mode == CORDONED)
        bystanders = await here.fill(rooms=2, people=2)
        await here.nodes["n1"].kill()
        killed = time.monotonic()
        await until(lambda: all(len(here.moved(room_id)) == 3 for room_id in victims), seconds=3.0)
        seconds = time.monotonic() - killed
        print(f"all 12 told {1000 * seconds:.0f} ms after the kill")
        assert seconds < 0.5
        for room_id in victims:
            told = here.moved(room_id)
            assert {moved.participant_id for moved in told} == {p.id for p in here.people[room_id]}
            for moved in told:
                assert (moved.epoch, moved.make_before_break, moved.spread_ms) == (2, False, 72)
        began = time.monotonic()
        followers = [here.follow(room_id, p.id) for room_id in victims for p in here.people[room_id]]
        await asyncio.gather(*followers)
        print(f"all 12 have another session {1000 * (time.monotonic() - began):.0f} ms after asking at once")
        await until(lambda: all(here.present(room_id) == 3 for room_id in victims))
        assert all(here.moved(room_id) == [] for room_id in bystanders)
        await here.until_status("n1", lambda node: (node.placed, node.rooms) == (0, 0))
        with pytest.raises(SalonError, match="dead") as error:
            await here.tell("n1", ACTIVE)
        assert error.value.code is Code.FAILED_PRECONDITION


async def test_a_drain_empties_a_node_in_steps(nc: Client, nats_server: NatsServer) -> None:
    async with town(nc, nats_server) as here:
        rooms = await here.fill(rooms=4, people=2)
        await open_again(here, "n2", "n3")
        status = await here.tell("n1", DRAINING, 600)
        assert (status.mode, status.participants) == (DRAINING, 8)
        assert 590 < status.drain_deadline.ToSeconds() - time.time() < 601
        done: set[str] = set()
        while len(done) < 4:
            await until(lambda: any(len(here.moved(r)) == 2 for r in rooms if r not in done))
            told = [r for r in rooms if here.moved(r)]
            assert len(told) == len(done) + 1, "a tenth of eight is less than a room: one at a time"
            room_id = next(r for r in told if r not in done)
            assert all(moved.make_before_break for moved in here.moved(room_id))
            await asyncio.gather(*(here.follow(room_id, p.id) for p in here.people[room_id]))
            done.add(room_id)
        await until(lambda: all(here.present(room_id) == 2 for room_id in rooms))
        await here.until_status("n1", lambda node: node.placed == 0)
        assert all(len(here.moved(room_id)) == 2 for room_id in rooms), "everybody moved once"


async def test_a_drain_with_little_time_moves_all_at_once(nc: Client, nats_server: NatsServer) -> None:
    async with town(nc, nats_server) as here:
        rooms = await here.fill(rooms=4, people=2)
        await open_again(here, "n2", "n3")
        await here.tell("n1", DRAINING, 4)
        await until(lambda: all(len(here.moved(room_id)) == 2 for room_id in rooms), seconds=3.0)


async def test_a_cordoned_node_keeps_its_rooms_and_gets_no_others(
    nc: Client, nats_server: NatsServer
) -> None:
    async with town(nc, nats_server) as here:
        await here.fill(rooms=1, people=1)
        await open_again(here, "n2")
        await here.tell("n1", CORDONED)
        await here.until_status("n1", lambda node: node.mode == CORDONED)
        assert (await here.here.join(here.rooms[0], "New")).participant.place.node_id == "n1"
        for _ in range(8):
            made = await here.here.create()
            assert (await here.here.join(made, "Ada")).participant.place.node_id == "n2"


async def test_one_who_hears_a_frozen_node_no_more_takes_the_room_along(
    nc: Client, nats_server: NatsServer
) -> None:
    async with town(nc, nats_server) as here:
        (room_id,) = await here.fill(rooms=1, people=3)
        await open_again(here, "n2", "n3")
        await here.nodes["n1"].freeze()
        ada, *others = here.people[room_id]
        asked = time.monotonic()
        answer = await here.here.stub.Join(
            rooms_pb2.JoinRequest(
                room_id=room_id,
                request_id="again",
                participant_id=ada.id,
                wants_media=True,
                unheard_epoch=1,
                asker="a",
            )
        )
        seconds = time.monotonic() - asked
        print(f"another place {1000 * seconds:.0f} ms after asking")
        assert seconds < 0.6
        assert answer.participant.place.node_id in ("n2", "n3")
        await until(lambda: len(here.moved(room_id)) == 2)
        assert {moved.participant_id for moved in here.moved(room_id)} == {p.id for p in others}
        assert all(moved.make_before_break for moved in here.moved(room_id))


async def test_an_unknown_node_cannot_be_told_anything(nc: Client, nats_server: NatsServer) -> None:
    async with town(nc, nats_server) as here:
        for node_id, code in (("n9", Code.NOT_FOUND), ("No!", Code.INVALID_ARGUMENT)):
            with pytest.raises(SalonError) as error:
                await here.tell(node_id, ACTIVE)
            assert error.value.code is code
