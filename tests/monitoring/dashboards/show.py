"""A short day of two regions, so that every panel has something to show: people come and go, a node is drained, another dies.

What was done is written down, so that tests can hold dashboards to it.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from faults.crowd import Members, Native, NativeCrowd, Seat, join_native
from monitoring.dashboards.prometheus_server import SCRAPE_SECONDS, Prometheus, prometheus
from monitoring.dashboards.reading import Window
from salon.rooms.v1 import presence_pb2
from salon_client.api import SignalingApi
from salon_client.core.quality import SETTLED_SECONDS
from salon_client.link import Link
from salon_client.nodes import NodesApi, find_where
from salon_client.run.addresses import LOOPBACK
from salon_client.run.stack import Stack
from salon_common.errors import SalonError

BUSY, CALM = "eu", "us"
"""The region where things happen, and the one where nothing does."""
ROOMS, PEOPLE = 3, 3
_KINDS = ("rooms", "signaling", "media")
_SEAT = Seat(speaks=True, fps=5)
_HEARD_SECONDS = 40.0
_ACT_SECONDS = 8.0
"""A while in which nothing happens is a line of some scrapes."""
_RULES_SECONDS = 3.0
"""Rules are evaluated after the scrape, and those that build on others after them."""
_EMPTY_SECONDS = 60.0
_SCANNED = 20


@dataclass
class Story:
    """What was done in the busy region, for the figures to be compared with."""

    began: float = field(default_factory=time.time)
    """Before anything counted, and after it was first looked at."""
    joined: int = 0
    left: int = 0
    refused: int = 0
    drained: str = ""
    killed: str = ""
    full: Window | None = None
    """When everybody was in, and nothing was broken."""


@dataclass(frozen=True)
class Show:
    """The stacks, what watches them, and what has happened."""

    stacks: dict[str, Stack]
    server: Prometheus
    story: Story


@asynccontextmanager
async def played(directory: Path, pause: float = 0.0) -> AsyncIterator[Show]:
    """Yields when all has happened, with everything still running. `pause` seconds are spent between the acts, for pictures."""
    async with AsyncExitStack() as exits:
        stacks = {
            BUSY: Stack(directory=directory / BUSY, media=3, web=False, settings=_settings(BUSY)),
            CALM: Stack(
                directory=directory / CALM,
                rooms=1,
                signaling=1,
                media=1,
                web=False,
                settings=_settings(CALM),
            ),
        }
        for stack in stacks.values():
            await exits.enter_async_context(stack)
        crowds = [
            await exits.enter_async_context(NativeCrowd.start(directory / f"natives-{number}.log"))
            for number in range(2)
        ]
        server = await exits.enter_async_context(prometheus(stacks, directory / "prometheus"))
        await _all_scraped(server, stacks)
        show = Show(stacks, server, Story())
        await _play(show, crowds, pause)
        yield show


def _settings(region: str) -> dict[str, dict[str, str]]:
    return {kind: {f"SALON_{kind.upper()}_REGION": region} for kind in _KINDS}


async def _all_scraped(server: Prometheus, stacks: dict[str, Stack]) -> None:
    wanted = sum(count for stack in stacks.values() for count in stack.counts.values())
    async with asyncio.timeout(30):
        while len(await server.query("up == 1")) < wanted:  # noqa: ASYNC110 - Prometheus can only be asked
            await asyncio.sleep(SCRAPE_SECONDS)  # the interval at which something can change


async def _all_seen(server: Prometheus, moment: float) -> None:
    """Wait until every target was scraped at that time or later."""
    async with asyncio.timeout(30):
        while await _oldest_scrape(server) < moment:  # noqa: ASYNC110 - Prometheus can only be asked
            await asyncio.sleep(SCRAPE_SECONDS)  # the interval at which something can change


async def _people_seen(server: Prometheus, wanted: dict[str, int]) -> None:
    """Wait until Prometheus knows who is left in each region: rooms counts each few seconds."""
    async with asyncio.timeout(30):
        while await _people(server) != wanted:  # noqa: ASYNC110 - Prometheus can only be asked
            await asyncio.sleep(SCRAPE_SECONDS)  # the interval at which something can change


async def _people(server: Prometheus) -> dict[str, int]:
    counted = await server.query('sum by (region) (salon_rooms_participants{state="present"})')
    return {series.labels["region"]: round(series.samples[0][1]) for series in counted}


async def _oldest_scrape(server: Prometheus) -> float:
    return min(series.samples[0][1] for series in await server.query("timestamp(up)"))


async def _play(show: Show, crowds: Sequence[NativeCrowd], pause: float) -> None:
    busy, story = show.stacks[BUSY], show.story
    story.began = time.time()
    await _all_seen(show.server, story.began)  # counters are seen before anything counts
    calm_link = await show.stacks[CALM].create_room("Calm")
    calm = [await _join(crowds[1], show.stacks[CALM], calm_link, f"Calm {number}") for number in range(2)]
    links = [await busy.create_room(f"Room {number}") for number in range(ROOMS)]
    people = await _fill_rooms(busy, crowds, links, story)
    await _hear_each_other(people)
    began = time.time()
    await asyncio.sleep(_ACT_SECONDS + pause)
    story.full = Window(began, time.time())
    await _refuse(crowds[1], busy, links[0], story)
    await _drain(busy, people, story)
    # So long must media flow for clients to call their gap over, from when they are done with the old session: a death that
    # comes before is a part of the move's.
    await asyncio.sleep(SETTLED_SECONDS + _ACT_SECONDS + pause)
    await _kill(busy, people, story)
    await asyncio.sleep(SETTLED_SECONDS + _ACT_SECONDS + pause)
    await _leave(people[: 2 * ROOMS], story)  # two of each room: who leaves reports how it went
    await Members(calm[:1]).leave()
    await _people_seen(show.server, {BUSY: story.joined - story.left, CALM: 1})
    await _all_seen(show.server, time.time() + _RULES_SECONDS)


async def _fill_rooms(
    stack: Stack, crowds: Sequence[NativeCrowd], links: Sequence[Link], story: Story
) -> list[Native]:
    people = []
    async with SignalingApi(stack.signaling_grpc) as api:
        for number in range(ROOMS * PEOPLE):
            link = links[number % ROOMS]
            await api.preview_room(link.room_id, link.secret)
            people.append(await _join(crowds[0], stack, link, f"Native {number}"))
            story.joined += 1
    return people


async def _join(crowd: NativeCrowd, stack: Stack, link: Link, name: str) -> Native:
    return await join_native(crowd, link, name, stack.signaling_grpc, _SEAT)


async def _hear_each_other(people: Sequence[Native]) -> None:
    members = Members(people)
    lacking = await members.wait_heard(await members.mark(), _HEARD_SECONDS)
    assert not lacking, f"these do not hear everybody: {lacking}"


async def _refuse(crowd: NativeCrowd, stack: Stack, link: Link, story: Story) -> None:
    """Somebody comes with a link that opens nothing, and tries to join all the same."""
    wrong = replace(link, secret="x" * len(link.secret))
    async with SignalingApi(stack.signaling_grpc) as api:
        with contextlib.suppress(SalonError):
            await api.preview_room(wrong.room_id, wrong.secret)
    for number in range(2):
        try:
            await _join(crowd, stack, wrong, f"Stranger {number}")
        except RuntimeError:
            story.refused += 1


def _scan(stack: Stack, node: str) -> None:
    """What any public port gets: datagrams from somebody whom the node does not know."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(_SCANNED):
            stranger.sendto(b"anybody there?", (LOOPBACK, stack.ports(node)["udp"]))


async def _drain(stack: Stack, people: Sequence[Native], story: Story) -> None:
    """Empty a node that has people, and take it back."""
    story.drained = min({native.node for native in people})
    _scan(stack, story.drained)
    async with NodesApi.connect(find_where(None, BUSY, stack.directory)) as nodes:
        await nodes.set_mode(story.drained, presence_pb2.NODE_MODE_DRAINING, 60)
        async with asyncio.timeout(_EMPTY_SECONDS):
            while await _has_people(nodes, story.drained):  # noqa: ASYNC110 - rooms can only be asked
                await asyncio.sleep(0.2)  # the interval at which it is asked
        await nodes.set_mode(story.drained, presence_pb2.NODE_MODE_ACTIVE)
    await _hear_each_other(people)


async def _has_people(nodes: NodesApi, node_id: str) -> bool:
    return any(each.participants for each in await nodes.list() if each.node_id == node_id)


async def _kill(stack: Stack, people: Sequence[Native], story: Story) -> None:
    """End a node that has people, without a word, and start it again."""
    reports = await Members(people).report()
    story.killed = min({report["node"] for report in reports.values()} - {story.drained})
    await stack.kill(story.killed)
    await _hear_each_other(people)
    await stack.start(story.killed)


async def _leave(people: Sequence[Native], story: Story) -> None:
    await Members(people).leave()
    story.left += len(people)
