"""The main job: three Chromium pages and a native client see, hear and message each other."""

import asyncio
from pathlib import Path

import pytest
from salon_client.run.stack import Stack
from support.native import Native
from support.pages import Participant, participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PAGES = PEOPLE[:3]
NATIVE = PEOPLE[3]
EVERYBODY = {person.name for person in PEOPLE[:4]}


async def sees_all(page: Participant) -> bool:
    others = EVERYBODY - {page.person.name}
    return await page.tiles() == {name: name for name in others}


async def test_everybody_sees_hears_and_reads_everybody(tmp_path: Path) -> None:
    async with (
        Stack(rooms=2, signaling=2, media=2, directory=tmp_path / "stack") as stack,
        participants(PAGES, tmp_path) as pages,
    ):
        link = await stack.create_room("Four of us")
        for page in pages:
            await page.join(link.url)
        async with Native.join(link.url, NATIVE) as native:
            await asyncio.gather(
                *(until(f"{page.person.name} sees all", lambda p=page: sees_all(p)) for page in pages)
            )
            await until("the native client sees all", lambda: native.sees(EVERYBODY - {NATIVE.name}))
            await frames_grow(pages)
            await everybody_hears_everybody(pages, native)
            await chat_arrives_in_order(pages, native)
            left_at = asyncio.get_running_loop().time()
            await native.leave()
            await asyncio.gather(
                *(until("the leaver is gone", lambda p=page: is_gone(p, NATIVE.name), 2) for page in pages)
            )
            assert asyncio.get_running_loop().time() - left_at < 2


async def is_gone(page: Participant, name: str) -> bool:
    return name not in await page.frames()


async def frames_grow(pages: list[Participant]) -> None:
    for page in pages:
        before = await page.frames()

        async def grown(page: Participant = page, before: dict[str, int] = before) -> bool:
            now = await page.frames()
            return all(now[name] > frames + 10 for name, frames in before.items())

        await until(f"frames grow at {page.person.name}", grown)


async def everybody_hears_everybody(pages: list[Participant], native: Native) -> None:
    for page in pages:
        heard: set[str] = set()

        async def hears_all(page: Participant = page, heard: set[str] = heard) -> bool:
            heard |= await page.heard()
            assert page.person.name not in heard, "nobody hears themselves"
            return heard == EVERYBODY - {page.person.name}

        await until(f"{page.person.name} hears all", hears_all, 30)
    await until("the native client hears all", lambda: native.hears({p.name: p.tone for p in PAGES}), 30)


async def chat_arrives_in_order(pages: list[Participant], native: Native) -> None:
    written = []
    for number in range(4):
        for page in pages:
            written.append(f"{page.person.name} says {number}")
            await page.say(written[-1])
            await until("the message is seen by its writer", lambda p=page: is_last(p, written[-1]))
        written.append(f"{NATIVE.name} says {number} <b>not bold</b>")
        await native.say(written[-1])
    for page in pages:
        await until(f"{page.person.name} reads all", lambda p=page: reads(p, written))
    await until("the native client reads all", lambda: native.read(written))


async def is_last(page: Participant, text: str) -> bool:
    return (await page.chats())[-1:] == [text]


async def reads(page: Participant, written: list[str]) -> bool:
    return await page.chats() == written
