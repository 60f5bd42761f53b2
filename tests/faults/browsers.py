"""Chromium as people run it: its own process, tabs that really go to the background, timers that are throttled there.

Playwright's own launch keeps every page visible and its timers at full speed, so the browser is started here and only connected to.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, Playwright, async_playwright
from support.chromium import FLAGS, require
from support.pages import GAPS, MEASURE, Participant
from support.synthetic_media import Person, write_camera, write_microphone

_START_SECONDS = 20.0


@asynccontextmanager
async def seated(
    people: Sequence[Person], directory: Path, camera: tuple[int, int]
) -> AsyncIterator[list[Participant]]:
    """A browser and a page for each person."""
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        yield [
            await stack.enter_async_context(_participant(playwright, person, directory, camera))
            for person in people
        ]


@asynccontextmanager
async def _participant(
    playwright: Playwright, person: Person, directory: Path, camera: tuple[int, int]
) -> AsyncIterator[Participant]:
    picture = write_camera(directory / f"{person.name}.y4m", person, width=camera[0], height=camera[1])
    sound = write_microphone(directory / f"{person.name}.wav", person)
    profile = directory / f"{person.name}-profile"
    process = await asyncio.create_subprocess_exec(
        *(require(), "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}", *FLAGS),
        *("--window-size=1000,780", f"--use-file-for-fake-video-capture={picture}"),
        *(f"--use-file-for-fake-audio-capture={sound}", "about:blank"),
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # the kernel shares processors among sessions: a device each
    )
    try:
        endpoint = f"http://127.0.0.1:{await _debugging_port(profile)}"
        browser = await playwright.chromium.connect_over_cdp(endpoint, no_defaults=True)
        context = browser.contexts[0]
        for script in (MEASURE, GAPS):
            await context.add_init_script(script)
        yield Participant(person, context, await context.new_page())
        await browser.close()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _debugging_port(profile: Path) -> int:
    """Chromium writes down the port that it took, a little before it listens there."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(_START_SECONDS):
        while not (file.exists() and file.read_text()):  # noqa: ASYNC110 - the file can only be looked for
            await asyncio.sleep(0.05)  # the interval at which it is
        port = int(file.read_text().split()[0])
        while not await _listens(port):  # noqa: ASYNC110 - it can only be tried
            await asyncio.sleep(0.05)  # the interval at which it is tried
    return port


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def put_in_background(participant: Participant) -> Page:
    """Open another tab in front: that tab. Raises AssertionError when the page stays visible."""
    other = await participant.context.new_page()
    await other.bring_to_front()
    async with asyncio.timeout(_START_SECONDS):
        while await participant.page.evaluate("document.visibilityState") != "hidden":  # noqa: ASYNC110 - it can only be asked
            await asyncio.sleep(0.05)  # the interval at which it is
    return other
