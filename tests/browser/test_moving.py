"""A room that is moved to another node while people talk in it: pictures and voices go on, and nobody is told."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from salon.rooms.v1 import nodes_pb2, nodes_pb2_grpc, presence_pb2
from salon_client.run.stack import Stack
from salon_common import nats
from salon_common.rpc import NatsChannel
from support.native import Native
from support.pages import TONE_PAUSE, Gaps, Participant, participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PAGES, NATIVE = PEOPLE[:2], PEOPLE[2]
COLOURS = {person.name: list(person.colour) for person in PEOPLE[:3]}
MOVES = 3

# How long exactly is `make test-faults`'s to say, on a machine that does nothing else. A break before the new connection takes longer than this.
LONGEST_GAP = 0.5

WATCH_STATES = """
() => {
  window.states = [];
  window.__salon.on("state", (state) => window.states.push(state));
}
"""


async def test_a_drain_is_neither_seen_nor_heard(tmp_path: Path) -> None:
    async with (
        Stack(rooms=2, signaling=1, media=2, directory=tmp_path / "stack") as stack,
        operator(stack) as set_mode,
        participants(PAGES, tmp_path) as pages,
    ):
        link = await stack.create_room("On the move")
        for page in pages:
            await page.join(link.url)
        async with Native.join(link.url, NATIVE):
            await gather(pages)
            for page in pages:
                await page.page.evaluate(WATCH_STATES)
                await page.page.evaluate("(colours) => salonMeasure.expect(colours)", COLOURS)
            for _ in range(MOVES):
                await move(pages, set_mode)


SetMode = Callable[[str, "presence_pb2.NodeMode.ValueType"], Awaitable[None]]


@asynccontextmanager
async def operator(stack: Stack) -> AsyncIterator[SetMode]:
    """Tells nodes what they are for."""
    nc = await nats.connect(stack.nats_access("operator"), name="test")
    try:
        stub = nodes_pb2_grpc.NodesServiceStub(NatsChannel(nc, region="local"))

        async def set_mode(node: str, mode: "presence_pb2.NodeMode.ValueType") -> None:
            await stub.SetNodeMode(nodes_pb2.SetNodeModeRequest(node_id=node, mode=mode))

        yield set_mode
    finally:
        await nc.close()


async def gather(pages: list[Participant]) -> None:
    """Wait until everybody sees and hears everybody."""
    for page in pages:
        others = {person.name for person in PEOPLE[:3]} - {page.person.name}
        await until("all are seen", lambda p=page, o=others: sees(p, o))
        await page.mark()
    marked_at = time.time()
    for page in pages:
        await until("all are heard", lambda p=page: goes_on(p, marked_at))


async def sees(page: Participant, others: set[str]) -> bool:
    return await page.tiles() == {name: name for name in others}


async def goes_on(page: Participant, since: float) -> bool:
    """Whether pictures and tones of all others came after a moment."""
    gaps = await page.gaps()
    return all(gap.last > since for gap in (*gaps.frames.values(), *gaps.tones.values()))


async def move(pages: list[Participant], set_mode: SetMode) -> None:
    """Drain the node that serves the room, and look what that cost each page."""
    (node,) = {await node_of(page) for page in pages}
    made = [len(await connections(page)) for page in pages]
    for page in pages:
        await page.mark()
    await set_mode(node, presence_pb2.NODE_MODE_DRAINING)
    for page, before in zip(pages, made, strict=True):
        await until("it is served by another node alone", lambda p=page, b=before: is_moved(p, b))
        assert await node_of(page) != node
    left_at = time.time()
    for page in pages:
        await until("pictures and voices go on there", lambda p=page: goes_on(p, left_at))
        check(page.person.name, await page.gaps())
        assert await page.page.evaluate("states") == [], "nobody is told of a planned move"
        presented = await page.page.evaluate("salonMeasure.presented()")
        assert presented["wrong"] == [], "no face stands over another name"
    await set_mode(node, presence_pb2.NODE_MODE_ACTIVE)


def check(name: str, gaps: Gaps) -> None:
    print(name, gaps)  # shown when it fails
    others = {person.name for person in PEOPLE[:3]} - {name}
    assert set(gaps.frames) == others
    for other in others:
        assert gaps.frames[other].seconds <= LONGEST_GAP, f"{name} misses the picture of {other}"
        sound = gaps.tones[other].seconds - TONE_PAUSE
        assert sound <= LONGEST_GAP, f"{name} misses the voice of {other}"
    assert gaps.heard_twice == 0, f"{name} hears two nodes at once"
    assert gaps.not_heard == 0, f"{name} hears no node"


async def node_of(page: Participant) -> str:
    return str(await page.page.evaluate("window.__salon.nodeId"))


async def connections(page: Participant) -> list[str]:
    """The states of all connections that the page has made, oldest first."""
    states = await page.page.evaluate(
        "salonMeasure.connections.map(({ connectionState }) => connectionState)"
    )
    return [str(state) for state in states]


async def is_moved(page: Participant, before: int) -> bool:
    """Whether the page has one more connection than before, and no other that is open."""
    states = await connections(page)
    return len(states) > before and states[-1] == "connected" and set(states[:-1]) == {"closed"}
