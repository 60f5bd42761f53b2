"""A real Chromium against the node's answer, DTLS and SCTP, over UDP on loopback; media is not in it."""

from collections.abc import AsyncIterator

import pytest
from media.chromium_client import browser, join, open_page
from media.harness import Node, participant, until
from media.loopback_engine import LoopbackEngine
from playwright.async_api import Browser, Page
from salon.media.v1 import channel_pb2
from salon.rooms.v1 import presence_pb2
from vectors.sdp.record_offers import CHROMIUM, Options

__all__ = ["browser"]
pytestmark = pytest.mark.browser


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(await LoopbackEngine.start())
    yield node
    await node.stop()


@pytest.fixture
async def page(browser: Browser) -> Page:
    return await open_page(browser)


async def join_alone(node: Node, page: Page, options: Options) -> LoopbackEngine:
    engine = node.engine
    assert isinstance(engine, LoopbackEngine)
    await join(node, page, options)
    return engine


@pytest.mark.parametrize("name", CHROMIUM)
async def test_chromium_accepts_the_answer_and_connects(node: Node, page: Page, name: str) -> None:
    options = CHROMIUM[name]
    engine = await join_alone(node, page, options)
    (session,) = engine.sessions.values()
    assert session.keys is not None
    assert session.keys[0] == 7
    directions = await page.evaluate("() => pc.getTransceivers().map((t) => t.currentDirection)")
    sends = options["sends"]
    assert directions == ["sendonly"] * len(sends) + ["recvonly"] * (4 + options["videoSlots"])
    encodings = await page.evaluate(
        "() => pc.getSenders().filter((s) => s.track).map((s) => s.getParameters().encodings.map((e) => e.rid))"
    )
    assert [len(layers) for layers in encodings] == [3 if kind == "camera" else 1 for kind in sends]
    streams = await page.evaluate(
        "() => pc.getReceivers().filter((r) => r.track.readyState === 'live').length"
    )
    assert streams >= 4 + options["videoSlots"]


async def test_messages_go_both_ways_and_a_closed_page_is_gone_at_once(node: Node, page: Page) -> None:
    engine = await join_alone(node, page, CHROMIUM["chromium_camera"])
    ((number, session),) = engine.sessions.items()
    await page.evaluate(
        "() => { window.got = []; channel.onmessage = (e) => window.got.push(Array.from(new Uint8Array(e.data))); }"
    )
    engine.tell(("slots", number, [(3, 0, 9, 1)]))
    # The roster comes with the opening, before or after the page listens.
    slot_map = channel_pb2.NodeMessage(
        slot_map=channel_pb2.SlotMap(
            slots=[
                channel_pb2.SlotAssignment(
                    kind=channel_pb2.SLOT_KIND_VIDEO, slot=0, source=9, first_timestamp=1
                )
            ]
        )
    )
    await page.wait_for_function(
        "(bytes) => window.got.some((message) => String(message) === String(bytes))",
        arg=list(slot_map.SerializeToString()),
    )
    layout = channel_pb2.ClientMessage(
        layout=channel_pb2.Layout(slots=[channel_pb2.SlotWish(slot=8, source=9, max_height=180)])
    )
    await page.evaluate("(bytes) => channel.send(new Uint8Array(bytes))", list(layout.SerializeToString()))
    await until(lambda: session.layouts == [[(8, 9, 180)]])
    node.statuses()
    await page.evaluate("() => pc.close()")
    await until(lambda: node.state.participants == 0)
    assert node.statuses() == {participant(1).id: presence_pb2.PRESENCE_STATUS_GONE}
