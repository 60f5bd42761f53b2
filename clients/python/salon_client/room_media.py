"""The media of a room as one thing, whatever session carries it now.

Owns when a session is needed, how one follows another, the slot map, the wishes for pictures, and to whom frames go. The room brings offers to
the signaling service and answers back.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from salon.media.v1 import channel_pb2
from salon_common.errors import Code, SalonError

from salon_client.core.layout import layout_message
from salon_client.core.reconnect import Backoff, Reconnector
from salon_client.core.silence import LOOK_SECONDS, SilenceWatch
from salon_client.core.slots import SlotMap
from salon_client.events import MediaConnected, MediaLost, RoomNews, SlotsChanged, SpeakersChanged
from salon_client.media import FrameSink, MediaSession
from salon_client.tracks import Lender

_CONNECT_SECONDS = 5.0
_WISH_SECONDS = 0.05
"""Wishes are gathered for so long: at most 20 messages a second may be sent."""


class MediaObserver(Protocol):
    """Hears of what arrives, and by which session: for measuring."""

    def note_packet(self, session: int, source: int) -> None:
        """An RTP packet of a source, or with 0 a report of the node."""
        ...

    def note_frame(self, session: int, source: int) -> None:
        """A decoded frame was handed on to the sinks."""
        ...


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
    ) -> None:
        self.slot_map = SlotMap()
        self.video_slots = video_slots
        self._lender = lender
        self._max_height = max_height
        self._publish = publish
        self._on_needed = on_needed
        self._sinks: list[FrameSink] = []
        self._observers: list[MediaObserver] = []
        self._numbers = itertools.count(1)
        self._current: MediaSession | None = None
        self._next: MediaSession | None = None
        self._needed = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._wishes: Sequence[int] = ()
        self._wish_timer: asyncio.TimerHandle | None = None
        self._pace = Reconnector(["media"], Backoff(base=0.5))

    @property
    def connected(self) -> bool:
        """Whether a session is up and heard."""
        return self._current is not None and self._current.connected.is_set() and not self._needed

    async def first_packet(self) -> None:
        """Wait for the first RTP packet of the present session's slots. Raises SalonError when there is no session."""
        if self._current is None:
            raise SalonError(Code.FAILED_PRECONDITION, "there is no media session yet")
        await self._current.first_packet.wait()

    def add_sink(self, sink: FrameSink) -> None:
        """Give it every decoded frame from now on."""
        self._sinks.append(sink)

    def observe(self, observer: MediaObserver) -> None:
        """Tell it of every packet and frame from now on."""
        self._observers.append(observer)

    # ---- what sessions receive

    def session_packet(self, session: int, source: int) -> None:
        """Something came from a node."""
        for observer in self._observers:
            observer.note_packet(session, source)

    def session_frame(self, session: int, source: int, frame: Any) -> None:
        """Hand a frame to all sinks."""
        for observer in self._observers:
            observer.note_frame(session, source)
        for sink in self._sinks:
            sink.receive_frame(source, frame)

    def session_message(self, session: int, message: channel_pb2.NodeMessage) -> None:
        """The node says something on the data channel."""
        body = message.WhichOneof("body")
        if body == "slot_map":
            self.slot_map.receive(message.slot_map)
            self._publish(SlotsChanged())
        elif body == "speakers":
            self._publish(SpeakersChanged(tuple(message.speakers.sources), message.speakers.dominant))

    # ---- sessions

    async def offer(self) -> str:
        """The offer of the next session; empty while the present one serves."""
        if not self._needed:
            return ""
        if self._next is None:
            self._next = MediaSession(
                self._lender, number=next(self._numbers), video_slots=self.video_slots, receiver=self
            )
        return await self._next.offer()

    async def accept(self, answer: str, node_id: str) -> None:
        """The node took the offer: connect, and let go of the session before once the new one is up."""
        session, self._next = self._next, None
        assert session is not None, "an answer without an offer"
        previous, self._current = self._current, session
        self._needed = False
        try:
            await session.accept(answer)
        except SalonError:
            self.need_session(drop=True)
            raise
        finally:
            self._spawn(self._watch(session, previous, node_id))

    def need_session(self, *, drop: bool) -> None:
        """A new session is wanted; with `drop` the present one is of no use any more."""
        self._needed = True
        if drop and self._current is not None:
            self._spawn(self._current.close())
            self._current = None
        self._on_needed()

    async def close(self) -> None:
        """End all sessions."""
        if self._wish_timer:
            self._wish_timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        sessions = [each for each in (self._current, self._next) if each is not None]
        self._current = self._next = None
        await asyncio.gather(*(session.close() for session in sessions))

    async def _watch(self, session: MediaSession, previous: MediaSession | None, node_id: str) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await _first(session.connected, session.failed)
        except TimeoutError:
            pass
        finally:
            if previous is not None:
                await previous.close()
        if not session.connected.is_set():
            await self._lose(session, f"no connection to {node_id}")
            return
        self._publish(MediaConnected(node_id))
        self._send_wishes()
        loop = asyncio.get_running_loop()
        silence = SilenceWatch(loop.time())
        while not session.failed.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(session.failed.wait(), LOOK_SECONDS)
            if silence.look(session.received_datagrams(), loop.time()):
                await self._lose(session, f"{node_id} is silent")
                return
            self._pace.succeeded()
        await self._lose(session, f"{node_id} ended the connection")

    async def _lose(self, session: MediaSession, why: str) -> None:
        if session is not self._current:
            return
        self._publish(MediaLost(why))
        self._pace.failed()
        # Spread out: a node's end loses many clients at the same instant.
        await asyncio.sleep(self._pace.next_attempt(random.random()).delay)  # noqa: S311 - spreading, not secrecy
        if session is self._current:
            self.need_session(drop=True)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- the data channel

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
        if self._current is not None:
            self._current.send(layout_message(self._wishes, self._max_height))


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
