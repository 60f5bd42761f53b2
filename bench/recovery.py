"""`make bench-recovery`: how recovery from a node's kill -9 grows with the people on it, and how many joins a node takes a second.

Recovery is measured at each client: the longest time without anything from a node, across the kill. The clients are native and light: they
are connected and send nothing, so that their own work does not drown the servers' on one machine; they share it all the same. Writes
bench/results/recovery.json and recovery.svg.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import psutil
from faults.crowd import Members, NativeCrowd, Seat, join_native
from faults.figures import percentile
from faults.stage import Nodes
from salon_client.run.stack import Stack
from salon_common import nats

RESULTS = Path(__file__).parent / "results"
PEOPLE = (6, 12, 24, 48)
ROOM = 6
PROCESSES = 2
LIGHT = Seat(speaks=False, fps=0)
SETTLE_SECONDS = 2.0
RECOVER_SECONDS = 30.0


@dataclass(frozen=True)
class Point:
    """What one number of people gave."""

    people: int
    p50: float
    p95: float
    worst: float
    joins_a_second: float
    """All at once, from the first call until the last is connected."""


async def measure(stack: Stack, nodes: Nodes, directory: Path, people: int, runs: int) -> Point:
    """Several kills of a node with so many people."""
    gaps: list[float] = []
    rates: list[float] = []
    names = [name for name in stack.names if name.startswith("media-")]
    for run in range(runs):
        victim = names[run % len(names)]
        async with AsyncExitStack() as exits:
            crowds = [
                await exits.enter_async_context(NativeCrowd.start(directory / f"{people}-{number}.log"))
                for number in range(PROCESSES)
            ]
            await asyncio.gather(
                *(crowd.call("mark") for crowd in crowds)
            )  # their start is no part of a join
            await nodes.open_only([victim], names)
            links = [
                await stack.create_room(f"Recovery {people}.{run}.{room}") for room in range(people // ROOM)
            ]
            began = time.monotonic()
            members = Members(
                await asyncio.gather(
                    *(
                        join_native(
                            crowds[index % PROCESSES],
                            links[index // ROOM],
                            f"Light {index}",
                            stack.signaling_grpc,
                            LIGHT,
                        )
                        for index in range(people)
                    )
                )
            )
            rates.append(people / (await connected_at(members) - began))
            await nodes.open_only(names, names)
            await asyncio.sleep(SETTLE_SECONDS)
            await members.mark()
            await stack.kill(victim)
            await members.wait_heard(time.monotonic(), RECOVER_SECONDS)
            await asyncio.sleep(SETTLE_SECONDS)
            gaps += [report["anything"]["seconds"] for report in (await members.report()).values()]
            await members.leave()
        await stack.start(victim)
    point = Point(people, percentile(gaps, 0.5), percentile(gaps, 0.95), max(gaps), percentile(rates, 0.5))
    print(
        f"{people:3} people: recovery p50 {point.p50:.2f} s, p95 {point.p95:.2f} s, worst {point.worst:.2f} s; "
        f"{point.joins_a_second:.0f} joins/s",
        flush=True,
    )
    return point


async def connected_at(members: Members) -> float:
    """When the last of them had its media connected."""
    async with asyncio.timeout(RECOVER_SECONDS):
        while True:
            news = [report["news"] for report in (await members.report()).values()]
            connected: list[list[float]] = [
                [at for at, what in each if what.startswith("MediaConnected")] for each in news
            ]
            if all(connected):
                return max(times[0] for times in connected)
            await asyncio.sleep(0.1)  # the interval at which they are asked


def plot(points: Sequence[Point]) -> str:
    """Recovery over people, as SVG: a line each for p50 and p95."""
    width, height, left, bottom, top = 640, 360, 60, 50, 30
    high = max(point.worst for point in points) * 1.1
    most = max(point.people for point in points)

    def at(people: float, seconds: float) -> str:
        x = left + people / most * (width - left - 90)
        return f"{x:.0f},{height - bottom - seconds / high * (height - bottom - top):.0f}"

    def line(label: str, colour: str, values: Sequence[float]) -> str:
        places = [at(point.people, value) for point, value in zip(points, values, strict=True)]
        dots = "".join('<circle cx="{}" cy="{}" r="3.5"/>'.format(*place.split(",")) for place in places)
        x, y = places[-1].split(",")
        return (
            f'<g stroke="{colour}" fill="{colour}"><polyline points="{" ".join(places)}" fill="none" stroke-width="2"/>{dots}'
            f'<text x="{int(x) + 10}" y="{int(y) + 4}" stroke="none">{label}</text></g>'
        )

    def mark(x: str, y: str, text: str, anchor: str) -> str:
        return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'

    axes = f'<path d="M{at(0, high)} L{at(0, 0)} L{at(most, 0)}" fill="none" stroke="#888"/>'
    step = next(step for step in (0.25, 0.5, 1, 2, 5, 10) if high / step <= 8)
    ticks = [
        mark(str(left - 8), at(0, n * step).split(",")[1], f"{n * step:g}", "end")
        for n in range(int(high / step) + 1)
    ]
    ticks += [
        mark(at(point.people, 0).split(",")[0], str(height - bottom + 18), str(point.people), "middle")
        for point in points
    ]
    titles = mark(str(left), "18", "Seconds without media after kill -9 of a node", "start")
    titles += mark(str((width + left) // 2), str(height - 10), "people on the node", "middle")
    lines = line("p50", "#2563eb", [point.p50 for point in points]) + line(
        "p95", "#dc2626", [point.p95 for point in points]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">'
        f'<rect width="{width}" height="{height}" fill="white"/>{axes}{"".join(ticks)}{titles}{lines}</svg>\n'
    )


def report(points: Sequence[Point], runs: int) -> None:
    """Write figures and plot, with host and commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    result = {
        "commit": commit.stdout.strip(),
        "host": f"{psutil.cpu_count()} cores, clients on the same machine",
        "kills": runs,
        "points": [asdict(point) for point in points],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "recovery.json").write_text(json.dumps(result, indent=2) + "\n")
    (RESULTS / "recovery.svg").write_text(plot(points))


async def main(people: Sequence[int], runs: int) -> None:
    """All numbers of people, on one stack."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        directory = Path(name)
        async with Stack(directory=directory / "stack", media=3, web=False) as stack:
            nc = await nats.connect(stack.nats_access("operator"), name="bench")
            points = [await measure(stack, Nodes(nc), directory, each, runs) for each in people]
            await nc.close()
    report(points, runs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="kills for each number of people")
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE, help=f"multiples of {ROOM}")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.people, chosen.runs))
