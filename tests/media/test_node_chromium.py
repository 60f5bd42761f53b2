"""Pages of a real Chromium receive each other through the whole node."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from media.chromium_client import browser, join, open_page, want
from media.harness import Node, participant, until
from playwright.async_api import Browser, Page
from salon.rooms.v1 import room_pb2
from salon_media.engine import start_engine
from vectors.sdp.record_offers import CHROMIUM

__all__ = ["browser"]
pytestmark = pytest.mark.browser

STATS = """
async () => [...(await pc.getStats()).values()].filter((s) => s.type === 'inbound-rtp').map((s) => ({
  kind: s.kind, frames: s.framesDecoded ?? 0, height: s.frameHeight ?? 0, packets: s.packetsReceived,
}))
"""


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(start_engine("127.0.0.1", 0))
    yield node
    await node.stop()


def camera_of(ordinal: int) -> int:
    sources = participant(ordinal).sources
    return next(source.number for source in sources if source.kind == room_pb2.SOURCE_KIND_CAMERA)


async def flowing(page: Page) -> bool:
    """Whether pictures are decoded in one slot, and sound arrives in another. Playing it takes an element in the page."""
    stats: list[dict[str, Any]] = await page.evaluate(STATS)
    pictures = [item for item in stats if item["frames"] > 20]
    assert all(item["height"] in (180, 360) for item in pictures)
    return bool(pictures) and any(item["kind"] == "audio" and item["packets"] > 20 for item in stats)


async def test_two_pages_receive_each_other(node: Node, browser: Browser) -> None:
    pages = [await open_page(browser), await open_page(browser)]
    for ordinal, page in enumerate(pages, start=1):
        await join(node, page, CHROMIUM["chromium_camera"], ordinal)
    for page, shown in zip(pages, (2, 1), strict=True):
        await want(page, (3, camera_of(shown), 360))
    async with asyncio.timeout(20):
        for page in pages:
            while not await flowing(page):
                pass
    for page in pages:
        await page.evaluate("() => pc.close()")
    await until(lambda: node.state.participants == 0)


LAYERS = """
async () => {
  const stats = [...(await pc.getStats()).values()];
  const pair = stats.find((s) => s.type === 'candidate-pair' && s.nominated);
  const sent = stats.filter((s) => s.type === 'outbound-rtp' && s.kind === 'video' && s.framesEncoded > 0);
  return { kbps: Math.round((pair?.availableOutgoingBitrate ?? 0) / 1000), layers: sent.map((s) => s.rid) };
}
"""


async def test_who_is_moved_sends_all_layers_at_once(node: Node, browser: Browser) -> None:
    """Without the hint libwebrtc begins at 300 kbit/s, where it sends two of three layers for half a minute."""
    page = await open_page(browser)
    await join(node, page, CHROMIUM["chromium_camera"], uplink_bps=1_500_000)
    async with asyncio.timeout(3):
        while len((stats := await page.evaluate(LAYERS))["layers"]) < 3:
            pass
    assert 1400 <= stats["kbps"] <= 4000
    await page.close()
