"""`make bench-join`: how long a join takes, and what it costs the servers.

Native: from the call to the first RTP packet of another's source (offer, Join, ICE, DTLS, first packet). Chromium: from the click on
"Join" to the first presented frame of another's tile. Server CPU a join: user and system time of every service during the joins, less
what the same services take in an equal time without joins, divided by the joins.

Beside the joins stands, from the same run, what one signaling call costs (PreviewRoom: gRPC, NATS and back), so that a noisy or
slow machine shows. Writes bench/results/join.json.
"""

import argparse
import asyncio
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.async_api import async_playwright
from salon_client.api import SignalingApi
from salon_client.link import Link
from salon_client.room import Room
from salon_client.run.stack import Stack
from support.native import Native
from support.pages import MEASURE, Participant, launch
from support.synthetic_media import PEOPLE

RESULTS = Path(__file__).parent / "results" / "join.json"
SENDER, JOINER = PEOPLE[:2]
KINDS = ("signaling", "rooms", "media", "nats")


@dataclass(frozen=True)
class Figure:
    """One line of the result."""

    name: str
    value: float
    unit: str
    figure: float | None
    """What is to be reached, where there is such a figure."""


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which this part of the values lies (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]


def summarise(name: str, seconds: Sequence[float], p50: float | None, p95: float | None) -> list[Figure]:
    """p50 and p95 of a series, in milliseconds."""
    return [
        Figure(f"{name}, p50", statistics.median(seconds) * 1000, "ms", p50),
        Figure(f"{name}, p95", percentile(seconds, 0.95) * 1000, "ms", p95),
    ]


class ServerCpu:
    """User and system seconds of each kind of service since its making."""

    def __init__(self, stack: Stack) -> None:
        self._processes = {name: psutil.Process(stack.pid(name)) for name in stack.names}
        self._start = self._read()
        self._began = time.monotonic()

    def _read(self) -> dict[str, float]:
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}

    def take(self) -> tuple[float, dict[str, float]]:
        """(seconds passed, CPU seconds by kind of service)."""
        now = self._read()
        used = {
            kind: sum(now[name] - self._start[name] for name in now if name.partition("-")[0] == kind)
            for kind in KINDS
        }
        return time.monotonic() - self._began, used


async def native_join(link: Link) -> float:
    began = time.perf_counter()
    async with Room.join(link, JOINER.name) as room:
        await asyncio.wait_for(room.media.first_packet(), 10)
        return time.perf_counter() - began


async def bench_native(stack: Stack, link: Link, joins: int) -> list[Figure]:
    await native_join(link)  # the first one loads the codecs
    idle = ServerCpu(stack)
    await asyncio.sleep(5)  # what the sender alone costs
    idle_seconds, idle_used = idle.take()
    during = ServerCpu(stack)
    times = []
    for number in range(joins):
        times.append(await native_join(link))
        show(f"native join {number + 1}/{joins}")
    seconds, used = during.take()
    cost = {kind: (used[kind] - idle_used[kind] * seconds / idle_seconds) / joins * 1000 for kind in KINDS}
    return [
        *summarise("native: call to first RTP", times, 40, None),
        Figure("server CPU a join", sum(cost.values()), "ms", 10),
        *(Figure(f"server CPU a join, {kind}", cost[kind], "ms", None) for kind in KINDS),
    ]


async def page_join(page: Participant, url: str) -> float:
    await page.page.goto("about:blank")
    await page.page.goto(url)
    await page.page.get_by_test_id("name-input").fill(page.person.name)
    await page.page.wait_for_function("document.querySelector('.preview video')?.videoWidth > 0")
    await page.page.evaluate("salonMeasure.timeJoin()")
    await page.page.get_by_test_id("join").click()
    milliseconds = float(await page.page.evaluate("salonMeasure.firstFrame()"))
    await page.page.get_by_test_id("leave").click()
    await page.page.get_by_test_id("leave").wait_for(state="detached")
    return milliseconds / 1000


async def bench_chromium(link: Link, joins: int, directory: Path) -> list[Figure]:
    async with async_playwright() as playwright:
        browser = await launch(playwright, JOINER, directory, (320, 180))
        context = await browser.new_context()
        await context.add_init_script(MEASURE)
        page = Participant(JOINER, context, await context.new_page())
        await page_join(page, link.url)  # the first one fills the caches
        times = []
        for number in range(joins):
            times.append(await page_join(page, link.url))
            show(f"Chromium join {number + 1}/{joins}")
        await browser.close()
    return summarise("Chromium: click to first frame", times, None, 400)


async def bench_call(stack: Stack, link: Link, calls: int = 200) -> list[Figure]:
    times = []
    async with SignalingApi(stack.signaling_grpc) as api:
        for _ in range(calls):
            began = time.perf_counter()
            await api.preview_room(link.room_id, link.secret)
            times.append(time.perf_counter() - began)
    return summarise("one signaling call", times, None, None)


def show(progress: str) -> None:
    """One line that replaces itself."""
    print(f"\r{progress:<40}", end="", file=sys.stderr, flush=True)


def report(figures: Sequence[Figure]) -> None:
    """Print the table, and write it with host and commit."""
    print(file=sys.stderr)
    for figure in figures:
        aim = f"   (figure: {figure.figure:g})" if figure.figure is not None else ""
        print(f"{figure.name:<40} {figure.value:8.1f} {figure.unit}{aim}")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    RESULTS.parent.mkdir(exist_ok=True)
    result = {
        "commit": commit.stdout.strip(),
        "host": f"{platform.machine()}, {psutil.cpu_count()} cores",
        "figures": [asdict(figure) for figure in figures],
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")


async def main(native: int, pages: int) -> None:
    """Run everything on a stack of its own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with Stack(rooms=2, signaling=2, media=2, directory=directory / "stack") as stack:
            link = await stack.create_room("Bench")
            async with Native.join(link.url, SENDER):
                figures = await bench_call(stack, link)
                figures += await bench_native(stack, link, native)
                if pages:
                    figures += await bench_chromium(link, pages, directory)
    report(figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--native", type=int, default=60, help="native joins")
    parser.add_argument("--pages", type=int, default=20, help="Chromium joins")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.native, chosen.pages))
