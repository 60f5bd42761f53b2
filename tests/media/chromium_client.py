"""Pages of a real Chromium as clients of a node in this process."""

from collections.abc import AsyncIterator

import pytest
from media.harness import Node, participant
from playwright.async_api import Browser, Page, async_playwright
from salon.media.v1 import channel_pb2
from support import chromium
from vectors.sdp.record_offers import MAKE_OFFER, Options


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser in which WebRTC and fake devices are allowed."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.require(), args=chromium.FLAGS)
        yield browser
        await browser.close()


async def open_page(browser: Browser) -> Page:
    """A page with access to media devices."""
    page = await browser.new_page()
    await page.goto("chrome://version")
    return page


async def join(node: Node, page: Page, options: Options, ordinal: int = 1, *, uplink_bps: int = 0) -> None:
    """Offer, admission, answer; returns when the data channel is open."""
    offer = await page.evaluate(MAKE_OFFER, options)
    answer = await node.admit_offer(participant(ordinal), offer, uplink_bps=uplink_bps)
    await page.evaluate("(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", answer)
    await page.evaluate(
        "() => channel.readyState === 'open' || new Promise((resolve) => { channel.onopen = () => resolve(true); })"
    )


async def want(page: Page, *wishes: tuple[int, int, int]) -> None:
    """Ask for (slot, source, height)."""
    slots = [
        channel_pb2.SlotWish(slot=slot, source=source, max_height=height) for slot, source, height in wishes
    ]
    message = channel_pb2.ClientMessage(layout=channel_pb2.Layout(slots=slots))
    await page.evaluate("(bytes) => channel.send(new Uint8Array(bytes))", list(message.SerializeToString()))
