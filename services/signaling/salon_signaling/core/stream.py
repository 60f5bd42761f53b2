"""A participant's stream after the welcome, as a state machine: what is sent, when something is asked for, when it ends.

Promises a contiguous log: each event once, in order, from the welcome's number on. A hole is closed by a replay; so is
silence, since the last event may be the one that was lost: after every NATS reconnect, and now and then. Events that are
no longer kept are replaced by a snapshot. Inputs are `handle_*` with `now` in seconds; `take_outputs` gives what to do.
"""

import math
from dataclasses import dataclass
from enum import Enum

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import Code, SalonError

from salon_signaling.core.claim import StreamClaim
from salon_signaling.core.sequence import EventSequence


@dataclass(frozen=True)
class StreamTimes:
    """Intervals in seconds."""

    keepalive: float = 10.0
    """A keepalive is sent when nothing else was for so long."""
    token_lifetime: float = 600.0
    """Session tokens are renewed at half of it."""
    audit: float = 30.0
    """After so long without an event, the rooms service is asked whether there was one."""
    replay_backoff: float = 0.1
    """The first pause after a replay that failed or brought nothing; each further one is twice as long."""
    replay_backoff_max: float = 2.0
    """The longest such pause."""


class EndCause(Enum):
    """Why a stream ended."""

    OUT = "out"
    """The participant is no longer in the room, or the room is over."""
    TAKEN_OVER = "taken_over"
    """A newer stream of the same participant is open."""
    DRAINED = "drained"
    """This replica stops."""
    SLOW = "slow"
    """The client does not read what it is sent."""
    CANCELLED = "cancelled"
    """The client went away."""


@dataclass(frozen=True)
class Send:
    """Send this message."""

    message: signaling_pb2.JoinResponse


@dataclass(frozen=True)
class RenewToken:
    """Issue a session token with this role, and send it."""

    role: "room_pb2.Role.ValueType"


@dataclass(frozen=True)
class RequestReplay:
    """Ask for the events after this number; the answer comes by handle_replayed or handle_replay_failed."""

    after: int


@dataclass(frozen=True)
class End:
    """End the stream; with an error, with its status."""

    cause: EndCause
    error: SalonError | None = None


Output = Send | RenewToken | RequestReplay | End


@dataclass(frozen=True)
class Membership:
    """Who the stream is for, as the welcome said."""

    claim: StreamClaim
    role: "room_pb2.Role.ValueType"
    epoch: int
    """Of the participant's place."""
    seen_epoch: int = 0
    """The highest that a client knows who comes back to its media session; 0 with a new session, or from one who cannot tell."""
    old_node_serves: bool = False
    """Whether a node that the room leaves serves those it has: who has missed the word of their move is told so with it."""


class ParticipantStream:
    """One open stream."""

    def __init__(
        self, member: Membership, *, last_event: int, room_event: int, times: StreamTimes, now: float
    ) -> None:
        """The client has events up to `last_event`; those up to `room_event` exist."""
        self._claim = member.claim
        self._role = member.role
        self._epoch = member.epoch
        self._times = times
        self._sequence = EventSequence(last_event)
        self._sequence.expect(room_event)
        self._outputs: list[Output] = []
        self._ended = False
        self._in_flight = False
        self._ask_again = False
        self._pause = times.replay_backoff
        self._replay_at = math.inf
        self._audit_at = now + times.audit
        self._keepalive_at = now + times.keepalive
        self._renew_at = now + times.token_lifetime / 2
        if 0 < member.seen_epoch < member.epoch:
            missed = signaling_pb2.Moved(epoch=member.epoch, make_before_break=member.old_node_serves)
            self._send(signaling_pb2.JoinResponse(moved=missed), now)
        if self._sequence.behind:
            self._request_replay()

    @property
    def last_event(self) -> int:
        """The number of the last event that the client was given."""
        return self._sequence.last

    def handle_event(self, event: room_pb2.Event, now: float) -> None:
        """An event came live."""
        if self._ended:
            return
        self._audit_at = now + self._times.audit
        self._sequence.insert(event)
        self._deliver(now)
        if self._sequence.behind and not self._in_flight and self._replay_at == math.inf:
            self._request_replay()

    def handle_replayed(self, answer: rooms_pb2.ReplayResponse, now: float) -> None:
        """The answer to RequestReplay."""
        if self._ended:
            return
        before = self._sequence.last
        self._in_flight = False
        self._audit_at = now + self._times.audit
        for event in answer.events:
            self._sequence.insert(event)
            self._deliver(now)
        if answer.HasField("snapshot"):
            self._adopt(answer.snapshot, now)
        progress = self._sequence.last > before
        if progress:
            self._pause = self._times.replay_backoff
        if self._ask_again or (progress and (answer.more or self._sequence.behind)):
            self._request_replay()
        elif self._sequence.behind:
            self._replay_later(now)

    def handle_replay_failed(self, now: float) -> None:
        """The rooms service did not answer RequestReplay."""
        if self._ended:
            return
        self._in_flight = False
        self._replay_later(now)

    def handle_gone(self, error: SalonError) -> None:
        """The rooms service knows the room no more."""
        self._end(End(EndCause.OUT, error))

    def handle_reconnected(self) -> None:
        """NATS was away: whatever was published meanwhile is lost here."""
        if not self._ended:
            self._request_replay()

    def handle_claim(self, claim: StreamClaim) -> None:
        """A stream of this room opened somewhere."""
        if not self._ended and self._claim.yields_to(claim):
            taken_over = signaling_pb2.JoinResponse(taken_over=signaling_pb2.TakenOver())
            self._outputs.append(Send(taken_over))
            self._end(End(EndCause.TAKEN_OVER))

    def handle_drain(self) -> None:
        """The replica stops."""
        self._end(
            End(
                EndCause.DRAINED,
                SalonError(Code.UNAVAILABLE, "this replica is restarting: resume elsewhere"),
            )
        )

    def handle_overflow(self) -> None:
        """More waited to be sent than is kept: the client reads too slowly, or not at all."""
        self._end(
            End(
                EndCause.SLOW,
                SalonError(Code.UNAVAILABLE, "this stream was read too slowly: resume from its last event"),
            )
        )

    def handle_timeout(self, now: float) -> None:
        """`poll_timeout` is reached."""
        if self._ended:
            return
        if now >= self._replay_at or now >= self._audit_at:
            self._audit_at = now + self._times.audit
            self._request_replay()
        if now >= self._renew_at:
            self._renew(now)
        if now >= self._keepalive_at:
            self._send(signaling_pb2.JoinResponse(keepalive=signaling_pb2.Keepalive()), now)

    def poll_timeout(self) -> float:
        """When handle_timeout wants to be called."""
        if self._ended:
            return math.inf
        return min(self._replay_at, self._audit_at, self._renew_at, self._keepalive_at)

    def take_outputs(self) -> list[Output]:
        """What to do now, in this order. The list is handed over."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def _deliver(self, now: float) -> None:
        for event in self._sequence.release():
            if self._ended:
                return
            self._send(signaling_pb2.JoinResponse(event=event), now)
            self._apply(event, now)

    def _apply(self, event: room_pb2.Event, now: float) -> None:
        """What an event means for this stream itself."""
        own_id = self._claim.participant_id
        match event.WhichOneof("body"):
            case "participant_left" if event.participant_left.participant_id == own_id:
                self._end(End(EndCause.OUT))
            case "room_ended":
                self._end(End(EndCause.OUT))
            case "participant_changed" if event.participant_changed.participant.id == own_id:
                if event.participant_changed.participant.role != self._role:
                    self._role = event.participant_changed.participant.role
                    self._renew(now)
            case "participant_moved" if event.participant_moved.participant_id == own_id:
                self._move(event.participant_moved, now)
            case _:
                pass

    def _move(self, moved: room_pb2.ParticipantMoved, now: float) -> None:
        """Replayed moves can be older than the place that the welcome gave."""
        if moved.epoch > self._epoch:
            self._epoch = moved.epoch
            body = signaling_pb2.Moved(
                epoch=moved.epoch, make_before_break=moved.make_before_break, spread_ms=moved.spread_ms
            )
            self._send(signaling_pb2.JoinResponse(moved=body), now)

    def _adopt(self, snapshot: room_pb2.Snapshot, now: float) -> None:
        if self._ended or not self._sequence.skip_to(snapshot.event_number):
            return
        self._send(signaling_pb2.JoinResponse(snapshot=snapshot), now)
        if snapshot.room.state == room_pb2.ROOM_STATE_ENDED or not self._is_in(snapshot):
            self._end(End(EndCause.OUT))
        self._deliver(now)

    def _is_in(self, snapshot: room_pb2.Snapshot) -> bool:
        """Viewers are counted and not listed; of them only an event or a refused call tells."""
        if self._role == room_pb2.ROLE_VIEWER:
            return True
        return any(participant.id == self._claim.participant_id for participant in snapshot.participants)

    def _request_replay(self) -> None:
        """Ask now, or once more when the question under way is answered: that answer may be older than the reason."""
        self._replay_at = math.inf
        self._ask_again = self._in_flight
        if not self._in_flight and not self._ended:
            self._in_flight = True
            self._outputs.append(RequestReplay(self._sequence.last))

    def _replay_later(self, now: float) -> None:
        self._ask_again = False
        self._replay_at = now + self._pause
        self._pause = min(2 * self._pause, self._times.replay_backoff_max)

    def _renew(self, now: float) -> None:
        self._renew_at = now + self._times.token_lifetime / 2
        self._keepalive_at = now + self._times.keepalive
        self._outputs.append(RenewToken(self._role))

    def _send(self, message: signaling_pb2.JoinResponse, now: float) -> None:
        self._keepalive_at = now + self._times.keepalive
        self._outputs.append(Send(message))

    def _end(self, end: End) -> None:
        if not self._ended:
            self._ended = True
            self._outputs.append(end)
