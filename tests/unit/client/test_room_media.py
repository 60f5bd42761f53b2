"""How media sessions follow one another, with sessions that only note what is done to them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import av
import pytest
from salon.media.v1 import channel_pb2
from salon_client import room_media, watch
from salon_client.core.quality import QualityMeter
from salon_client.events import MediaConnected, MediaLost, RoomNews, SlotsChanged, SpeakersChanged
from salon_client.feed import Feed
from salon_client.media import SessionReceiver
from salon_client.room_media import MediaOffer, RoomMedia
from salon_client.tracks import NO_TRACKS, Lender
from salon_common.errors import Code, SalonError


@dataclass
class FakeSession:
    """In a MediaSession's place."""

    number: int
    receiver: SessionReceiver
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    first_packet: asyncio.Event = field(default_factory=asyncio.Event)
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

    def says(self, **body: Any) -> None:
        """A message of the node on the data channel."""
        self.receiver.session_message(self.number, channel_pb2.NodeMessage(**body))

    async def closing(self) -> None:
        """Wait until it is closed."""
        async with asyncio.timeout(5):
            await self.failed.wait()

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
        session = await self.answer(node)
        session.connected.set()
        await self.until(lambda: MediaConnected(node) in self.news)
        return session

    async def answer(self, node: str = "node-1") -> FakeSession:
        """The node has answered; nothing is connected yet. The epoch is the session's number."""
        assert (await self.media.offer()).sdp == f"offer {len(self.sessions)}"
        await self.media.accept("answer", node, len(self.sessions))
        return self.sessions[-1]

    def roster(self, session: FakeSession, *microphones: int) -> None:
        session.says(roster=channel_pb2.Roster(microphones=microphones))

    def picture(self, session: FakeSession, source: int) -> None:
        """A frame that has its session's number as `pts`."""
        frame = av.VideoFrame(16, 16)
        frame.pts = session.number
        self.media.session_frame(session.number, source, frame)

    def sound(self, session: FakeSession, source: int) -> None:
        frame = av.AudioFrame("s16", "mono", 960)
        frame.pts = session.number
        self.media.session_frame(session.number, source, frame)

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.feed.until(condition, 5)


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    sessions: list[FakeSession] = []

    def make(_lender: Lender, *, number: int, receiver: SessionReceiver, **_options: Any) -> FakeSession:
        sessions.append(FakeSession(number, receiver))
        return sessions[-1]

    monkeypatch.setattr(room_media, "MediaSession", make)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.005)
    feed: Feed[RoomNews] = Feed()
    news: list[RoomNews] = []
    needed: list[None] = []

    def publish(each: RoomNews) -> None:
        news.append(each)
        feed.publish(each)

    def on_needed() -> None:
        needed.append(None)
        feed.wake()

    media = RoomMedia(
        Lender(NO_TRACKS),
        video_slots=2,
        max_height=360,
        publish=publish,
        on_needed=on_needed,
        meter=QualityMeter(0.0),
    )
    yield Bench(media, sessions, news, feed, needed)
    await media.close()


async def test_no_offer_while_a_session_serves(bench: Bench) -> None:
    await bench.connect()
    assert bench.media.connected
    assert await bench.media.offer() == MediaOffer()


async def test_offer_is_the_same_until_it_is_answered(bench: Bench) -> None:
    assert await bench.media.offer() == await bench.media.offer() == MediaOffer("offer 1")
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
    assert await bench.media.offer() == MediaOffer("offer 2", unheard_epoch=1)
    await bench.connect("node-2")
    bench.media.restart()
    assert (await bench.media.offer()).unheard_epoch == 0


async def test_connection_that_never_comes_up_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "CONNECT_SECONDS", 0.01)
    await bench.answer()
    await bench.until(lambda: bool(bench.needed))
    assert MediaLost("no connection to node-1") in bench.news
    assert bench.sessions[0].closed


async def test_answer_that_cannot_be_used_asks_for_another_session(bench: Bench) -> None:
    await bench.media.offer()
    bench.sessions[0].accepts = False
    with pytest.raises(SalonError):
        await bench.media.accept("nonsense", "node-1", 1)
    assert bench.needed
    assert (await bench.media.offer()).sdp == "offer 2"


# ---- moves


async def test_live_move_keeps_the_old_session_until_the_new_one_has_everybody(bench: Bench) -> None:
    old = await bench.connect()
    bench.roster(old, 4, 8)
    bench.media.move(make_before_break=True, spread=0.0)
    assert bench.needed
    assert not bench.media.connected
    new = await bench.connect("node-2")
    assert bench.media.connected
    assert bench.media.sessions == (1, 2)
    bench.roster(new, 4)
    assert old.sent[-1].WhichOneof("body") == "layout"
    bench.roster(new, 4, 8)
    await old.closing()
    assert old.sent[-1].epoch_seen.epoch == 2
    assert all(each.WhichOneof("body") == "layout" for each in new.sent), "for nodes being left alone"
    assert bench.media.sessions == (2,)
    assert not any(isinstance(each, MediaLost) for each in bench.news)


async def test_sinks_get_one_row_of_frames_through_a_move(bench: Bench) -> None:
    sink = Sink()
    bench.media.add_sink(sink)
    old = await bench.connect()
    bench.roster(old, 4)
    bench.media.move(make_before_break=True, spread=0.0)
    new = await bench.connect("node-2")
    for session in (old, new, old):
        bench.picture(session, 5)
        bench.sound(session, 4)
    bench.roster(new, 4)
    for session in (new, old):
        bench.sound(session, 4)
    assert sink.got == [(5, 1), (4, 1), (5, 2), (4, 1), (4, 2)]


async def test_candidate_that_fails_leaves_the_old_session_in_use(bench: Bench) -> None:
    old = await bench.connect()
    bench.media.move(make_before_break=True, spread=0.0)
    failing = await bench.answer("node-2")
    failing.failed.set()
    await bench.until(lambda: len(bench.needed) == 2)
    assert failing.closed
    assert not old.closed
    assert bench.media.sessions == (1,)
    assert not any(isinstance(each, MediaLost) for each in bench.news)
    await bench.connect("node-2")


async def test_second_move_overtakes_a_candidate_that_is_not_up(bench: Bench) -> None:
    old = await bench.connect()
    bench.media.move(make_before_break=True, spread=0.0)
    first = await bench.answer("node-2")
    bench.media.move(make_before_break=True, spread=0.0)
    await bench.connect("node-3")
    assert first.closed
    assert not old.closed
    assert bench.media.sessions == (1, 3)


async def test_old_session_lost_while_the_new_one_connects(bench: Bench) -> None:
    old = await bench.connect()
    bench.media.move(make_before_break=True, spread=0.0)
    new = await bench.answer("node-2")
    old.failed.set()
    await bench.until(lambda: MediaLost("node-1 ended the connection") in bench.news)
    assert len(bench.needed) == 1, "the new one is on its way"
    new.connected.set()
    await bench.until(lambda: bench.media.connected)


async def test_move_from_a_dead_node_closes_at_once_and_waits_its_turn(bench: Bench) -> None:
    old = await bench.connect()
    bench.media.move(make_before_break=False, spread=0.02)
    assert bench.media.sessions == ()
    assert MediaLost("node-1 is gone") in bench.news
    assert bench.needed == []
    assert await bench.media.offer() == MediaOffer(), "a Join for another reason does not jump the queue"
    await bench.until(lambda: bool(bench.needed))
    await bench.connect("node-2")
    assert old.closed


async def test_death_of_the_node_on_the_way_leaves_the_old_session_alone(bench: Bench) -> None:
    old = await bench.connect()
    bench.media.move(make_before_break=True, spread=0.0)
    bench.media.move(make_before_break=False, spread=0.0)
    assert not old.closed
    await bench.connect("node-3")
    assert bench.media.sessions == (1, 2)


async def test_loss_while_a_move_waits_does_not_jump_the_queue(bench: Bench) -> None:
    old = await bench.connect()
    bench.media.move(make_before_break=True, spread=0.05)
    old.failed.set()
    await bench.until(lambda: MediaLost("node-1 ended the connection") in bench.news)
    assert bench.needed == []
    await bench.until(lambda: bool(bench.needed))


async def test_what_the_node_could_send_is_told_to_the_next(bench: Bench) -> None:
    session = await bench.connect()
    session.says(quality=channel_pb2.Quality(downlink_bps=900_000))
    bench.media.move(make_before_break=True, spread=0.0)
    assert await bench.media.offer() == MediaOffer("offer 2", downlink_bps=900_000)


async def test_nobody_waits_for_people_who_have_left(bench: Bench) -> None:
    old = await bench.connect()
    bench.roster(old, 4, 8)
    bench.media.move(make_before_break=True, spread=0.0)
    new = await bench.connect("node-2")
    bench.roster(new, 4)
    bench.media.see_people([4])
    await old.closing()


async def test_wishes_are_gathered_and_sent_again_to_a_new_node(bench: Bench) -> None:
    first = await bench.connect()
    sent = len(first.sent)
    for source in (5, 9, 13):
        bench.media.want((source, 0))
    bench.media.want((13, 0))
    await first.sending(sent + 1)
    assert len(first.sent) == sent + 1
    assert [wish.source for wish in first.sent[-1].layout.slots] == [13]
    bench.media.move(make_before_break=False, spread=0.0)
    second = await bench.connect("node-2")
    assert [wish.source for wish in second.sent[-1].layout.slots] == [13]


async def test_node_messages_become_news(bench: Bench) -> None:
    session = await bench.connect()
    shown = channel_pb2.SlotAssignment(kind=channel_pb2.SLOT_KIND_VIDEO, slot=1, source=9)
    session.says(slot_map=channel_pb2.SlotMap(slots=[shown]))
    session.says(speakers=channel_pb2.Speakers(sources=[8, 4], dominant=8))
    session.says(quality=channel_pb2.Quality(downlink_bps=1))
    assert bench.news[-2:] == [SlotsChanged(), SpeakersChanged((8, 4), 8)]
    assert bench.media.slot_map.source(channel_pb2.SLOT_KIND_VIDEO, 1) == 9


async def test_speakers_are_those_of_the_node_that_is_heard(bench: Bench) -> None:
    await bench.connect()
    bench.media.move(make_before_break=True, spread=0.0)
    new = await bench.connect("node-2")
    new.says(speakers=channel_pb2.Speakers(sources=[8], dominant=8))
    assert not any(isinstance(each, SpeakersChanged) for each in bench.news)


async def test_frames_go_to_every_sink_and_observer(bench: Bench) -> None:
    session = await bench.connect()
    sinks, observer = [Sink(), Sink()], Observer()
    for sink in sinks:
        bench.media.add_sink(sink)
    bench.media.observe(observer)
    bench.media.session_packet(1, 9)
    bench.picture(session, 9)
    assert [sink.got for sink in sinks] == [[(9, 1)]] * 2
    assert observer.noted == [("packet", 1, 9), ("frame", 1, 9)]


async def test_closed_session_is_not_listened_to(bench: Bench) -> None:
    session = await bench.connect()
    sink = Sink()
    bench.media.add_sink(sink)
    bench.media.move(make_before_break=False, spread=0.0)
    bench.picture(session, 9)
    bench.sound(session, 8)
    session.says(slot_map=channel_pb2.SlotMap())
    assert sink.got == []
    assert bench.media.slot_map.shown(channel_pb2.SLOT_KIND_VIDEO) == set()
    assert not any(isinstance(each, SlotsChanged) for each in bench.news)


async def test_there_is_no_first_packet_without_a_session(bench: Bench) -> None:
    with pytest.raises(SalonError, match="no media session"):
        await bench.media.first_packet()
    session = await bench.connect()
    session.first_packet.set()
    await bench.media.first_packet()


class Sink:
    """Notes each frame's source, and by which session it came."""

    def __init__(self) -> None:
        self.got: list[tuple[int, int]] = []

    def receive_frame(self, source: int, frame: Any) -> None:
        self.got.append((source, frame.pts))


class Observer:
    def __init__(self) -> None:
        self.noted: list[tuple[str, int, int]] = []

    def note_packet(self, session: int, source: int) -> None:
        self.noted.append(("packet", session, source))

    def note_frame(self, session: int, source: int) -> None:
        self.noted.append(("frame", session, source))
