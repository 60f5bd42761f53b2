"""A node is emptied while its people talk: by an operator's drain, and by SIGTERM. They should hardly notice."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from faults.figures import Figure, Outcome, Who
from faults.node_faults import (
    BYSTANDER_SECONDS,
    SETTLE_SECONDS,
    Reading,
    mark_all,
    native_gap,
    read_sizes,
    worst,
)
from faults.stage import Cast, Size, Stage, choose_victim
from salon.rooms.v1 import presence_pb2
from support.pages import Gaps

PICTURE = Figure("picture", p95=0.5)
SOUND = Figure("sound", p95=0.2, bystanders=BYSTANDER_SECONDS)
EMPTY_SECONDS = 60.0
BOTH_SECONDS = 4.5
"""A move may have a client at two nodes: 3 s for its sound to be complete, 0.5 s for the others', and a second to close."""
TWICE_SECONDS = 0.06
"""The pages are listened to each 20 ms: three looks in a row are no chance."""
_WHOLE_RUN_SECONDS = 180.0

SETTINGS = {"media": {"SALON_MEDIA_DRAIN_SECONDS": "45"}}


def sized(size: Size) -> Size:
    """Who takes part: pages hear somebody, and their pictures are large enough for a smaller size to be noticed."""
    return replace(size, camera=(640, 360), pages_listen=True)


@dataclass(frozen=True)
class PlannedMove:
    """A way to empty a node."""

    name: str
    empty: Callable[[Stage, str], Awaitable[None]]
    """Returns when nobody is left there."""
    put_back: Callable[[Stage, str], Awaitable[None]]
    """The node takes people again."""

    async def run(self, stage: Stage, chance: random.Random, run: int, outcome: Outcome) -> None:
        """One run, from empty rooms to empty rooms."""
        async with asyncio.timeout(_WHOLE_RUN_SECONDS):
            victim = choose_victim(chance, stage.media_names)
            cast = await stage.seat(victim, run)
            await asyncio.sleep(chance.uniform(1.0, 3.0))  # the drain begins at any moment
            reading = Reading(outcome, run, await mark_all(stage, cast))
            began = time.monotonic()
            await self.empty(stage, victim)
            reading.add(Figure("node empty after"), Who.NATIVE, victim, time.monotonic() - began)
            await asyncio.sleep(SETTLE_SECONDS)
            await self._read(stage, cast, victim, reading)
            await self.put_back(stage, victim)
            await stage.clear(cast)
            outcome.runs += 1

    async def _read(self, stage: Stage, cast: Cast, victim: str, reading: Reading) -> None:
        natives, bystanders, pages = await asyncio.gather(
            cast.members.report(), cast.bystanders.report(), stage.pages.gaps()
        )
        reading.outcome.note(reading.run, moved_at=reading.since, natives=natives)
        for name, report in natives.items():
            read_native(name, report, victim, reading)
        for name, report in bystanders.items():
            reading.add(SOUND, Who.BYSTANDER, name, native_gap(report, "frames", cameras=False))
        microphones = {
            source["number"]
            for report in natives.values()
            for source in report["sources"]
            if not source["camera"]
        }
        for name, gaps in pages.items():
            read_page(name, gaps, microphones, reading)
        if pages:
            read_sizes(natives, reading, lambda report: connected_at(report, reading.since))


def connected_at(report: dict[str, Any], since: float) -> float:
    """When a participant was connected to its new node; the move's begin if it never was."""
    return max(
        (at for at, what in report["news"] if at >= since and what.startswith("MediaConnected")),
        default=since,
    )


def read_native(name: str, report: dict[str, Any], victim: str, reading: Reading) -> None:
    """What a native participant missed, and what it heard twice."""
    reading.add(PICTURE, Who.NATIVE, name, native_gap(report, "frames", cameras=True))
    reading.add(SOUND, Who.NATIVE, name, native_gap(report, "frames", cameras=False))
    wrong = []
    if report["ended"]:
        wrong.append(f"is out of its room: {report['ended']}")
    elif report["node"] == victim or not report["connected"]:
        wrong.append(f"is not served elsewhere (node {report['node']}, connected: {report['connected']})")
    wrong += [
        f"got frames of {source['owner']} by its two nodes in turns: {source['turns']}"
        for source in report["sources"]
        if len(set(source["turns"])) < len(source["turns"])
    ]
    if report["overlap"] > BOTH_SECONDS:
        wrong.append(f"was at two nodes for {report['overlap']:.1f} s")
    for each in wrong:
        reading.outcome.find(reading.run, f"{name} {each}")


def read_page(name: str, gaps: Gaps, microphones: set[int], reading: Reading) -> None:
    """What a page missed, and whether two nodes were audible there at once."""
    heard = worst({source: gap for source, gap in gaps.sources.items() if source in microphones})
    reading.add(PICTURE, Who.CHROMIUM, name, worst(gaps.frames))
    reading.add(SOUND, Who.CHROMIUM, name, max(gaps.not_heard, heard or 0.0))
    if gaps.heard_twice > TWICE_SECONDS:
        reading.outcome.find(
            reading.run, f"{name}'s page played two nodes at once for {gaps.heard_twice:.2f} s"
        )


async def drain(stage: Stage, victim: str) -> None:
    """As `salon drain` does."""
    await stage.nodes.set_mode(victim, presence_pb2.NODE_MODE_DRAINING, int(EMPTY_SECONDS))

    async def is_empty() -> bool:
        node = (await stage.nodes.list())[victim]
        return node.placed == 0 and node.participants == 0

    async with asyncio.timeout(EMPTY_SECONDS):
        while not await is_empty():  # noqa: ASYNC110 - the node can only be asked
            await asyncio.sleep(0.1)  # the interval at which it is asked


async def uncordon(stage: Stage, victim: str) -> None:
    """Take people again."""
    await stage.nodes.set_mode(victim, presence_pb2.NODE_MODE_ACTIVE)


async def terminate(stage: Stage, victim: str) -> None:
    """SIGTERM, and the node's own end; AssertionError when it had to be killed."""
    began = time.monotonic()
    await stage.stack.terminate(victim, grace=EMPTY_SECONDS)
    assert time.monotonic() - began < EMPTY_SECONDS, (
        f"{victim} did not end by itself within {EMPTY_SECONDS:g} s"
    )


async def start_again(stage: Stage, victim: str) -> None:
    """A new incarnation."""
    await stage.stack.start(victim)


PLANNED_MOVES = (
    PlannedMove("drain", drain, uncordon),
    PlannedMove("sigterm", terminate, start_again),
)
