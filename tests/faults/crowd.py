"""The participants of a fault test: native ones in processes of their own, and Chromium pages.

The harness's own process measures nothing: its pauses must not look like gaps.
"""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.browsers import put_in_background
from salon_client.link import Link
from support.pages import Gaps, Participant, until

PROGRAM = Path(__file__).with_name("native_crowd.py")
_ANSWER_BYTES = 1 << 24
_JOIN_SECONDS = 30.0


class NativeCrowd:
    """One process of native participants."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def start(cls, log: Path) -> AsyncIterator["NativeCrowd"]:
        """A process without members yet; it ends with the block."""
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(PROGRAM)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                limit=_ANSWER_BYTES,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # the kernel shares processors among sessions: a device each
            )
        crowd = cls(process)
        try:
            yield crowd
        finally:
            crowd._reading.cancel()
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def call(self, what: str, **fields: Any) -> Any:
        """Have the process do something. Raises RuntimeError with what it said went wrong."""
        assert self._process.stdin is not None
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._process.stdin.write(json.dumps({"id": number, "do": what, **fields}).encode() + b"\n")
        return await asyncio.wait_for(answer, fields.get("seconds", 0) + _JOIN_SECONDS)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            answer = self._waiting.pop(said["id"])
            if answer.done():
                continue
            if "error" in said:
                answer.set_exception(RuntimeError(said["error"]))
            else:
                answer.set_result(said["answer"])
        for answer in self._waiting.values():
            answer.set_exception(RuntimeError("the process of native participants has ended: see its log"))


@dataclass(frozen=True)
class Native:
    """One native participant, by its name in its process."""

    name: str
    process: NativeCrowd
    node: str
    """Where it was placed when it joined."""


@dataclass(frozen=True)
class Seat:
    """How somebody native takes part."""

    speaks: bool
    fps: int = 10
    """Pictures a second of 160x120; 0 for no camera."""


async def join_native(
    process: NativeCrowd, link: Link, name: str, signaling: Sequence[str], seat: Seat
) -> Native:
    """Enter a room."""
    entered = await process.call(
        "join",
        name=name,
        room=link.room_id,
        secret=link.secret,
        signaling=list(signaling),
        speaks=seat.speaks,
        fps=seat.fps,
    )
    return Native(name, process, entered["node"])


class Members:
    """Some native participants over several processes, asked all together."""

    def __init__(self, natives: Sequence[Native]) -> None:
        self.natives = natives

    def _by_process(self) -> dict[NativeCrowd, list[str]]:
        found: dict[NativeCrowd, list[str]] = {}
        for native in self.natives:
            found.setdefault(native.process, []).append(native.name)
        return found

    async def mark(self) -> float:
        """Start all windows: when the last was started."""
        return max(await asyncio.gather(*(each.call("mark") for each in self._by_process())), default=0.0)

    async def wait_heard(self, since: float, seconds: float) -> dict[str, list[str]]:
        """Wait until all hear all others again: who lacks whom when the time is over."""
        answers = await asyncio.gather(
            *(
                each.call("wait_heard", since=since, seconds=seconds, names=names)
                for each, names in self._by_process().items()
            )
        )
        return {name: lack for answer in answers for name, lack in answer.items()}

    async def wait_people(self, count: int, seconds: float) -> list[str]:
        """Wait until all see so many present, and nobody else: who does not when the time is over."""
        answers = await asyncio.gather(
            *(
                each.call("wait_people", count=count, seconds=seconds, names=names)
                for each, names in self._by_process().items()
            )
        )
        return [name for answer in answers for name in answer]

    async def report(self) -> dict[str, Any]:
        """What each received."""
        answers = await asyncio.gather(
            *(each.call("report", names=names) for each, names in self._by_process().items())
        )
        return {name: report for answer in answers for name, report in answer.items()}

    async def silence(self) -> None:
        """All cameras and microphones off."""
        await asyncio.gather(*(each.call("silence") for each in self._by_process()))

    async def leave(self) -> None:
        """Out of their rooms."""
        await asyncio.gather(
            *(each.call("leave", names=names, quietly=False) for each, names in self._by_process().items())
        )


class Pages:
    """Chromium pages that come to rooms and go, each in a browser of its own."""

    def __init__(self, pages: Sequence[Participant]) -> None:
        self.pages = pages
        self._others = AsyncExitStack()

    async def join(self, links: Sequence[Link], others: int) -> None:
        """Each page enters its room, and waits until it sees frames of `others` people."""
        await asyncio.gather(
            *(self._join(page, link, others) for page, link in zip(self.pages, links, strict=True))
        )

    async def _join(self, page: Participant, link: Link, others: int) -> None:
        await page.page.goto("about:blank")  # another link of the same site would not load the page anew
        await page.join(link.url)

        async def sees_all() -> bool:
            frames = await page.frames()
            return len(frames) == others and all(frames.values())

        await until(f"{page.person.name} sees {others} others", sees_all, 30)

    async def mark(self) -> None:
        """Start all windows."""
        await asyncio.gather(*(page.mark() for page in self.pages))

    async def wait_heard(self, seconds: float, *, idle: bool) -> list[str]:
        """Wait until something new came of every source since the mark: whose page lacks some when the time is over."""

        async def wait(page: Participant) -> str:
            async def hears_all() -> bool:
                return _all_came(await page.gaps(), idle=idle)

            try:
                await until("", hears_all, seconds)
            except AssertionError:
                return page.person.name
            return ""

        return [name for name in await asyncio.gather(*map(wait, self.pages)) if name]

    async def gaps(self) -> dict[str, Gaps]:
        """What each page went without."""
        read = await asyncio.gather(*(page.gaps() for page in self.pages))
        return {page.person.name: gaps for page, gaps in zip(self.pages, read, strict=True)}

    async def silence(self) -> None:
        """All cameras and microphones off."""
        for page in self.pages:
            for button in ("mute", "camera"):
                await page.page.get_by_test_id(button).click()

    async def hide(self) -> None:
        """Put another tab in front of each page."""
        for page in self.pages:
            other = await put_in_background(page)
            self._others.push_async_callback(other.close)

    async def leave(self) -> None:
        """Out of their rooms, and in front again."""
        await self._others.aclose()
        for page in self.pages:
            await page.page.bring_to_front()
            await page.page.goto("about:blank")


def _all_came(gaps: Gaps, *, idle: bool) -> bool:
    lines = (
        [gaps.packets["transport"]] if idle and "transport" in gaps.packets else list(gaps.sources.values())
    )
    return bool(lines) and all(line.count > 0 for line in lines)
