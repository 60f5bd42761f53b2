"""`make bench-join`: how long a join takes, and what it costs the servers.

Native: from the call to the first RTP packet of another's source (offer, Join, ICE, DTLS, first packet). Chromium: from the click on
"Join" to the first presented frame of another's tile. Server CPU a join: user and system time of every service from the call until the
room knows the newcomer as present, less what the same services take in an equal time without joins. Leaving is measured apart.

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
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.async_api import async_playwright
from salon.rooms.v1 import room_pb2
from salon_client.api import SignalingApi
from salon_client.link import Link
from salon_client.room import Room
from salon_client.run.stack import Stack
from support.pages import MEASURE, Participant, launch, until
from support.synthetic_media import PEOPLE

RESULTS = Path(__file__).parent / "results" / "join.json"
SENDER, JOINER = PEOPLE[:2]
PREVIEW_SHOWS = "document.querySelector('.preview video')?.videoWidth > 0"
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


class Cost:
    """CPU seconds by kind of service, summed over the windows in which something was done."""

    def __init__(self) -> None:
        self.used = dict.fromkeys(KINDS, 0.0)
        self.seconds = 0.0

    def add(self, window: ServerCpu) -> None:
        """What was used from the window's making until now."""
        seconds, used = window.take()
        self.seconds += seconds
        for kind in KINDS:
            self.used[kind] += used[kind]

    def each(self, count: int, idle: "Cost") -> dict[str, float]:
        """Milliseconds for one of `count`, without what an idle time costs."""
        return {
            kind: (self.used[kind] - idle.used[kind] * self.seconds / idle.seconds) / count * 1000
            for kind in KINDS
        }


def is_present(room: Room) -> bool:
    own = room.state.participants.get(room.me)
    return own is not None and own.state == room_pb2.PARTICIPANT_STATE_PRESENT


async def native_visit(stack: Stack, link: Link, joining: Cost, leaving: Cost) -> float:
    """Join, be present, leave; answers the seconds to the first packet."""
    window = ServerCpu(stack)
    began = time.perf_counter()
    async with Room.join(link, JOINER.name) as room:
        await asyncio.wait_for(room.media.first_packet(), 10)
        seconds = time.perf_counter() - began
        await room.until(is_present)
        joining.add(window)
        window = ServerCpu(stack)
    leaving.add(window)
    return seconds


async def bench_native(stack: Stack, link: Link, joins: int) -> list[Figure]:
    idle, joining, leaving = Cost(), Cost(), Cost()
    await native_visit(stack, link, Cost(), Cost())  # the first one loads the codecs
    window = ServerCpu(stack)
    await asyncio.sleep(5)  # what the sender alone costs
    idle.add(window)
    times = []
    for number in range(joins):
        times.append(await native_visit(stack, link, joining, leaving))
        show(f"native join {number + 1}/{joins}")
    join_cost, leave_cost = joining.each(joins, idle), leaving.each(joins, idle)
    return [
        *summarise("native: call to first RTP", times, 40, None),
        Figure("server CPU a join", sum(join_cost.values()), "ms", 10),
        *(Figure(f"server CPU a join, {kind}", join_cost[kind], "ms", None) for kind in KINDS),
        Figure("server CPU a leave", sum(leave_cost.values()), "ms", None),
    ]


async def page_join(page: Participant, url: str) -> float:
    await page.page.goto("about:blank")
    await page.page.goto(url)
    await page.page.get_by_test_id("name-input").fill(page.person.name)
    await until("the preview shows", lambda: page.page.evaluate(PREVIEW_SHOWS))
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


@asynccontextmanager
async def sender(link: Link) -> AsyncIterator[None]:
    """Somebody to be seen and heard, in a process of its own: its encoding must not delay the joins that are timed."""
    command = [sys.executable, "-m", "salon_client", "join", link.url, "--name", SENDER.name]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with Room.join(link, "Scout") as room:
            await asyncio.wait_for(room.media.first_packet(), 20)
        yield
    finally:
        process.terminate()
        await process.wait()


async def main(native: int, pages: int) -> None:
    """Run everything on a stack of its own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with Stack(rooms=2, signaling=2, media=2, directory=directory / "stack") as stack:
            link = await stack.create_room("Bench")
            async with sender(link):
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
