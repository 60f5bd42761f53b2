"""A whole Salon with one media node to be broken: its rooms and people on that node, other rooms elsewhere.

Where rooms are placed is decided as an operator would: all nodes but one are cordoned while they are made.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.browsers import seated
from faults.crowd import Members, Native, NativeCrowd, Pages, Seat, join_native
from nats.aio.client import Client
from salon.rooms.v1 import nodes_pb2, nodes_pb2_grpc, presence_pb2
from salon_client.link import Link
from salon_client.run.services import REGION
from salon_client.run.stack import Stack
from salon_common import nats
from salon_common.errors import SalonError
from salon_common.rpc import NatsChannel
from support.synthetic_media import PEOPLE

ROOM_OF_PAGE, ROOM_OF_NATIVES = 2, 3
"""How many native participants are in each room."""
SHOWN, SPEAKER, VIEWER = Seat(speaks=True), Seat(speaks=True, fps=0), Seat(speaks=False)
"""One in each room speaks, the others have cameras: each sends something, and the machine must not be the bottleneck. A page
is shown everybody.
"""
BYSTANDERS = (Seat(speaks=True, fps=0), Seat(speaks=False, fps=15))
"""One sends a packet each 20 ms, the other each 67, so that a gap of 200 ms is one."""
_KNOWN_SECONDS = 10.0


@dataclass(frozen=True)
class Size:
    """Who takes part; as the issue asks for by default."""

    pages: int = 2
    """Rooms of a Chromium page and two native clients."""
    rooms: int = 2
    """Rooms of three native clients."""
    bystanders: int = 2
    """Rooms of two native clients on other nodes."""
    media: int = 4
    """Media nodes."""
    camera: tuple[int, int] = (320, 180)
    """What the pages' cameras see, in pixels."""
    pages_listen: bool = False
    """Whether natives speak in the pages' rooms as well, where the page speaks."""

    @property
    def people(self) -> int:
        """How many lose their node."""
        return self.pages * (1 + ROOM_OF_PAGE) + self.rooms * ROOM_OF_NATIVES


SMALL = Size(pages=0, rooms=2, bystanders=1, media=3)
"""Native clients alone, for a quick check."""


class Nodes:
    """The media nodes, as an operator sees them."""

    def __init__(self, nc: Client) -> None:
        self._stub = nodes_pb2_grpc.NodesServiceStub(NatsChannel(nc, region=REGION))

    async def list(self) -> dict[str, nodes_pb2.NodeStatus]:
        """All nodes by id."""
        answer = await self._stub.ListNodes(nodes_pb2.ListNodesRequest())
        return {node.node_id: node for node in answer.nodes}

    async def set_mode(self, node: str, mode: "presence_pb2.NodeMode.ValueType", seconds: int = 0) -> None:
        """Tell a node what it is for."""
        request = nodes_pb2.SetNodeModeRequest(node_id=node, mode=mode, drain_seconds=seconds)
        await self._stub.SetNodeMode(request)

    async def open_only(self, opened: Iterable[str], names: Iterable[str]) -> None:
        """Let these take new rooms, and no other; returns when that is known to all."""
        opened = set(opened)
        modes = {
            name: presence_pb2.NODE_MODE_ACTIVE if name in opened else presence_pb2.NODE_MODE_CORDONED
            for name in names
        }
        async with asyncio.timeout(_KNOWN_SECONDS):
            while not await self._are(modes):
                for name, mode in modes.items():
                    try:
                        await self.set_mode(name, mode)
                    except SalonError:
                        continue  # just started, and not heard of yet
                await asyncio.sleep(0.05)  # the interval at which they are asked

    async def _are(self, modes: "dict[str, presence_pb2.NodeMode.ValueType]") -> bool:
        known = await self.list()
        return all(
            name in known and known[name].mode == mode and known[name].health == nodes_pb2.NODE_HEALTH_ALIVE
            for name, mode in modes.items()
        )


@dataclass
class Cast:
    """Who takes part in one run."""

    links: list[Link] = field(default_factory=list)
    """The rooms on the node that will be broken, those with pages first."""
    members: Members = field(default_factory=lambda: Members([]))
    bystanders: Members = field(default_factory=lambda: Members([]))


class Stage:
    """A running stack and the processes of its participants."""

    def __init__(
        self, stack: Stack, nodes: Nodes, crowds: Sequence[NativeCrowd], pages: Pages, size: Size
    ) -> None:
        self.stack = stack
        self.nodes = nodes
        self.pages = pages
        self.size = size
        self._crowds = crowds

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        directory: Path,
        size: Size,
        *,
        isolate: Sequence[str] = (),
        settings: Mapping[str, Mapping[str, str]] | None = None,
    ) -> AsyncIterator["Stage"]:
        """Start everything. Three processes of native participants: two to be hit, one of bystanders."""
        async with AsyncExitStack() as exits:
            stack = Stack(
                directory=directory / "stack",
                media=size.media,
                isolate=isolate,
                settings=settings or {},
                web=size.pages > 0,
            )
            await exits.enter_async_context(stack)
            nc = await nats.connect(stack.nats_access("operator"), name="fault-harness")
            exits.push_async_callback(nc.close)
            crowds = [
                await exits.enter_async_context(NativeCrowd.start(directory / f"natives-{number}.log"))
                for number in range(3)
            ]
            people = PEOPLE[: size.pages]
            pages = await exits.enter_async_context(seated(people, directory, size.camera)) if people else []
            yield cls(stack, Nodes(nc), crowds, Pages(pages), size)

    @property
    def media_names(self) -> list[str]:
        """The media nodes."""
        return [name for name in self.stack.names if name.startswith("media-")]

    async def seat(self, victim: str, run: int) -> Cast:
        """Fill rooms on the victim and on others; returns when everybody hears everybody."""
        others = [name for name in self.media_names if name != victim]
        cast = Cast()
        await self.nodes.open_only([victim], self.media_names)
        counts = [ROOM_OF_PAGE] * self.size.pages + [ROOM_OF_NATIVES] * self.size.rooms
        cast.links = [
            await self.stack.create_room(f"Run {run}, room {number}") for number in range(len(counts))
        ]
        places = [
            (link, index) for link, count in zip(cast.links, counts, strict=True) for index in range(count)
        ]
        with_pages = self.size.pages * ROOM_OF_PAGE
        cast.members = Members(
            await asyncio.gather(
                *(
                    self._join(
                        self._crowds[number % 2],
                        link,
                        f"Native {run}.{number}",
                        self._seat(index, with_page=number < with_pages),
                    )
                    for number, (link, index) in enumerate(places)
                )
            )
        )
        await self.pages.join(cast.links[: self.size.pages], ROOM_OF_PAGE)
        await self.nodes.open_only(others, self.media_names)
        cast.bystanders = Members(await self._seat_bystanders(run))
        await self.nodes.open_only(self.media_names, self.media_names)
        self._check(cast, victim)
        # Pages count from their first mark on: what they have never counted they could not miss.
        await self.pages.mark()
        since = await cast.members.mark()
        lacking = await cast.members.wait_heard(since, 20) | await cast.bystanders.wait_heard(since, 20)
        if lacking:
            raise AssertionError(f"before any fault these do not hear everybody: {lacking}")
        return cast

    def _seat(self, index: int, *, with_page: bool) -> Seat:
        if index:
            return VIEWER
        if not with_page:
            return SPEAKER
        return SHOWN if self.size.pages_listen else VIEWER

    async def clear(self, cast: Cast) -> None:
        """Everybody leaves."""
        await asyncio.gather(cast.members.leave(), cast.bystanders.leave(), self.pages.leave())

    async def _seat_bystanders(self, run: int) -> list[Native]:
        links = [
            await self.stack.create_room(f"Run {run}, bystanders {number}")
            for number in range(self.size.bystanders)
        ]
        return list(
            await asyncio.gather(
                *(
                    self._join(self._crowds[2], link, f"Bystander {run}.{number}.{index}", seat)
                    for number, link in enumerate(links)
                    for index, seat in enumerate(BYSTANDERS)
                )
            )
        )

    async def _join(self, crowd: NativeCrowd, link: Link, name: str, seat: Seat) -> Native:
        return await join_native(crowd, link, name, self.stack.signaling_grpc, seat)

    @staticmethod
    def _check(cast: Cast, victim: str) -> None:
        astray = [native.name for native in cast.members.natives if native.node != victim]
        hit = [native.name for native in cast.bystanders.natives if native.node == victim]
        if astray or hit:
            raise AssertionError(f"placed wrongly for this test: {astray} not on {victim}, {hit} on it")


def choose_victim(chance: random.Random, names: Sequence[str]) -> str:
    """The node to be broken in a run."""
    return chance.choice(sorted(names))
