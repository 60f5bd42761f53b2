"""What a node is for: everybody, those it has already, or being emptied until a deadline.

Owns what an operator may ask for. Deadlines come and are told in wall time and are kept in monotonic time: a clock that is set
must not end anybody's call.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from salon.media.v1 import media_pb2
from salon.rooms.v1 import presence_pb2
from salon_common.errors import Code, SalonError, invalid

MAX_DRAIN_SECONDS: Final = 86_400.0


class Purpose(Enum):
    """The protocol's modes."""

    ACTIVE = presence_pb2.NODE_MODE_ACTIVE
    """Takes rooms and participants."""
    CORDONED = presence_pb2.NODE_MODE_CORDONED
    """Keeps the rooms it has, with all who join them."""
    DRAINING = presence_pb2.NODE_MODE_DRAINING
    """Takes nobody new; who is left at the deadline is let go."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What a node is for. `deadline` is monotonic time, and only draining has one."""

    purpose: Purpose
    deadline: float = math.inf
    ending: bool = False
    """The process itself was told to stop."""

    def is_over(self, now: float) -> bool:
        """Whether who is left is let go."""
        return now >= self.deadline

    def seconds_left(self, now: float) -> float:
        """Until it is over; 0 from then on."""
        return max(0.0, self.deadline - now)


ACTIVE: Final = Mode(Purpose.ACTIVE)


def draining(now: float, seconds: float, *, ending: bool = False) -> Mode:
    """Be empty in so many seconds."""
    return Mode(Purpose.DRAINING, now + seconds, ending)


def read_mode(request: media_pb2.SetModeRequest, boot_id: str, now: float, wall: float) -> Mode:
    """What is asked for. Raises SalonError."""
    if request.boot_id != boot_id:
        raise SalonError(Code.FAILED_PRECONDITION, "boot_id: this node has restarted since: look at it again")
    try:
        purpose = Purpose(request.mode)
    except ValueError as error:
        raise invalid("mode", "must be active, cordoned or draining") from error
    if purpose is not Purpose.DRAINING:
        return Mode(purpose)
    if not request.HasField("deadline"):
        raise invalid("deadline", "must be given for draining")
    seconds = _seconds_of(request.deadline) - wall
    if not 0 < seconds <= MAX_DRAIN_SECONDS:
        raise invalid("deadline", "must lie ahead, by a day at most")
    return draining(now, seconds)


def deadline_of(mode: Mode, now: float, wall: float) -> Timestamp | None:
    """When draining is over, as others read it."""
    if math.isinf(mode.deadline):
        return None
    millis = round((wall + mode.deadline - now) * 1000)
    return Timestamp(seconds=millis // 1000, nanos=millis % 1000 * 1_000_000)


def _seconds_of(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9
