"""A participant: the native client's real rules (`Handover`, `SilenceWatch`, `Reconnector`, `RoomState`, outcomes), and the
shell around them in short.

Stands for `salon_client.room` and `room_media`: one stream to signaling, one media session or two, an ask when the node falls silent.
"""

import zlib
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from model.node import Admitted, ModelNode
from model.signaling import Entry, Message, ModelSignaling, Stream, Welcome
from model.sim import Future, Process
from model.surroundings import Surroundings
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_client.core.handover import Handover
from salon_client.core.outcomes import Next, after_error, after_leaving
from salon_client.core.reconnect import Backoff, Reconnector
from salon_client.core.room_state import Outcome, RoomState
from salon_client.core.silence import SilenceWatch
from salon_common.errors import Code, SalonError

LOOK_SECONDS = 0.1
HANDSHAKE_SECONDS = 0.15
CONNECT_SECONDS = 5.0
WELCOME_SECONDS = 6.0
CALL_SECONDS = 3.0


@dataclass
class MediaSession:
    """A PeerConnection, from the answer to its end."""

    number: int
    media: Admitted
    epoch: int
    made_at: float
    gentle: bool
    """Made because of a make-before-break move, at the first try or again."""
    watch: SilenceWatch | None = None
    """Once it is connected."""
    packets: int = 0

    @property
    def node(self) -> ModelNode:
        """Who answered."""
        return self.media.node


@dataclass(frozen=True)
class Double:
    """Packets come from an older session's node beside a newer one's."""

    since: float
    gentle: bool
    """The newer one was made because of a make-before-break move."""


class ModelClient(Process):
    """Somebody with a link, until they leave, vanish, or are told to stay out."""

    def __init__(
        self,
        around: Surroundings,
        name: str,
        room_id: str,
        secret: str,
        signaling: Sequence[str],
        find_signaling: Callable[[str], ModelSignaling | None],
    ) -> None:
        super().__init__(around.sim, name)
        self.room_id = room_id
        self.me = ""
        self.ended = ""
        """Why it gave up; empty while it wants to be in."""
        self.state = RoomState()
        self.sessions: list[MediaSession] = []
        self.handover = Handover()
        self.doubles: dict[int, Double] = {}
        """By the number of the older session."""
        self.log_gaps: list[str] = []
        self.longest_gap = 0.0
        """The longest time without a packet, of those that are over; whoever measures sets it back to 0."""
        self._heard_at = self.now
        self.acknowledged: dict[str, int] = {}
        """Messages written, each with its number."""
        self.left_as = ""
        """Who it was when it was told that it has left."""
        self.wire: Stream | None = None
        self.signaling = ""
        """Where the open stream is."""
        self._around = around
        self._secret = secret
        self._find_signaling = find_signaling
        self._reconnector = Reconnector(signaling, start=around.chance.pick(len(signaling)))
        self._pace = Reconnector(["media"], Backoff(base=0.5))
        self._needed = True
        self._unheard_epoch = 0
        self._served_epoch = 0
        self._gentle = False
        self._requests = 0
        self._request_id = self._new_request_id()
        self._sessions_made = 0
        self._interrupt: Future[None] = Future()
        self.spawn(self._stay())
        self.every(LOOK_SECONDS, self._look)

    # ---- what a person does

    def leave(self) -> Future[None]:
        """Leave in order."""
        return self.spawn(self._leave())

    def vanish(self) -> None:
        """The program is killed; its machine resets its connections."""
        self._around.trace(self.name, "vanishes")
        self._drop_all()
        if self.wire:
            self.wire.cancel()
        self.crash()

    def write(self, text: str) -> None:
        """Send a message, again and again until it is acknowledged."""
        self.spawn(self._write(text))

    async def _write(self, text: str) -> None:
        writer = self.me
        request = rooms_pb2.SendChatRequest(
            room_id=self.room_id, participant_id=writer, request_id=self._new_request_id(), text=text
        )
        while writer and writer == self.me and not self.ended:
            with suppress(SalonError):
                answer: rooms_pb2.SendChatResponse = await self._call(lambda to: to.chat(request))
                self.acknowledged[text] = answer.event_number
                return
            await self.sleep(0.2)

    async def _leave(self) -> None:
        me, self.ended = self.me, "left"
        self._around.trace(self.name, "leaves")
        if me:
            request = rooms_pb2.LeaveRequest(room_id=self.room_id, participant_id=me)
            with suppress(SalonError):
                await self._call(lambda to: to.leave(request))
                self.left_as = me
        self.later(0.0, self.vanish)

    async def _call(self, make: "Callable[[ModelSignaling], Coroutine[Any, Any, Any]]") -> Any:
        """A unary call to the replica in use."""
        there = self._find_signaling(self._reconnector.address)
        network = self._around.network
        await self.sleep(network.delay())
        if there is None or not network.reaches(self.name, there.name):
            raise SalonError(Code.UNAVAILABLE, "no connection")
        try:
            result = await self.within(CALL_SECONDS, there.spawn(make(there)))
        except TimeoutError:
            raise SalonError(Code.DEADLINE_EXCEEDED, "no answer") from None
        await self.sleep(network.delay())
        if not network.reaches(there.name, self.name):
            raise SalonError(Code.UNAVAILABLE, "the connection broke")
        return result

    # ---- the stream

    async def _stay(self) -> None:
        while not self.ended:
            attempt = self._reconnector.next_attempt(self._around.chance.fraction())
            await self.sleep(attempt.delay)
            try:
                await self._stream(attempt.address)
            except SalonError as error:
                self._reconnector.failed()
                self._take_error(error)

    async def _stream(self, address: str) -> None:
        """One Join, from its first message to its end."""
        self._interrupt = Future()
        there = self._find_signaling(address)
        await self.sleep(self._around.network.delay())
        if there is None:
            raise SalonError(Code.UNAVAILABLE, "connection refused")
        over: Future[SalonError | None] = Future()
        welcomed: Future[None] = Future()
        wire = Stream(
            self._around,
            self,
            there,
            lambda message: self._receive(message, address, welcomed, over),
            over.resolve,
        )
        self.wire = wire
        entry = self._entry()
        self._around.network.send(self.name, there, lambda: there.open(entry, wire))
        either: Future[None] = Future()
        for each in (over, welcomed, self._interrupt):
            each.when_done(lambda: either.resolve(None))
        try:
            await self.within(WELCOME_SECONDS, either)
            ended: Future[None] = Future()
            for each in (over, self._interrupt):
                each.when_done(lambda: ended.resolve(None))
            await ended
        except TimeoutError:
            raise SalonError(Code.UNAVAILABLE, "no answer") from None
        finally:
            self.signaling = ""
            wire.cancel()
        if self._interrupt.done or self.ended:
            return
        raise over.result() or SalonError(Code.UNAVAILABLE, "the stream ended")

    def _entry(self) -> Entry:
        return Entry(
            room_id=self.room_id,
            request_id=self._request_id,
            secret="" if self.me else self._secret,
            participant_id=self.me,
            name=self.name,
            offers=self._needed,
            last_event=self.state.last_event if self.me else 0,
            seen_epoch=self.state.epoch,
            unheard_epoch=self._unheard_epoch if self.me else 0,
            asker=self.name,
        )

    def _take_error(self, error: SalonError) -> None:
        self._around.trace(self.name, f"stream: {error.code.name} {error.message}")
        follows = after_error(error.code, resuming=bool(self.me))
        if follows is Next.GIVE_UP:
            self.ended = error.message
        elif follows is Next.REJOIN:
            self._forget_participant()

    def _forget_participant(self) -> None:
        """Enter by the link next, as somebody new."""
        self._around.trace(self.name, f"is {self.me[:4]} no more")
        self.me = ""
        self._request_id = self._new_request_id()
        self._drop_all()
        self._need()

    def _receive(
        self, message: Message, address: str, welcomed: Future[None], over: Future[SalonError | None]
    ) -> None:
        if over.done or self.ended:
            return
        if isinstance(message, Welcome):
            welcomed.resolve(None)
            self.signaling = address
            self._reconnector.succeeded()
            self._welcome(message)
            return
        match message.WhichOneof("body"):
            case "event":
                self._event(message.event, over)
            case "snapshot":
                self.state.receive_snapshot(message.snapshot)
            case "taken_over":
                self.ended = "taken over"
                self._drop_all()
            case "moved":
                moved = message.moved
                self._move(moved.epoch, moved.spread_ms, make_before_break=moved.make_before_break)

    def _welcome(self, welcome: Welcome) -> None:
        self.me = welcome.participant_id
        self._request_id = self._new_request_id()
        self.state.see_epoch(welcome.epoch)
        if welcome.snapshot is not None:
            self.state.receive_snapshot(welcome.snapshot)
        if welcome.media is None:
            return
        self._needed = False
        self._unheard_epoch = 0
        self._served_epoch = max(self._served_epoch, welcome.epoch)
        self._sessions_made += 1
        session = MediaSession(
            self._sessions_made, welcome.media, welcome.epoch, self.now, gentle=self._gentle
        )
        self._around.trace(self.name, f"is {self.me[:4]}, to {session.node.name} @{welcome.epoch}")
        self.sessions.append(session)
        self.handover.handle_session(session.number, session.epoch)
        # Of two that were being made, the newer one is wanted.
        for other in self.sessions[:-1]:
            if other.watch is None:
                self._close(other)

    def _event(self, event: room_pb2.Event, over: Future[SalonError | None]) -> None:
        outcome = self.state.receive_event(event)
        if outcome is Outcome.GAP:
            self.log_gaps.append(f"{event.number} after {self.state.last_event}")
            over.resolve(SalonError(Code.UNAVAILABLE, "an event is missing"))
        if outcome is not Outcome.APPLIED:
            return
        if event.participant_left.participant_id == self.me != "":
            if after_leaving(event.participant_left.reason) is Next.REJOIN:
                self._forget_participant()
            else:
                self.ended = "out of the room"
                over.resolve(None)
        elif event.participant_moved.participant_id == self.me != "":
            moved = event.participant_moved
            self._move(moved.epoch, moved.spread_ms, make_before_break=moved.make_before_break)

    def _move(self, epoch: int, spread_ms: int, *, make_before_break: bool) -> None:
        self.state.see_epoch(epoch)
        if not self.follows(epoch):
            return
        self._served_epoch = epoch
        self._gentle = make_before_break
        self._around.trace(self.name, f"is moved @{epoch}{' gently' if make_before_break else ''}")
        if not make_before_break:
            self._drop_all()
        self.later(self._around.chance.fraction() * spread_ms / 1000, lambda: self._need_at(epoch))

    def follows(self, epoch: int) -> bool:
        """Whether a move is news: lower epochs than the one served at are stale."""
        return epoch > self._served_epoch

    def _need_at(self, epoch: int) -> None:
        """The spread has passed; a session of that epoch may have been made meanwhile for another reason."""
        if all(session.epoch < epoch for session in self.sessions):
            self._need()

    # ---- media

    def _need(self) -> None:
        self._needed = True
        self._interrupt.resolve(None)

    def _look(self) -> None:
        """Each session's packets are counted, and what follows from their number."""
        if self.ended and not self.sessions:
            return
        heard = [each for each in list(self.sessions) if each in self.sessions and self._look_at(each)]
        for release in self.handover.take_released(self.now):
            self._release(release.session, release.epoch)
        self._note_reception(heard)

    def _look_at(self, session: MediaSession) -> bool:
        """Whether something came by this session."""
        node, number = session.node, session.media.session
        if not self._around.network.reaches(node.name, self.name):
            self._look_at_silence(session)
            return False
        if node.has_ended(number):
            self._lose(session, "its node ended it", silent=False)
            return False
        if session.watch is None:
            if node.runs and self.now - session.made_at >= HANDSHAKE_SECONDS and node.connect(number):
                session.watch = SilenceWatch(self.now)
                self.handover.handle_connected(session.number, self.now)
        elif node.serves(number):
            session.packets += 1
            node.hear(number)
            self.handover.handle_roster(session.number, map(_microphone, node.roster(number)), self.now)
            self.handover.handle_people(map(_microphone, self.state.participants), self.now)
        self._look_at_silence(session)
        return session.watch is not None and node.serves(number)

    def _look_at_silence(self, session: MediaSession) -> None:
        if session.watch is None:
            if self.now - session.made_at > CONNECT_SECONDS:
                self._lose(session, "no connection", silent=True)
        elif session.watch.look(session.packets, self.now):
            self._lose(session, "silence", silent=True)

    def _lose(self, session: MediaSession, why: str, *, silent: bool) -> None:
        self._around.trace(self.name, f"loses {session.node.name} @{session.epoch}: {why}")
        is_newest = session is self.sessions[-1]
        self._close(session)
        if not is_newest:
            return
        if silent:
            self._unheard_epoch = session.epoch
        if session.watch is not None:
            self._pace.succeeded()
            self._need()
            return
        self._pace.failed()
        made = self._sessions_made
        delay = self._pace.next_attempt(self._around.chance.fraction()).delay
        self.later(delay, lambda: self._need() if made == self._sessions_made else None)

    def _release(self, number: int, epoch: int) -> None:
        session = next((each for each in self.sessions if each.number == number), None)
        if session is not None:
            node, at_node = session.node, session.media.session
            self._around.network.send(self.name, node, lambda: node.see_epoch(at_node, epoch))
            self._close(session)

    def _drop_all(self) -> None:
        for session in list(self.sessions):
            self._close(session)

    def _close(self, session: MediaSession) -> None:
        self.sessions.remove(session)
        self.handover.handle_lost(session.number, self.now)
        node, at_node = session.node, session.media.session
        self._around.network.send(self.name, node, lambda: node.end(at_node))

    def _note_reception(self, heard: list[MediaSession]) -> None:
        """Two sessions at one node are no double: the node sends by the newer one alone."""
        if heard:
            self.longest_gap = max(self.longest_gap, self.now - self._heard_at)
            self._heard_at = self.now
        doubles: dict[int, Double] = {}
        for older in heard[:-1]:
            newest = heard[-1]
            if older.node is not newest.node:
                known = self.doubles.get(older.number)
                doubles[older.number] = known or Double(self.now, newest.gentle)
        self.doubles = doubles

    def _new_request_id(self) -> str:
        self._requests += 1
        return f"{self.name}-{self._requests}"


def _microphone(participant_id: str) -> int:
    """A number for each participant, as rosters have them."""
    return zlib.crc32(participant_id.encode())
