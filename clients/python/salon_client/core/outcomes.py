"""What to do when a Join ends: try again, enter anew by the link, or give up."""

from enum import Enum

from salon.rooms.v1 import room_pb2
from salon_common.errors import Code

_PASSING = frozenset(
    {Code.CANCELLED, Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.ABORTED, Code.INTERNAL, Code.UNAVAILABLE}
)
_PARTICIPANT_IS_GONE = frozenset({Code.NOT_FOUND, Code.UNAUTHENTICATED})


class Next(Enum):
    """What follows."""

    RETRY = "the same again, elsewhere or later"
    REJOIN = "as a new participant, by the link"
    GIVE_UP = "over"


def after_error(code: Code, *, resuming: bool) -> Next:
    """After a Join was refused or broke off. `resuming` means it was made with a session token."""
    if code in _PASSING:
        return Next.RETRY
    if resuming and code in _PARTICIPANT_IS_GONE:
        return Next.REJOIN
    if resuming and code is Code.RESOURCE_EXHAUSTED:
        return Next.RETRY  # a limit of calls, not of places: this participant has one
    return Next.GIVE_UP


def after_leaving(reason: "room_pb2.LeaveReason.ValueType") -> Next:
    """After the stream said that this participant is out of the room."""
    return Next.REJOIN if reason == room_pb2.LEAVE_REASON_LOST else Next.GIVE_UP
