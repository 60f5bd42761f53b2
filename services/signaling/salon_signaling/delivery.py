"""Runs one stream: feeds the state machine from the mailbox and the clock, and does what it says."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.clock import Clock
from salon_common.errors import Code, SalonError

from salon_signaling import metrics
from salon_signaling.core.claim import StreamClaim
from salon_signaling.core.stream import End, EndCause, ParticipantStream, RenewToken, RequestReplay, Send
from salon_signaling.mailbox import Draining, Input, Mailbox, Reconnected, Replayed, ReplayFailed


@dataclass(frozen=True)
class DeliveryCalls:
    """What a stream needs done."""

    issue: "Callable[[room_pb2.Role.ValueType], signaling_pb2.SessionToken]"
    """A session token with this role."""
    replay: Callable[[int], Awaitable[rooms_pb2.ReplayResponse]]
    """The events after a number. Raises SalonError."""


class Delivery:
    """One open stream after its welcome."""

    def __init__(
        self, stream: ParticipantStream, mailbox: Mailbox, calls: DeliveryCalls, clock: Clock
    ) -> None:
        self.cause = EndCause.CANCELLED
        """Why it ended, once it has."""
        self._stream = stream
        self._mailbox = mailbox
        self._calls = calls
        self._clock = clock
        self._replay: asyncio.Task[None] | None = None

    async def messages(self) -> AsyncGenerator[signaling_pb2.JoinResponse, None]:
        """What to send, until the stream ends. Raises SalonError when it ends with an error."""
        try:
            while True:
                for output in self._stream.take_outputs():
                    match output:
                        case Send(message):
                            _count(message)
                            yield message
                        case RenewToken(role):
                            yield signaling_pb2.JoinResponse(session_token=self._calls.issue(role))
                        case RequestReplay(after):
                            self._replay = asyncio.create_task(self._ask(after))
                        case End(cause, error):
                            self.cause = cause
                            if error is not None:
                                raise error
                            return
                        case _:
                            assert_never(output)
                await self._mailbox.wait(self._stream.poll_timeout() - self._clock.now())
                self._feed()
        finally:
            if self._replay is not None:
                self._replay.cancel()

    def _feed(self) -> None:
        now = self._clock.now()
        for item in self._mailbox.take():
            self._handle(item, now)
        if self._mailbox.overflown:
            self._stream.handle_overflow()
        self._stream.handle_timeout(now)

    def _handle(self, item: Input, now: float) -> None:
        match item:
            case room_pb2.Event():
                self._stream.handle_event(item, now)
            case StreamClaim():
                self._stream.handle_claim(item)
            case Replayed(answer):
                self._stream.handle_replayed(answer, now)
            case ReplayFailed(error) if error.code == Code.NOT_FOUND:
                self._stream.handle_gone(error)
            case ReplayFailed():
                self._stream.handle_replay_failed(now)
            case Reconnected():
                self._stream.handle_reconnected()
            case Draining():
                self._stream.handle_drain()
            case _:
                assert_never(item)

    async def _ask(self, after: int) -> None:
        try:
            self._mailbox.put(Replayed(await self._calls.replay(after)))
        except SalonError as error:
            self._mailbox.put(ReplayFailed(error))


def _count(message: signaling_pb2.JoinResponse) -> None:
    if message.HasField("event"):
        metrics.EVENTS.inc()
    elif message.HasField("snapshot"):
        metrics.SNAPSHOTS.inc()
