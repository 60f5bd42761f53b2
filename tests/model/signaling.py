"""A signaling replica: the real `JoinPlan`, `PresenceLedger` and `ParticipantStream`, with `join`, `admission` and `delivery`
around them in short.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from model.network import NO_ANSWER, NO_RESPONDERS
from model.node import Admitted as NodeAdmitted
from model.sim import Future, Process
from model.surroundings import Surroundings
from salon.media.v1 import media_pb2
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import ParticipantId, RoomId
from salon_signaling.core.claim import StreamClaim
from salon_signaling.core.join_plan import Admit, Admitted, AdmitTimes, JoinPlan, Refused, Replace, Step
from salon_signaling.core.presence import PresenceLedger, Sender
from salon_signaling.core.stream import (
    End,
    EndCause,
    Membership,
    ParticipantStream,
    RenewToken,
    RequestReplay,
    Send,
    StreamTimes,
)

ROOMS_SECONDS = 2.0
REPORT_SECONDS = 1.0
FULL_EVERY = 5
BROKEN_AFTER = 20.0
"""A connection that carries nothing for so long is given up."""
RETRANSMIT_SECONDS = 0.2


@dataclass(frozen=True)
class Entry:
    """A client's Join, checked."""

    room_id: str
    request_id: str
    secret: str = ""
    participant_id: str = ""
    """On resume, as the token says."""
    name: str = ""
    offers: bool = True
    last_event: int = 0
    seen_epoch: int = 0
    unheard_epoch: int = 0
    asker: str = ""


@dataclass(frozen=True)
class Welcome:
    """The stream's first message."""

    participant_id: str
    epoch: int
    media: NodeAdmitted | None
    snapshot: room_pb2.Snapshot | None


Message = Welcome | signaling_pb2.JoinResponse


class Stream:
    """One Join between client and replica: TCP, so messages arrive in order or the stream breaks."""

    def __init__(
        self,
        around: Surroundings,
        client: Process,
        server: Process,
        on_message: Callable[[Message], None],
        on_end: Callable[[SalonError | None], None],
    ) -> None:
        self.open = True
        """For the server: the client has not gone away."""
        self.on_closed: Callable[[], None] = lambda: None
        self._around = around
        self._client = client
        self._server = server
        self._on_message = on_message
        self._on_end = on_end
        self._queue: list[tuple[Message | None, SalonError | None]] = []
        self._sending = False
        self._stuck_since: float | None = None

    def send(self, message: Message) -> None:
        """To the client."""
        self._put(message, None)

    def end(self, error: SalonError | None) -> None:
        """The server ends the stream."""
        self._put(None, error)

    def cancel(self) -> None:
        """The client ends it, or is gone; the server learns it if packets get there."""
        self._on_message = self._on_end = _ignore
        # On the same connection as the client's next Join, so it is there first.
        if self._around.network.reaches(self._client.name, self._server.name):
            self._server.later(0.0, self._close)

    def _close(self) -> None:
        self.open = False
        self.on_closed()

    def _put(self, message: Message | None, error: SalonError | None) -> None:
        self._queue.append((message, error))
        if not self._sending:
            self._sending = True
            self._pump()

    def _pump(self) -> None:
        """Send what waits, one after the other; again and again while nothing gets through."""
        if not self._queue:
            self._sending = False
            return
        sim, network = self._around.sim, self._around.network
        if network.reaches(self._server.name, self._client.name) and self._client.alive:
            self._stuck_since = None
            message, error = self._queue.pop(0)
            sim.at(network.delay(), lambda: self._arrive(message, error))
            return
        self._stuck_since = sim.now if self._stuck_since is None else self._stuck_since
        if sim.now - self._stuck_since > BROKEN_AFTER or not self._client.alive:
            self._close()
        else:
            sim.at(RETRANSMIT_SECONDS, self._pump)

    def _arrive(self, message: Message | None, error: SalonError | None) -> None:
        if message is None:
            self._client.later(0.0, lambda: self._on_end(error))
        else:
            self._client.later(0.0, lambda: self._on_message(message))
        self._pump()

    def reset(self) -> None:
        """The replica's process ended: the client's connection is reset."""
        self._queue.clear()
        error = SalonError(Code.UNAVAILABLE, "connection reset")
        self._around.network.send(self._server.name, self._client, lambda: self._on_end(error))


class _Open:
    """A Join from its arrival on: live events are kept from the moment before rooms is asked."""

    def __init__(self, room_id: str) -> None:
        self.room_id = room_id
        self.wake: Future[None] = Future()
        self._stream: ParticipantStream | None = None
        self._early: list[Callable[[ParticipantStream], None]] = []

    def begin(self, stream: ParticipantStream) -> None:
        """The stream is open."""
        self._stream = stream
        for action in self._early:
            action(stream)

    def feed(self, action: Callable[[ParticipantStream], None]) -> None:
        """Give the stream an input, now or when it opens."""
        if self._stream is None:
            self._early.append(action)
        else:
            action(self._stream)
        self.stir()

    def stir(self) -> None:
        """Have the delivery look again."""
        wake, self.wake = self.wake, Future()
        wake.resolve(None)


class ModelSignaling(Process):
    """One replica's incarnation."""

    def __init__(self, around: Surroundings, name: str, boot_id: str, times: StreamTimes) -> None:
        super().__init__(around.sim, name)
        self._around = around
        self._times = times
        self._ledger = PresenceLedger(Sender(name, boot_id))
        self._open: dict[_Open, None] = {}
        self._full_due = False
        self._reports = 0
        self._wires: dict[Stream, None] = {}
        self._stream_numbers = 0
        around.nats.subscribe(self, "live.", self._on_event)
        around.nats.subscribe(self, "takeover.", self._on_claim)
        around.nats.on_reconnected(self, self._on_reconnected)
        self.every(REPORT_SECONDS, self._report)

    def crash(self) -> None:
        """Kill -9: clients see their connections reset."""
        wires = list(self._wires)
        super().crash()
        for wire in wires:
            wire.reset()

    def open(self, entry: Entry, wire: Stream) -> None:
        """A client's Join has arrived."""
        self._wires[wire] = None
        self.spawn(self._serve(entry, wire))

    async def chat(self, request: rooms_pb2.SendChatRequest) -> rooms_pb2.SendChatResponse:
        """Pass a client's message on."""
        answer: rooms_pb2.SendChatResponse = await self._rooms("SendChat", request)
        return answer

    async def leave(self, request: rooms_pb2.LeaveRequest) -> None:
        """Pass a client's leaving on."""
        await self._rooms("Leave", request)

    # ---- joining

    async def _serve(self, entry: Entry, wire: Stream) -> None:
        try:
            await self._join(entry, wire)
        except SalonError as error:
            wire.end(error)
        finally:
            self._wires.pop(wire, None)

    async def _join(self, entry: Entry, wire: Stream) -> None:
        opening = _Open(entry.room_id)
        wire.on_closed = opening.stir
        self._open[opening] = None
        try:
            joined: rooms_pb2.JoinResponse = await self._rooms("Join", _reserve(entry))
            await self._check_wanted(entry, joined.participant, wire)
            await self._stay(entry, wire, opening, joined)
        finally:
            self._open.pop(opening, None)

    async def _stay(self, entry: Entry, wire: Stream, opening: _Open, joined: rooms_pb2.JoinResponse) -> None:
        me = joined.participant
        self._stream_numbers += 1
        stream_id = f"{self._stream_numbers:016x}"
        claim = StreamClaim(ParticipantId(me.id), me.session_number, int(self._around.wall * 1000), stream_id)
        room, participant = RoomId(entry.room_id), ParticipantId(me.id)
        self._ledger.handle_opened(room, participant, stream_id)
        cause = EndCause.CANCELLED
        try:
            place, media = await self._admit(entry, me)
            await self._check_wanted(entry, me, wire)
            self._around.nats.publish(self, "takeover.", claim)
            known = joined.snapshot.event_number
            continues = 0 < entry.last_event <= known
            stream = ParticipantStream(
                Membership(
                    claim,
                    me.role,
                    place.epoch,
                    0 if entry.offers else entry.seen_epoch,
                    old_node_serves=any(
                        node.state == room_pb2.PLACED_NODE_STATE_LEAVING for node in joined.placement.nodes
                    ),
                ),
                last_event=entry.last_event if continues else known,
                room_event=known,
                times=self._times,
                now=self.now,
            )
            opening.begin(stream)
            wire.send(Welcome(me.id, place.epoch, media, None if continues else joined.snapshot))
            cause = await self._deliver(stream, opening, wire)
        finally:
            self._ledger.handle_closed(room, participant, stream_id, taken_over=cause is EndCause.TAKEN_OVER)

    async def _check_wanted(self, entry: Entry, me: room_pb2.Participant, wire: Stream) -> None:
        """A client that has gone away meanwhile gives its place back, if it is new."""
        if not wire.open:
            await self._give_back(entry, me)
            raise SalonError(Code.CANCELLED, "the client has gone away")

    async def _admit(
        self, entry: Entry, me: room_pb2.Participant
    ) -> tuple[room_pb2.ParticipantPlace, NodeAdmitted | None]:
        if not entry.offers:
            return me.place, None
        fresh = bool(entry.participant_id) and me.place.epoch > entry.unheard_epoch
        plan = JoinPlan(me.place, AdmitTimes(), fresh=fresh)
        step = plan.start()
        media: NodeAdmitted | None = None
        while True:
            match step:
                case Admit(place, timeout):
                    try:
                        media = await self._ask_node(entry, me, place, timeout)
                        step = plan.handle_answer("answer")
                    except SalonError as error:
                        unanswered = error.message in (NO_ANSWER, NO_RESPONDERS)
                        step = plan.handle_admit_failed(error, unanswered=unanswered)
                case Replace():
                    step = await self._ask_rooms(plan, entry, me, step)
                case Admitted(place):
                    return place, media
                case Refused(error):
                    await self._give_back(entry, me)
                    raise error

    async def _ask_rooms(self, plan: JoinPlan, entry: Entry, me: room_pb2.Participant, step: Replace) -> Step:
        failed = step.failed
        request = rooms_pb2.ReplaceRequest(
            room_id=entry.room_id, participant_id=me.id, failed=failed, unanswered=step.unanswered
        )
        try:
            place = (await self._rooms("Replace", request)).place
        except SalonError as error:
            self._forget_at(failed, entry, me)
            return plan.handle_replace_failed(error)
        if (place.node_id, place.boot_id) != (failed.node_id, failed.boot_id):
            self._forget_at(failed, entry, me)
        return plan.handle_replaced(place)

    async def _ask_node(
        self, entry: Entry, me: room_pb2.Participant, place: room_pb2.ParticipantPlace, timeout: float
    ) -> NodeAdmitted:
        placed = room_pb2.Participant()
        placed.CopyFrom(me)
        placed.place.CopyFrom(place)
        request = media_pb2.AdmitRequest(
            boot_id=place.boot_id, room_id=entry.room_id, participant=placed, epoch=place.epoch
        )
        answer: NodeAdmitted = await self._around.nats.call(
            self, f"media.{place.node_id}", "Admit", request, timeout
        )
        return answer

    def _forget_at(self, place: room_pb2.ParticipantPlace, entry: Entry, me: room_pb2.Participant) -> None:
        request = media_pb2.RemoveRequest(
            room_id=entry.room_id, participant_id=me.id, session_number=me.session_number
        )
        self.spawn(self._around.nats.call(self, f"media.{place.node_id}", "Remove", request, 0.5))

    async def _give_back(self, entry: Entry, me: room_pb2.Participant) -> None:
        if entry.participant_id:
            return
        request = rooms_pb2.LeaveRequest(
            room_id=entry.room_id,
            participant_id=me.id,
            reason=room_pb2.LEAVE_REASON_LEFT,
            session_number=me.session_number,
        )
        try:
            await self._rooms("Leave", request)
        except SalonError:
            self._around.trace(self.name, f"could not give back {me.id[:4]}")

    # ---- an open stream

    async def _deliver(self, stream: ParticipantStream, opening: _Open, wire: Stream) -> EndCause:
        while True:
            for output in stream.take_outputs():
                match output:
                    case Send(message):
                        wire.send(message)
                    case RequestReplay(after):
                        self.spawn(self._replay(stream, opening, after))
                    case RenewToken():
                        pass  # tokens do not expire here
                    case End(cause, error):
                        wire.end(error)
                        return cause
            if not wire.open:
                return EndCause.CANCELLED
            with suppress(TimeoutError):
                await self.within(stream.poll_timeout() - self.now, opening.wake)
            stream.handle_timeout(self.now)

    async def _replay(self, stream: ParticipantStream, opening: _Open, after: int) -> None:
        try:
            answer = await self._rooms(
                "Replay", rooms_pb2.ReplayRequest(room_id=opening.room_id, after=after)
            )
        except SalonError as error:
            if error.code is Code.NOT_FOUND:
                stream.handle_gone(error)
            else:
                stream.handle_replay_failed(self.now)
        else:
            stream.handle_replayed(answer, self.now)
        opening.stir()

    def _on_event(self, live: tuple[str, room_pb2.Event]) -> None:
        room_id, event = live
        for opening in self._open:
            if opening.room_id == room_id:
                opening.feed(lambda stream: stream.handle_event(event, self.now))

    def _on_claim(self, claim: StreamClaim) -> None:
        for opening in self._open:
            opening.feed(lambda stream: stream.handle_claim(claim))

    def _on_reconnected(self) -> None:
        self._full_due = True
        for opening in self._open:
            opening.feed(lambda stream: stream.handle_reconnected())

    def _report(self) -> None:
        """PresenceReporter: nothing is taken from the ledger that could not be told."""
        self._reports += 1
        self._full_due = self._full_due or self._reports % FULL_EVERY == 0
        if not self._around.nats.connected(self):
            self._full_due = True
            return
        reports = self._ledger.take_everybody() if self._full_due else self._ledger.take_changes()
        self._full_due = False
        for report in reports:
            self._around.nats.publish(self, "vouch", report, lossy=False)

    async def _rooms(self, method: str, request: object) -> Any:
        return await self._around.nats.call(self, "rooms", method, request, ROOMS_SECONDS)


def _reserve(entry: Entry) -> rooms_pb2.JoinRequest:
    return rooms_pb2.JoinRequest(
        room_id=entry.room_id,
        request_id=entry.request_id,
        invite_secret=entry.secret,
        participant_id=entry.participant_id,
        name=entry.name,
        wants_media=entry.offers,
        unheard_epoch=entry.unheard_epoch,
        asker=entry.asker,
    )


def _ignore(_: object) -> None:
    """Nobody listens any more."""
