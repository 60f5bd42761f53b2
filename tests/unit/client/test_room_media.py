"""How media sessions follow one another, with sessions that only note what is done to them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from salon.media.v1 import channel_pb2
from salon_client import room_media
from salon_client.events import MediaConnected, MediaLost, RoomNews, SlotsChanged, SpeakersChanged
from salon_client.feed import Feed
from salon_client.media import SessionReceiver
from salon_client.room_media import RoomMedia
from salon_client.tracks import NO_TRACKS, Lender
from salon_common.errors import Code, SalonError


@dataclass
class FakeSession:
    """In a MediaSession's place."""

    number: int
    receiver: SessionReceiver
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[channel_pb2.ClientMessage] = field(default_factory=list)
    was_sent: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    heard: int = 0
    silent: bool = False
    accepts: bool = True

    async def offer(self) -> str:
        return f"offer {self.number}"

    async def accept(self, answer: str) -> None:
        if not self.accepts:
            raise SalonError(Code.INTERNAL, "the node's answer cannot be used")

    def send(self, message: channel_pb2.ClientMessage) -> bool:
        self.sent.append(message)
        self.was_sent.set()
        return True

    async def sending(self, count: int) -> None:
        """Wait until so many messages were sent."""
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                self.was_sent.clear()
                await self.was_sent.wait()

    def received_datagrams(self) -> int:
        self.heard += not self.silent
        return self.heard

    async def close(self) -> None:
        self.closed = True
        self.failed.set()


@dataclass
class Bench:
    media: RoomMedia
    sessions: list[FakeSession]
    news: list[RoomNews]
    feed: Feed[RoomNews]
    needed: list[None]

    async def connect(self, node: str = "node-1") -> FakeSession:
        assert await self.media.offer() == f"offer {len(self.sessions)}"
        await self.media.accept("answer", node)
        session = self.sessions[-1]
        session.connected.set()
        await self.until(lambda: MediaConnected(node) in self.news)
        return session

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.feed.until(condition, 5)


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    sessions: list[FakeSession] = []

    def make(_lender: Lender, *, number: int, receiver: SessionReceiver, **_options: Any) -> FakeSession:
        sessions.append(FakeSession(number, receiver))
        return sessions[-1]

    monkeypatch.setattr(room_media, "MediaSession", make)
    monkeypatch.setattr(room_media, "LOOK_SECONDS", 0.005)
    feed: Feed[RoomNews] = Feed()
    news: list[RoomNews] = []
    needed: list[None] = []

    def publish(each: RoomNews) -> None:
        news.append(each)
        feed.publish(each)

    def on_needed() -> None:
        needed.append(None)
        feed.wake()

    media = RoomMedia(Lender(NO_TRACKS), video_slots=2, max_height=360, publish=publish, on_needed=on_needed)
    yield Bench(media, sessions, news, feed, needed)
    await media.close()


async def test_no_offer_while_a_session_serves(bench: Bench) -> None:
    await bench.connect()
    assert bench.media.connected
    assert await bench.media.offer() == ""


async def test_offer_is_the_same_until_it_is_answered(bench: Bench) -> None:
    assert await bench.media.offer() == await bench.media.offer() == "offer 1"
    assert len(bench.sessions) == 1


async def test_session_that_the_node_ends_is_replaced(bench: Bench) -> None:
    first = await bench.connect()
    first.failed.set()
    await bench.until(lambda: bool(bench.needed))
    assert MediaLost("node-1 ended the connection") in bench.news
    second = await bench.connect("node-2")
    assert first.closed
    assert not second.closed


async def test_silent_node_is_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salon_client.core.silence.SILENCE_SECONDS", 0.02)
    first = await bench.connect()
    first.silent = True
    await bench.until(lambda: bool(bench.needed))
    assert MediaLost("node-1 is silent") in bench.news
    assert await bench.media.offer() == "offer 2"


async def test_connection_that_never_comes_up_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_media, "_CONNECT_SECONDS", 0.01)
    await bench.media.offer()
    await bench.media.accept("answer", "node-1")
    await bench.until(lambda: bool(bench.needed))
    assert MediaLost("no connection to node-1") in bench.news


async def test_move_keeps_the_old_session_until_the_new_one_is_up(bench: Bench) -> None:
    old = await bench.connect()
    bench.media.need_session(drop=False)
    await bench.media.offer()
    await bench.media.accept("answer", "node-2")
    assert not old.closed
    bench.sessions[1].connected.set()
    await bench.until(lambda: MediaConnected("node-2") in bench.news)
    assert old.closed
    assert bench.media.connected


async def test_answer_that_cannot_be_used_asks_for_another_session(bench: Bench) -> None:
    await bench.media.offer()
    bench.sessions[0].accepts = False
    with pytest.raises(SalonError):
        await bench.media.accept("nonsense", "node-1")
    assert bench.needed
    assert await bench.media.offer() == "offer 2"


async def test_wishes_are_gathered_and_sent_again_to_a_new_node(bench: Bench) -> None:
    first = await bench.connect()
    sent = len(first.sent)
    for source in (5, 9, 13):
        bench.media.want((source, 0))
    bench.media.want((13, 0))
    await first.sending(sent + 1)
    assert len(first.sent) == sent + 1
    assert [wish.source for wish in first.sent[-1].layout.slots] == [13]
    bench.media.need_session(drop=True)
    second = await bench.connect("node-2")
    assert [wish.source for wish in second.sent[-1].layout.slots] == [13]


async def test_node_messages_become_news(bench: Bench) -> None:
    session = await bench.connect()
    shown = channel_pb2.SlotAssignment(kind=channel_pb2.SLOT_KIND_VIDEO, slot=1, source=9)
    session.receiver.session_message(1, channel_pb2.NodeMessage(slot_map=channel_pb2.SlotMap(slots=[shown])))
    session.receiver.session_message(
        1, channel_pb2.NodeMessage(speakers=channel_pb2.Speakers(sources=[8, 4], dominant=8))
    )
    session.receiver.session_message(1, channel_pb2.NodeMessage(quality=channel_pb2.Quality(downlink_bps=1)))
    assert bench.news[-2:] == [SlotsChanged(), SpeakersChanged((8, 4), 8)]
    assert bench.media.slot_map.source(channel_pb2.SLOT_KIND_VIDEO, 1) == 9


async def test_frames_go_to_every_sink(bench: Bench) -> None:
    class Sink:
        def __init__(self) -> None:
            self.got: list[tuple[int, Any]] = []

        def receive_frame(self, source: int, frame: Any) -> None:
            self.got.append((source, frame))

    sinks = [Sink(), Sink()]
    for sink in sinks:
        bench.media.add_sink(sink)
    bench.media.session_frame(1, 9, "frame")
    assert [sink.got for sink in sinks] == [[(9, "frame")]] * 2
