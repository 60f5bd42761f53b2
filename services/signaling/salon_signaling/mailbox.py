"""What waits for one stream: bounded, since a client that does not read must not grow the process."""

import asyncio
from collections import deque
from dataclasses import dataclass

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import SalonError
from salon_common.ids import ParticipantId

from salon_signaling.core.claim import StreamClaim

MAX_WAITING = 1024
"""Inputs; a room that is as busy as the product gets has a few a second."""


@dataclass(frozen=True)
class Replayed:
    """The answer to a replay."""

    answer: rooms_pb2.ReplayResponse


@dataclass(frozen=True)
class ReplayFailed:
    """A replay was not answered."""

    error: SalonError


class Reconnected:
    """NATS was away."""


class Draining:
    """The replica stops."""


Input = room_pb2.Event | StreamClaim | Replayed | ReplayFailed | Reconnected | Draining


class Mailbox:
    """Inputs of one stream, in order."""

    def __init__(self) -> None:
        self.participant_id: ParticipantId | None = None
        """Whose stream it is, once known; claims of others are not put in then."""
        self.overflown = False
        """More came than is kept; the rest is dropped, and the stream ends."""
        self._waiting: deque[Input] = deque()
        self._filled = asyncio.Event()

    def put(self, item: Input) -> None:
        """Add an input."""
        if self.overflown:
            return
        if len(self._waiting) >= MAX_WAITING:
            self.overflown = True
            self._waiting.clear()
        else:
            self._waiting.append(item)
        self._filled.set()

    def take(self) -> list[Input]:
        """Everything that waits."""
        items = list(self._waiting)
        self._waiting.clear()
        self._filled.clear()
        return items

    async def wait(self, seconds: float) -> None:
        """Until something waits, or so long."""
        if seconds <= 0 or self._filled.is_set():
            return
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            pass
