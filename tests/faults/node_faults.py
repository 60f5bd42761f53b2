"""What happens to a media node, and what its people may notice of it.

Each run: rooms are filled on one node, it is broken at a random moment, and the gaps of everybody are read once all hear all again and some
time has passed in which a second gap would show. Then the node comes back, and must disturb nobody.
"""

import asyncio
import random
import time
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faults.figures import Figure, Outcome, Sample, Who
from faults.stage import Cast, Stage, choose_victim
from prometheus_client.parser import text_string_to_metric_families
from support.pages import Gap, Gaps

PACKETS = "packets"
FRAMES = "frames"
SIZE_BACK = "size back"
AFTER = "after its return"

RECOVER_SECONDS = 15.0
"""Whoever hears nobody after so long is lost."""
SETTLE_SECONDS = 2.0
"""Read the gaps only so long after all hear all, so that a second one is not missed."""
TWO_NODES_SECONDS = 1.0
"""Nobody receives from two nodes for longer."""
BYSTANDER_SECONDS = 0.2
_RETURN_SECONDS = 4.0
_WHOLE_RUN_SECONDS = 120.0

Act = Callable[[Stage, str], Awaitable[None]]


@dataclass(frozen=True)
class NodeFault:
    """A way for a node to fail."""

    name: str
    break_: Act
    return_: Act
    p95: float | None
    """Within so many seconds media flows again, for 95 of 100."""
    idle: bool = False
    """Cameras off, nobody speaks: then what is missed is any packet from the node."""
    hidden: bool = False
    """Pages are in background tabs."""
    isolated: bool = False
    """The victim is the node with a link of its own."""

    @property
    def packets(self) -> Figure:
        """The figure that is judged."""
        return Figure(PACKETS, p95=self.p95, bystanders=BYSTANDER_SECONDS)


async def nothing(stage: Stage, victim: str) -> None:
    """The control: what the machine alone does to the figures."""


async def kill(stage: Stage, victim: str) -> None:
    """SIGKILL."""
    await stage.stack.kill(victim)


async def start(stage: Stage, victim: str) -> None:
    """A new incarnation."""
    await stage.stack.start(victim)


async def freeze(stage: Stage, victim: str) -> None:
    """SIGSTOP."""
    stage.stack.freeze(victim)


async def resume(stage: Stage, victim: str) -> None:
    """SIGCONT."""
    stage.stack.resume(victim)


async def cut(stage: Stage, victim: str) -> None:
    """No packet passes."""
    stage.stack.cut(victim)


async def mend(stage: Stage, victim: str) -> None:
    """Packets pass again."""
    stage.stack.mend(victim)


ISOLATED = "media-1"
CRASH, SILENT = 1.0, 2.5
NODE_FAULTS = (
    NodeFault("calm", nothing, nothing, None),
    NodeFault("kill", kill, start, CRASH),
    NodeFault("freeze", freeze, resume, SILENT),
    NodeFault("cut", cut, mend, SILENT, isolated=True),
    NodeFault("freeze-idle", freeze, resume, SILENT, idle=True),
    NodeFault("cut-idle", cut, mend, SILENT, idle=True, isolated=True),
    NodeFault("kill-background", kill, start, CRASH, hidden=True),
    NodeFault("freeze-background", freeze, resume, SILENT, hidden=True),
)


async def run_node_fault(
    stage: Stage, fault: NodeFault, chance: random.Random, run: int, outcome: Outcome
) -> None:
    """One run, from empty rooms to empty rooms. Raises AssertionError or TimeoutError when the stage is of no more use."""
    async with asyncio.timeout(_WHOLE_RUN_SECONDS):
        names = [name for name in stage.media_names if name != ISOLATED]
        victim = ISOLATED if fault.isolated else choose_victim(chance, names)
        cast = await stage.seat(victim, run)
        if fault.idle:
            await asyncio.gather(cast.members.silence(), stage.pages.silence())
        if fault.hidden:
            await stage.pages.hide()
        await asyncio.sleep(chance.uniform(1.0, 3.0))  # the fault comes at any moment
        broken_at = await mark_all(stage, cast)
        await fault.break_(stage, victim)
        await wait_recovered(stage, cast, fault, run, outcome)
        await asyncio.sleep(SETTLE_SECONDS)
        await read_gaps(stage, cast, fault, Reading(outcome, run, broken_at))
        await return_and_watch(stage, cast, victim, fault, run, outcome)
        await stage.clear(cast)
        outcome.runs += 1


async def mark_all(stage: Stage, cast: Cast) -> float:
    """Start everybody's windows: when, on the monotonic clock."""
    await asyncio.gather(cast.members.mark(), cast.bystanders.mark(), stage.pages.mark())
    return time.monotonic()


async def wait_recovered(stage: Stage, cast: Cast, fault: NodeFault, run: int, outcome: Outcome) -> None:
    """Until all hear all again; who does not is a finding."""
    # What was under way when the node broke may be read late by a busy client.
    since = time.monotonic() + 0.3
    natives, pages = await asyncio.gather(
        cast.members.wait_heard(since, RECOVER_SECONDS),
        stage.pages.wait_heard(RECOVER_SECONDS, idle=fault.idle),
    )
    for name, lack in natives.items():
        outcome.find(run, f"{name} hears nothing of {lack} after {RECOVER_SECONDS:g} s")
    for name in pages:
        outcome.find(run, f"{name}'s page does not hear everybody after {RECOVER_SECONDS:g} s")


@dataclass(frozen=True)
class Reading:
    """Where the samples of one run go."""

    outcome: Outcome
    run: int
    since: float

    def add(self, figure: Figure, who: Who, name: str, seconds: float | None) -> None:
        """One participant's worst; None for who should receive nothing of the kind."""
        if seconds is None:
            return
        self.outcome.row(figure).samples.append(Sample(self.run, who, name, seconds))


async def read_gaps(stage: Stage, cast: Cast, fault: NodeFault, reading: Reading) -> None:
    """Everybody's longest gaps since the mark."""
    natives, bystanders, pages = await asyncio.gather(
        cast.members.report(), cast.bystanders.report(), stage.pages.gaps()
    )
    reading.outcome.note(reading.run, broken_at=reading.since, natives=natives)
    for name, report in natives.items():
        reading.add(fault.packets, Who.NATIVE, name, native_gap(report, "packets", idle=fault.idle))
        if not fault.idle:
            reading.add(Figure(FRAMES), Who.NATIVE, name, native_gap(report, "frames"))
    for name, report in bystanders.items():
        reading.add(fault.packets, Who.BYSTANDER, name, native_gap(report, "packets"))
    for name, gaps in pages.items():
        reading.add(fault.packets, Who.CHROMIUM, name, page_gap(gaps, idle=fault.idle))
        if not fault.idle and not fault.hidden:
            reading.add(Figure(FRAMES), Who.CHROMIUM, name, worst(gaps.frames))
    if stage.pages.pages and not fault.idle:
        read_sizes(natives, reading)


def native_gap(
    report: dict[str, Any], of: str, *, idle: bool = False, cameras: bool | None = None
) -> float | None:
    """The worst of a native participant's sources; with `cameras` of those or of the others alone. None without any."""
    if idle:
        return float(report["anything"]["seconds"])
    gaps: list[float] = [
        each[of]["seconds"] for each in report["sources"] if cameras is None or each["camera"] is cameras
    ]
    return max(gaps, default=None)


def page_gap(gaps: Gaps, *, idle: bool) -> float | None:
    """The worst of a page's sources."""
    if idle:
        return gaps.packets["transport"].seconds
    return worst(gaps.sources)


def worst(gaps: Mapping[Any, Gap]) -> float | None:
    """The longest of several; None without any."""
    return max((gap.seconds for gap in gaps.values()), default=None)


def read_sizes(
    natives: dict[str, Any], reading: Reading, moved: Callable[[dict[str, Any]], float] | None = None
) -> None:
    """How long it took until the pictures that come in layers were as tall again as before: since the fault, or since each one's own move."""
    figure = Figure(SIZE_BACK, p95=3.0)
    for name, report in natives.items():
        since = moved(report) if moved else reading.since
        for source in report["sources"]:
            before = [tall for at, tall in source["heights"] if at < since]
            if not before or before[-1] <= 120:
                continue  # native cameras send one size
            back = back_at(source, since, before[-1])
            if back is None:
                reading.outcome.find(
                    reading.run, f"{name} sees {source['owner']} smaller than before for good"
                )
            else:
                reading.add(figure, Who.NATIVE, name, max(0.0, back - since))


def back_at(source: dict[str, Any], since: float, tall: int) -> float | None:
    """When a picture was as tall again as before; None if it is not."""
    after: list[tuple[float, int]] = [(at, height) for at, height in source["heights"] if at >= since]
    if after and after[-1][1] < tall:
        return None
    lower = [index for index, (_, height) in enumerate(after) if height < tall]
    if lower:
        return after[lower[-1] + 1][0]
    resumed: float | None = source["frames"]["ended"]
    return None if resumed is None else max(resumed, since)


async def return_and_watch(
    stage: Stage, cast: Cast, victim: str, fault: NodeFault, run: int, outcome: Outcome
) -> None:
    """The node comes back: nobody receives from two nodes for long, and it does not go on sending to those who left it."""
    came_back = await mark_all(stage, cast)
    await fault.return_(stage, victim)
    await asyncio.sleep(TWO_NODES_SECONDS)
    sent_at_first = await datagrams_out(stage, victim)
    await asyncio.sleep(_RETURN_SECONDS - TWO_NODES_SECONDS)
    sent = await datagrams_out(stage, victim)
    # One that was cut off ran all the time, and learns that its clients are gone only as their consent expires.
    went_on = 0.0 if fault.isolated or None in (sent, sent_at_first) else (sent or 0) - (sent_at_first or 0)
    if went_on > 0:
        outcome.find(
            run,
            f"{victim} goes on sending after its return: {went_on:.0f} datagrams after the first second",
        )
    natives, bystanders, pages = await asyncio.gather(
        cast.members.report(), cast.bystanders.report(), stage.pages.gaps()
    )
    reading, figure = Reading(outcome, run, came_back), Figure(AFTER, bystanders=BYSTANDER_SECONDS)
    for name, report in natives.items():
        reading.add(figure, Who.NATIVE, name, native_gap(report, "packets", idle=fault.idle))
        if report["overlap"] > TWO_NODES_SECONDS:
            outcome.find(run, f"{name} received from two nodes for {report['overlap']:.2f} s")
    for name, report in bystanders.items():
        reading.add(figure, Who.BYSTANDER, name, native_gap(report, "packets"))
    for name, gaps in pages.items():
        reading.add(figure, Who.CHROMIUM, name, page_gap(gaps, idle=fault.idle))
        if gaps.two_nodes > TWO_NODES_SECONDS:
            outcome.find(run, f"{name}'s page received from two nodes for {gaps.two_nodes:.2f} s")


async def datagrams_out(stage: Stage, name: str) -> float | None:
    """How many datagrams a node has sent since its start; None when it serves people again and so has reason to send."""
    nodes = await stage.nodes.list()
    if name in nodes and nodes[name].placed:
        return None
    address = stage.stack.health_address(name)
    text = await asyncio.to_thread(_fetch, f"http://{address}/metrics")
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "salon_media_engine_datagrams_out_total":
                return float(sample.value)
    return None


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def named(name: str, faults: Sequence[NodeFault] = NODE_FAULTS) -> NodeFault:
    """A fault by its name."""
    return next(fault for fault in faults if fault.name == name)
