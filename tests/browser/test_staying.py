"""A page that is reloaded, or whose services are killed under it, stays the same participant and misses nothing."""

import asyncio
import itertools
from pathlib import Path

import pytest
from salon_client.run.stack import Stack
from support.control_client import ControlClient
from support.pages import Participant, participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CHATS = 40


async def test_reloads_and_kills_while_chat_goes_on(tmp_path: Path) -> None:
    async with (
        Stack(rooms=2, signaling=2, media=1, directory=tmp_path / "stack") as stack,
        participants(PEOPLE[:2], tmp_path) as pages,
    ):
        ada, bo = pages
        link = await stack.create_room("Stay")
        for page in pages:
            await page.join(link.url)
        await until("they see each other", lambda: see_each_other(ada, bo))
        own = await ada.page.evaluate("window.__salon.participantId")

        writer = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Writer")
        await writer.join()
        writing = asyncio.create_task(write(writer))
        await ada.page.reload()
        await ada.page.get_by_test_id("leave").wait_for(timeout=20_000)
        for victim in ("signaling-1", "nats", "signaling-2"):
            await stack.kill(victim)
            await stack.start(victim)
        await writing

        written = [f"message {number}" for number in range(CHATS)]
        for page in pages:
            await until(f"{page.person.name} has read all", lambda p=page: has_read(p, written), 60)
            numbers = await page.event_numbers()
            assert all(after == before + 1 for before, after in itertools.pairwise(numbers)), numbers
        assert await ada.page.evaluate("window.__salon.participantId") == own, "the same participant"
        await until("they see each other again", lambda: see_each_other(ada, bo), 30)
        await writer.leave()


async def test_a_page_that_is_closed_is_gone_for_the_others(tmp_path: Path) -> None:
    async with (
        Stack(rooms=1, signaling=1, media=1, directory=tmp_path / "stack") as stack,
        participants(PEOPLE[:2], tmp_path) as pages,
    ):
        ada, bo = pages
        link = await stack.create_room("Closing")
        for page in pages:
            await page.join(link.url)
        await until("they see each other", lambda: see_each_other(ada, bo))
        await bo.context.close()
        await until("the closed page is gone", lambda: sees_nobody(ada), 15)


async def write(writer: ControlClient) -> None:
    for number in range(CHATS):
        await writer.chat(f"message {number}")
        await writer.wait_until_seen(writer.last)


async def see_each_other(ada: Participant, bo: Participant) -> bool:
    one, other = ada.person.name, bo.person.name
    seen = [(await ada.tiles()).get(other), (await bo.tiles()).get(one)]
    return seen == [other, one]


async def sees_nobody(page: Participant) -> bool:
    return await page.frames() == {}


async def has_read(page: Participant, written: list[str]) -> bool:
    return await page.chats() == written
