"""Real Chromium pages as participants: one browser each, with its own colour and tone, driven as a person would.

What a page sees and hears is measured in the page from what it presents: pixels of its tiles' videos, and the
spectrum of the audio tracks it receives. The measuring is injected; the app knows nothing of it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright
from support.chromium import FLAGS, require
from support.synthetic_media import PEOPLE, Person, nearest, write_camera, write_microphone

MEASURE = (Path(__file__).parent / "measure.js").read_text()
GAPS = (Path(__file__).parent / "gaps.js").read_text()

TONE_PAUSE = 0.15
"""How long the tones of `synthetic_media` pause between two bursts: a silence no longer than that is none."""


@dataclass(frozen=True)
class Gap:
    """The longest time without something, in seconds since the epoch."""

    seconds: float
    began: float
    ended: float
    count: int
    """How often it came in the whole window."""
    last: float
    """When it came last."""

    @classmethod
    def read(cls, line: dict[str, float]) -> "Gap":
        """From what gaps.js says, which is in milliseconds."""
        return cls(
            line["ms"] / 1000, line["from"] / 1000, line["to"] / 1000, int(line["count"]), line["last"] / 1000
        )


@dataclass(frozen=True)
class Gaps:
    """What a page went without since `Participant.mark`; it had to be there before, or to come once in the window."""

    frames: dict[str, Gap]
    """By the name on the tile: without a presented, uncovered frame. Hidden pages present none."""
    packets: dict[str, Gap]
    """`media`, `audio`, `video`: without a packet of any other's source. `transport`: without any packet, ±50 ms."""
    sources: dict[int, Gap]
    """By source number: without a decoded frame or sound of it, presented or not."""
    tones: dict[str, Gap]
    """By person: without its tone in what is played; TONE_PAUSE of it is the tone's own."""
    two_nodes: float
    """The longest time in one piece, in seconds, with media from two connections."""
    heard_twice: float
    """How long, in seconds, two connections were audible at once."""
    not_heard: float
    """How long, in seconds, no connection was audible."""


class Participant:
    """One person at one Chromium page."""

    def __init__(self, person: Person, context: BrowserContext, page: Page) -> None:
        self.person = person
        self.context = context
        self.page = page
        self.messages: list[str] = []
        page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.messages.append(f"pageerror: {error}"))

    async def join(self, url: str) -> None:
        """Open the link, give the name, press Join, and wait until in."""
        await self.page.goto(url)
        await self.page.get_by_test_id("name-input").fill(self.person.name)
        await self.page.get_by_test_id("join").click()
        await self.page.get_by_test_id("leave").wait_for(timeout=20_000)

    async def say(self, text: str) -> None:
        """Write a chat message."""
        box = self.page.get_by_test_id("chat-input")
        if not await box.is_visible():
            await self.page.get_by_test_id("chat-open").click()
        await box.fill(text)
        await self.page.get_by_test_id("chat-send").click()

    async def chats(self) -> list[str]:
        """The texts of the messages that stand in the chat."""
        return cast("list[str]", await self.page.evaluate("salonMeasure.chats()"))

    async def tiles(self) -> dict[str, str]:
        """Name under each tile of others → name of the person whose colour the picture has; covered tiles left out."""
        seen = cast("list[dict[str, Any]]", await self.page.evaluate("salonMeasure.tiles()"))
        return {tile["name"]: nearest(tuple(tile["colour"])).name for tile in seen if not tile["covered"]}

    async def frames(self) -> dict[str, int]:
        """Name under each tile of others → frames presented so far."""
        seen = cast("list[dict[str, Any]]", await self.page.evaluate("salonMeasure.tiles()"))
        return {tile["name"]: int(tile["frames"]) for tile in seen}

    async def heard(self) -> set[str]:
        """Whose tones are heard just now."""
        peaks = cast("list[float]", await self.page.evaluate("salonMeasure.peaks()"))
        return {person.name for person in PEOPLE for peak in peaks if abs(peak - person.tone) < 25}

    async def mark(self) -> None:
        """Start a window for `gaps`: for those who have a tile. Measuring goes on until the page is closed."""
        there = await self.frames()
        await self.page.evaluate(
            "(tones) => salonGaps.mark(tones)",
            {person.name: person.tone for person in PEOPLE if person.name in there},
        )

    async def gaps(self) -> Gaps:
        """What the page went without since `mark`."""
        read = cast("dict[str, dict[str, Any]]", await self.page.evaluate("salonGaps.read()"))

        def lines(name: str) -> dict[str, Gap]:
            return {key: Gap.read(line) for key, line in read[name].items()}

        return Gaps(
            frames=lines("frames"),
            packets=lines("packets"),
            sources={int(source): gap for source, gap in lines("sources").items()},
            tones=lines("tones"),
            two_nodes=read["twoNodes"]["longest"] / 1000,
            heard_twice=read["heardTwice"]["total"] / 1000,
            not_heard=read["notHeard"]["total"] / 1000,
        )

    async def event_numbers(self) -> list[int]:
        """The numbers of the events that the page has seen."""
        return cast("list[int]", await self.page.evaluate("[...window.__salon.eventLog]"))


async def until(what: str, check: Any, seconds: float = 20.0) -> Any:
    """Wait until `await check()` is true; on time-out say `what` and the last value."""
    value: Any = None
    try:
        async with asyncio.timeout(seconds):
            while not (value := await check()):  # noqa: ASYNC110 - a page can only be asked
                await asyncio.sleep(0.05)  # the interval at which the page is asked
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds} s") from None
    return value


async def launch(
    playwright: Playwright, person: Person, directory: Path, size: tuple[int, int], flags: Iterable[str] = ()
) -> Browser:
    """A browser whose camera and microphone are the person's."""
    camera = write_camera(directory / f"{person.name}.y4m", person, width=size[0], height=size[1])
    microphone = write_microphone(directory / f"{person.name}.wav", person)
    return await playwright.chromium.launch(
        executable_path=require(),
        args=[
            *FLAGS,
            *flags,
            f"--use-file-for-fake-video-capture={camera}",
            f"--use-file-for-fake-audio-capture={microphone}",
        ],
    )


@asynccontextmanager
async def participants(
    people: Iterable[Person],
    directory: Path,
    *,
    camera: tuple[int, int] = (320, 180),
    flags: Sequence[str] = (),
) -> AsyncIterator[list[Participant]]:
    """A browser and a page for each person; `flags` are more of Chromium's."""
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        made = []
        for person in people:
            browser = await launch(playwright, person, directory, camera, flags)
            stack.push_async_callback(browser.close)
            context = await browser.new_context(viewport={"width": 1000, "height": 700})
            for script in (MEASURE, GAPS):
                await context.add_init_script(script)
            made.append(Participant(person, context, await context.new_page()))
        yield made
