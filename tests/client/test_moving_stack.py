"""Participants of the Python client are moved between nodes: told to, because a node dies, and because it falls silent."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import pytest_asyncio
from salon.rooms.v1 import presence_pb2
from salon_client.events import Entered, MediaLost
from salon_client.gaps import GapMeter
from salon_client.nodes import RUN_FILE, NodesApi, Where
from salon_client.room import Room
from salon_client.run.services import REGION
from salon_client.run.stack import Stack
from salon_client.synthetic import COLOURS, ColourTrack, ToneTrack
from salon_client.tracks import Tracks

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

PEOPLE = ("Ada", "Bob", "Eve")
TOGETHER_SECONDS = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack(directory=tmp_path_factory.mktemp("stack"), web=False) as running:
        yield running
    assert not (running.directory / RUN_FILE).exists(), "nobody is led to a stack that has ended"


class Guest:
    """One person of a room, and what they miss."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.meter = GapMeter(room)
        self._frames = asyncio.Event()
        room.add_sink(self)

    def receive_frame(self, source: int, frame: object) -> None:
        self._frames.set()

    async def until_all_are_received(self, people: int, since: float) -> None:
        """Wait until microphone and camera of all others have come after `since`."""
        async with asyncio.timeout(TOGETHER_SECONDS):
            while sum((self.meter.last_frame(each) or 0) > since for each in self.sources) < 2 * (people - 1):
                self._frames.clear()
                await self._frames.wait()

    @property
    def sources(self) -> Sequence[int]:
        """Everybody else's."""
        return [each for each in self.meter.sources if self.room.state.owner(each) is not None]


@asynccontextmanager
async def together(stack: Stack) -> AsyncIterator[list[Guest]]:
    """Three people who see and hear each other."""
    link = await stack.create_room("Moving")
    async with AsyncExitStack() as exits:
        guests = []
        for number, name in enumerate(PEOPLE):
            camera = ColourTrack(list(COLOURS.values())[number], size=(160, 120), fps=10)
            tracks = Tracks(microphone=ToneTrack(440 * (number + 1)), camera=camera)
            guests.append(Guest(Room.join(link, name, tracks=tracks, signaling=stack.signaling_grpc)))
            await exits.enter_async_context(guests[-1].room)
        await received(guests, 0.0)
        yield guests


async def received(guests: Sequence[Guest], since: float) -> None:
    await asyncio.gather(*(each.until_all_are_received(len(guests), since) for each in guests))


async def moved_away(guests: Sequence[Guest], node: str) -> None:
    await asyncio.gather(
        *(
            each.room.until(lambda room: room.node_id != node and room.media.connected, TOGETHER_SECONDS)
            for each in guests
        )
    )


async def settled(guests: Sequence[Guest]) -> None:
    """Wait until everybody has one session again."""
    async with asyncio.timeout(TOGETHER_SECONDS):
        await asyncio.gather(*(_one_session(each) for each in guests))


async def _one_session(guest: Guest) -> None:
    while len(guest.room.media.sessions) != 1:
        guest._frames.clear()
        await guest._frames.wait()


async def test_drained_from_the_command_line_nobody_hears_or_sees_a_break(stack: Stack) -> None:
    async with together(stack) as guests:
        node = guests[0].room.node_id
        news = [guest.room.events() for guest in guests]
        since = max(guest.meter.mark() for guest in guests)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "salon_client", "drain", node, "--deadline", "60"),
            *("--directory", str(stack.directory)),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        assert (process.returncode, said.decode()) == (0, f"{node} is empty\n")
        await moved_away(guests, node)
        await settled(guests)
        await received(guests, since)
        for guest in guests:
            for source in guest.sources:
                turns = guest.meter.frame_turns(source)
                assert turns == (1, 2), "each once: nobody is seen or heard twice"
            assert guest.meter.overlap() > 0, "the new connection is made before the old one breaks"
    for each in news:
        assert not [said async for said in each if isinstance(said, MediaLost)]
    async with NodesApi.connect(Where(stack.nats_access("operator"), REGION)) as nodes:
        await nodes.set_mode(node, presence_pb2.NODE_MODE_ACTIVE)


async def test_frozen_node_is_left_after_an_ask(stack: Stack) -> None:
    async with together(stack) as guests:
        node = guests[0].room.node_id
        since = max(guest.meter.mark() for guest in guests)
        os.killpg(stack.pid(node), signal.SIGSTOP)
        try:
            await moved_away(guests, node)
            since = max(guest.meter.packets(each).ended_at or 0 for guest in guests for each in guest.sources)
            await received(guests, since)
        finally:
            os.killpg(stack.pid(node), signal.SIGCONT)
        await settled(guests)
        since = max(guest.meter.mark() for guest in guests)
        await received(guests, since)
        assert all(guest.meter.overlap() == 0 for guest in guests), "nobody listens to the node that is back"


async def test_node_and_signaling_replica_that_die_together_cost_little(stack: Stack) -> None:
    async with together(stack) as guests:
        node = guests[0].room.node_id
        news = [guest.room.events() for guest in guests]
        since = max(guest.meter.mark() for guest in guests)
        try:
            await asyncio.gather(stack.kill(node), stack.kill("signaling-1"))
            await moved_away(guests, node)
            await received(guests, since)
        finally:
            await asyncio.gather(stack.start(node), stack.start("signaling-1"))
    for each in news:
        assert all(said.resumed for said in [said async for said in each] if isinstance(said, Entered))
