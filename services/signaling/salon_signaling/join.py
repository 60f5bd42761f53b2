"""Join, from the checked request to the open stream: reserve a place, be admitted, welcome, deliver.

The order matters. The room's live events are subscribed to before rooms is asked, so that none falls between its
snapshot and the first live one. A newcomer whose join fails, or who gives up, gives the reserved place back at once; who
resumes is never removed for it.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.clock import Clock
from salon_common.errors import Code, SalonError
from salon_common.ids import ParticipantId
from salon_common.telemetry import tracing

from salon_signaling import metrics
from salon_signaling.admission import Admission
from salon_signaling.auth import Authority
from salon_signaling.chores import Chores
from salon_signaling.core.claim import StreamClaim
from salon_signaling.core.join_plan import Admitted
from salon_signaling.core.presence import PresenceLedger
from salon_signaling.core.stream import EndCause, Membership, ParticipantStream, StreamTimes
from salon_signaling.delivery import Delivery, DeliveryCalls
from salon_signaling.entry import Entry
from salon_signaling.live import LiveRooms
from salon_signaling.mailbox import Mailbox
from salon_signaling.replays import SharedReplays
from salon_signaling.rooms_client import RoomsClient

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JoinParts:
    """What joining needs."""

    rooms: RoomsClient
    admission: Admission
    live: LiveRooms
    replays: SharedReplays
    ledger: PresenceLedger
    authority: Authority
    chores: Chores
    clock: Clock
    times: StreamTimes


@dataclass(frozen=True)
class _Opening:
    """A participant who is in, before the welcome."""

    entry: Entry
    joined: rooms_pb2.JoinResponse
    claim: StreamClaim
    mailbox: Mailbox

    @property
    def continues(self) -> bool:
        """Whether the client's events go on one by one; a number that the room has not reached cannot be the client's."""
        return 0 < self.entry.last_event <= self.joined.snapshot.event_number


class Joins:
    """Opens participants' streams."""

    def __init__(self, parts: JoinParts) -> None:
        self._parts = parts

    async def open(self, entry: Entry) -> AsyncGenerator[signaling_pb2.JoinResponse, None]:
        """The messages of the stream, the welcome first. Raises SalonError."""
        started = self._parts.clock.now()
        mailbox = await self._parts.live.attach(entry.room)
        try:
            opening = self._claim(entry, await self._reserve(entry), mailbox)
            async with aclosing(self._stay(opening, started)) as messages:
                async for message in messages:
                    yield message
        finally:
            await self._parts.live.detach(entry.room, mailbox)

    def _claim(self, entry: Entry, joined: rooms_pb2.JoinResponse, mailbox: Mailbox) -> _Opening:
        me = joined.participant
        opened_at_ms = int(self._parts.clock.wall() * 1000)
        claim = StreamClaim(ParticipantId(me.id), me.session_number, opened_at_ms, secrets.token_hex(8))
        mailbox.participant_id = claim.participant_id
        metrics.count_step(entry.kind, "reserved")
        return _Opening(entry, joined, claim, mailbox)

    async def _stay(
        self, opening: _Opening, started: float
    ) -> AsyncGenerator[signaling_pb2.JoinResponse, None]:
        """Vouched for from the reservation to the end of the stream."""
        parts, room, claim = self._parts, opening.entry.room, opening.claim
        cause = EndCause.CANCELLED
        parts.ledger.handle_opened(room, claim.participant_id, claim.stream_id)
        try:
            admitted = await self._admit(opening)
            metrics.count_step(opening.entry.kind, "admitted")
            await parts.live.announce(room, claim)
            delivery = self._delivery(opening, admitted)
            with metrics.OPEN_STREAMS.track_inprogress():
                metrics.JOIN_SECONDS.labels(opening.entry.kind).observe(
                    parts.clock.now() - started, tracing.exemplar()
                )
                metrics.JOINS.labels(opening.entry.kind, Code.OK.name).inc()
                metrics.count_step(opening.entry.kind, "welcomed")
                try:
                    yield self._welcome(opening, admitted)
                    async with aclosing(delivery.messages()) as messages:
                        async for message in messages:
                            yield message
                finally:
                    cause = delivery.cause
                    metrics.STREAM_ENDS.labels(cause.value).inc()
        finally:
            taken_over = cause == EndCause.TAKEN_OVER
            parts.ledger.handle_closed(room, claim.participant_id, claim.stream_id, taken_over=taken_over)

    async def _reserve(self, entry: Entry) -> rooms_pb2.JoinResponse:
        """A caller who gives up meanwhile may have a place all the same: that answer is waited for, and undone."""
        asking = asyncio.create_task(self._parts.rooms.join(entry.reserve))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            self._parts.chores.begin(self._undo(entry, asking))
            raise

    async def _undo(self, entry: Entry, asking: asyncio.Task[rooms_pb2.JoinResponse]) -> None:
        try:
            joined = await asking
        except SalonError:
            return
        await self._give_back(entry, joined.participant)

    async def _admit(self, opening: _Opening) -> Admitted:
        entry, me = opening.entry, opening.joined.participant
        try:
            return await self._parts.admission.admit(entry, me)
        except SalonError:
            await asyncio.shield(self._give_back(entry, me))
            raise
        except asyncio.CancelledError:
            self._parts.chores.begin(self._give_back(entry, me))
            raise

    async def _give_back(self, entry: Entry, participant: room_pb2.Participant) -> None:
        if entry.is_resume:
            return
        request = rooms_pb2.LeaveRequest(
            room_id=entry.room,
            participant_id=participant.id,
            reason=room_pb2.LEAVE_REASON_LEFT,
            # The caller may have come again at once, by the same request: that session stays.
            session_number=participant.session_number,
        )
        try:
            await self._parts.rooms.leave(request)
        except SalonError as error:
            _log.warning(
                "a place could not be given back; it expires by itself: %s",
                error.message,
                extra={"room": entry.room, "participant": participant.id},
            )

    def _delivery(self, opening: _Opening, admitted: Admitted) -> Delivery:
        parts, room, me = self._parts, opening.entry.room, opening.joined.participant
        known = opening.joined.snapshot.event_number
        now = parts.clock.now()
        stream = ParticipantStream(
            Membership(
                opening.claim,
                me.role,
                admitted.place.epoch,
                opening.entry.seen_epoch,
                old_node_serves=any(
                    node.state == room_pb2.PLACED_NODE_STATE_LEAVING
                    for node in opening.joined.placement.nodes
                ),
            ),
            last_event=opening.entry.last_event if opening.continues else known,
            room_event=known,
            times=parts.times,
            now=now,
        )
        calls = DeliveryCalls(
            issue=lambda role: parts.authority.issue(room, me.id, role),
            replay=lambda after: parts.replays.replay(room, after),
        )
        return Delivery(stream, opening.mailbox, calls, parts.clock)

    def _welcome(self, opening: _Opening, admitted: Admitted) -> signaling_pb2.JoinResponse:
        me = opening.joined.participant
        welcome = signaling_pb2.Welcome(
            answer=admitted.answer,
            participant_id=me.id,
            session_token=self._parts.authority.issue(opening.entry.room, me.id, me.role),
            epoch=admitted.place.epoch,
            node_id=admitted.place.node_id,
        )
        if not opening.continues:
            welcome.snapshot.CopyFrom(opening.joined.snapshot)
        return signaling_pb2.JoinResponse(welcome=welcome)
