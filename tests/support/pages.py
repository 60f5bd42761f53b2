"""Real Chromium pages as participants: one browser each, with its own colour and tone, driven as a person would.

What a page sees and hears is measured in the page from what it presents: pixels of its tiles' videos, and the
spectrum of the audio tracks it receives. The measuring is injected; the app knows nothing of it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright
from support.chromium import FLAGS, require
from support.synthetic_media import PEOPLE, Person, nearest, write_camera, write_microphone

MEASURE = (Path(__file__).parent / "measure.js").read_text()


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


async def launch(playwright: Playwright, person: Person, directory: Path, size: tuple[int, int]) -> Browser:
    """A browser whose camera and microphone are the person's."""
    camera = write_camera(directory / f"{person.name}.y4m", person, width=size[0], height=size[1])
    microphone = write_microphone(directory / f"{person.name}.wav", person)
    return await playwright.chromium.launch(
        executable_path=require(),
        args=[
            *FLAGS,
            f"--use-file-for-fake-video-capture={camera}",
            f"--use-file-for-fake-audio-capture={microphone}",
        ],
    )


@asynccontextmanager
async def participants(
    people: Iterable[Person], directory: Path, *, camera: tuple[int, int] = (320, 180)
) -> AsyncIterator[list[Participant]]:
    """A browser and a page for each person."""
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        made = []
        for person in people:
            browser = await launch(playwright, person, directory, camera)
            stack.push_async_callback(browser.close)
            context = await browser.new_context(viewport={"width": 1000, "height": 700})
            await context.add_init_script(MEASURE)
            made.append(Participant(person, context, await context.new_page()))
        yield made
