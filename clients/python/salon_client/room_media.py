"""The media of a room as one thing, whatever sessions carry it now.

Owns when a session is needed, how one follows another, the wishes for pictures, and to whom frames go. The room brings offers to the signaling
service and answers back. Whose frames pass while two sessions stand side by side is `core/handover.py`'s rule.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from av import AudioFrame
from salon.media.v1 import channel_pb2
from salon_common.errors import Code, SalonError

from salon_client.core.handover import Handover
from salon_client.core.layout import layout_message
from salon_client.core.quality import QualityMeter
from salon_client.core.reconnect import Backoff, Reconnector
from salon_client.core.slots import SlotMap
from salon_client.events import MediaConnected, MediaLost, RoomNews, SlotsChanged, SpeakersChanged
from salon_client.media import FrameSink, MediaSession
from salon_client.tracks import Lender
from salon_client.watch import Loss, comes_up, until_lost

_WISH_SECONDS = 0.05
"""Wishes are gathered for so long: at most 20 messages a second may be sent."""
_STEADY_SECONDS = 2.0
"""A session that was up for so long was no failure."""


@dataclass(frozen=True)
class MediaOffer:
    """What a Join says of media."""

    sdp: str = ""
    """Empty while the present session serves."""
    unheard_epoch: int = 0
    """The epoch of the session that fell silent, when that is why there is an offer."""
    downlink_bps: int = 0
    """What the node before said that it could send."""


class MediaObserver(Protocol):
    """Hears of what arrives, and by which session: for measuring."""

    def note_packet(self, session: int, source: int) -> None:
        """An RTP packet of a source, or with 0 a report of the node."""
        ...

    def note_frame(self, session: int, source: int) -> None:
        """A decoded frame was handed on to the sinks."""
        ...


@dataclass
class _Served:
    """A session that a node has answered."""

    session: MediaSession
    node_id: str
    epoch: int
    slot_map: SlotMap = field(default_factory=SlotMap)
    connected_at: float | None = None


class RoomMedia:
    """Sends the lender's tracks, shows sources in slots."""

    def __init__(
        self,
        lender: Lender,
        *,
        video_slots: int,
        max_height: int,
        publish: Callable[[RoomNews], None],
        on_needed: Callable[[], None],
        meter: QualityMeter,
    ) -> None:
        self.video_slots = video_slots
        self._lender = lender
        self._max_height = max_height
        self._publish = publish
        self._on_needed = on_needed
        self._meter = meter
        self._sinks: list[FrameSink] = []
        self._observers: list[MediaObserver] = []
        self._numbers = itertools.count(1)
        self._handover = Handover()
        self._handover_timer: asyncio.TimerHandle | None = None
        self._served: dict[int, _Served] = {}
        self._next: MediaSession | None = None
        self._needed = True
        self._need_timer: asyncio.TimerHandle | None = None
        self._unheard_epoch = 0
        self._downlink_bps = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._wishes: Sequence[int] = ()
        self._wish_timer: asyncio.TimerHandle | None = None
        self._pace = Reconnector(["media"], Backoff(base=0.5))

    @property
    def connected(self) -> bool:
        """Whether the newest session is up, and no other one is wanted."""
        newest = self._newest
        return newest is not None and newest.connected_at is not None and not self._wanted

    @property
    def sessions(self) -> Sequence[int]:
        """The numbers of the sessions in use: two while a move is under way."""
        return tuple(self._served)

    @property
    def slot_map(self) -> SlotMap:
        """What the slots of the newest session show."""
        newest = self._newest
        return newest.slot_map if newest else SlotMap()

    async def first_packet(self) -> None:
        """Wait for the first RTP packet of the newest session's slots. Raises SalonError when there is no session."""
        newest = self._newest
        if newest is None:
            raise SalonError(Code.FAILED_PRECONDITION, "there is no media session yet")
        await newest.session.first_packet.wait()

    def add_sink(self, sink: FrameSink) -> None:
        """Give it every decoded frame from now on."""
        self._sinks.append(sink)

    def observe(self, observer: MediaObserver) -> None:
        """Tell it of every packet and frame from now on."""
        self._observers.append(observer)

    # ---- which sessions there are

    async def offer(self) -> MediaOffer:
        """The offer of the next session, the same until it is answered; empty while the present one serves."""
        if not self._needed:
            return MediaOffer()
        if self._next is None:
            self._next = MediaSession(
                self._lender, number=next(self._numbers), video_slots=self.video_slots, receiver=self
            )
        return MediaOffer(await self._next.offer(), self._unheard_epoch, self._downlink_bps)

    async def accept(self, answer: str, node_id: str, epoch: int) -> None:
        """The node took the offer: connect. The session before goes on until this one has taken over."""
        session, self._next = self._next, None
        assert session is not None, "an answer without an offer"
        self._need_no_more()
        for each in tuple(self._served.values()):
            if each.connected_at is None:
                self._drop(each)
        served = self._served[session.number] = _Served(session, node_id, epoch)
        self._handover.handle_session(session.number, epoch)
        try:
            await session.accept(answer)
        except SalonError:
            self._drop(served)
            self._need()
            raise
        self._spawn(self._watch(served))

    def move(self, *, make_before_break: bool, spread: float) -> None:
        """The participant is served elsewhere: make another session in `spread` seconds."""
        newest = self._newest
        self._meter.handle_interruption("move" if make_before_break else "crash", _now())
        # While a move is under way, the node that died is the one that was not reached yet.
        if not make_before_break and newest is not None and not self._wanted:
            self._drop(newest)
            self._say_lost(f"{newest.node_id} is gone")
        self._need_in(spread)

    def restart(self) -> None:
        """Let go of all sessions: the next is another participant's."""
        for each in tuple(self._served.values()):
            self._drop(each)
        self._need()

    async def close(self) -> None:
        """End all sessions."""
        for timer in (self._wish_timer, self._need_timer, self._handover_timer):
            if timer:
                timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        sessions = [each.session for each in self._served.values()] + ([self._next] if self._next else [])
        self._served, self._next = {}, None
        await asyncio.gather(*(session.close() for session in sessions))

    @property
    def _newest(self) -> _Served | None:
        return next(reversed(self._served.values()), None)

    @property
    def _wanted(self) -> bool:
        return self._needed or self._need_timer is not None

    def _need(self) -> None:
        self._need_no_more()
        self._needed = True
        self._on_needed()

    def _need_in(self, seconds: float) -> None:
        self._need_no_more()
        if seconds > 0:
            self._need_timer = asyncio.get_running_loop().call_later(seconds, self._need)
        else:
            self._need()

    def _need_no_more(self) -> None:
        self._needed = False
        if self._need_timer:
            self._need_timer.cancel()
            self._need_timer = None

    def _drop(self, served: _Served) -> None:
        """Close a session; whatever it carried falls to the others at once."""
        del self._served[served.session.number]
        self._handover.handle_lost(served.session.number, _now())
        self._settle()
        self._spawn(served.session.close())

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- the life of one session

    async def _watch(self, served: _Served) -> None:
        if not await comes_up(served.session):
            self._lose(served, Loss(silent=False), f"no connection to {served.node_id}")
            return
        served.connected_at = _now()
        self._meter.handle_connected(served.connected_at)
        self._meter.handle_replaced(served.connected_at)
        self._handover.handle_connected(served.session.number, _now())
        self._settle()
        self._unheard_epoch = 0
        self._publish(MediaConnected(served.node_id))
        self._send_wishes()
        loss = await until_lost(served.session)
        how = "is silent" if loss.silent else "ended the connection"
        self._lose(served, loss, f"{served.node_id} {how}")

    def _lose(self, served: _Served, loss: Loss, why: str) -> None:
        if served.session.number not in self._served:
            return
        newest = served is self._newest
        self._drop(served)
        self._say_lost(why)
        if not newest or self._wanted:
            return
        if served.connected_at is not None and _now() - served.connected_at > _STEADY_SECONDS:
            self._pace.succeeded()
        self._pace.failed()
        self._meter.handle_interruption("silence" if loss.silent else "crash", _now())
        if loss.silent:
            self._unheard_epoch = served.epoch
        # Spread out: a node's end loses many clients at the same instant. Silence is noticed at each one's own time.
        at_once = loss.silent and self._pace.failures == 1
        drawn = random.random()  # noqa: S311 - spreading, not secrecy
        self._need_in(0.0 if at_once else self._pace.next_attempt(drawn).delay)

    def _say_lost(self, why: str) -> None:
        if not any(each.connected_at is not None for each in self._served.values()):
            self._publish(MediaLost(why))

    # ---- while two stand side by side

    def see_people(self, microphones: Iterable[int]) -> None:
        """Who is in the room, by microphone: a move does not wait for those who have left."""
        self._handover.handle_people(microphones, _now())
        self._settle()

    def _settle(self) -> None:
        """Let go of the sessions that something newer has replaced, and look again in time."""
        for release in self._handover.take_released(_now()):
            served = self._served.pop(release.session)
            served.session.send(
                channel_pb2.ClientMessage(epoch_seen=channel_pb2.EpochSeen(epoch=release.epoch))
            )
            self._spawn(served.session.close())
        if self._handover_timer:
            self._handover_timer.cancel()
            self._handover_timer = None
        at = self._handover.next_at()
        if at is not None:
            self._handover_timer = asyncio.get_running_loop().call_at(at, self._settle)

    # ---- what sessions receive

    def session_packet(self, session: int, source: int) -> None:
        """Something came from a node."""
        self._meter.handle_packet(_now())
        for observer in self._observers:
            observer.note_packet(session, source)

    def session_frame(self, session: int, source: int, frame: Any) -> None:
        """Hand a frame to all sinks, unless another session's are shown or heard."""
        if isinstance(frame, AudioFrame):
            passes = self._handover.sounds(session, source, _now())
        else:
            passes = self._handover.shows(session, source)
        if not passes:
            return
        self._meter.handle_frame(source, _now(), is_picture=not isinstance(frame, AudioFrame))
        for observer in self._observers:
            observer.note_frame(session, source)
        for sink in self._sinks:
            sink.receive_frame(source, frame)

    def session_message(self, session: int, message: channel_pb2.NodeMessage) -> None:
        """The node says something on the data channel."""
        body = message.WhichOneof("body")
        served = self._served.get(session)
        if served is None:
            return
        if body == "slot_map":
            served.slot_map.receive(message.slot_map)
            self._publish(SlotsChanged())
        elif body == "speakers" and session == self._handover.heard:
            self._publish(SpeakersChanged(tuple(message.speakers.sources), message.speakers.dominant))
        elif body == "quality":
            self._downlink_bps = message.quality.downlink_bps
        elif body == "roster":
            self._handover.handle_roster(session, message.roster.microphones, _now())
            self._settle()

    # ---- wishes

    def want(self, sources: Sequence[int]) -> None:
        """Which source each video slot should show, 0 for none."""
        if sources != self._wishes:
            self._wishes = sources
            if self._wish_timer is None:
                self._wish_timer = asyncio.get_running_loop().call_later(_WISH_SECONDS, self._send_wishes)

    @property
    def wishes(self) -> Sequence[int]:
        """What was wanted last."""
        return self._wishes

    def _send_wishes(self) -> None:
        if self._wish_timer:
            self._wish_timer.cancel()
            self._wish_timer = None
        for each in self._served.values():
            each.session.send(layout_message(self._wishes, self._max_height))


def _now() -> float:
    return asyncio.get_running_loop().time()
