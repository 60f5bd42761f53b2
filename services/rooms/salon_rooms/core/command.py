"""What every command is: a value that, applied to a room at a moment, gives a change and a reply.

Commands carry the random bytes they need. So applying one again, after a conflict or when nobody knows whether a
commit got through, gives the same participant, link or message again.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from salon_common.errors import Code, SalonError

from salon_rooms.core.placement import Directory
from salon_rooms.core.room import UNCHANGED, Change, Room

Reply = TypeVar("Reply")


@dataclass(frozen=True)
class Moment:
    """When a command is applied, and what is known then beside the room."""

    now: float
    """Monotonic seconds."""
    wall: float
    """Unix seconds."""
    nodes: Directory
    """The media nodes; commands only ask it."""


@dataclass(frozen=True)
class Outcome(Generic[Reply]):
    """What a command did."""

    reply: Reply
    change: Change = UNCHANGED


class Command(ABC, Generic[Reply]):
    """One thing to be done to one room."""

    @abstractmethod
    def apply(self, room: Room | None, moment: Moment) -> Outcome[Reply]:
        """Decide. `room` is None when there is none. Raises SalonError when it may not be; then nothing changes."""


def existing(room: Room | None) -> Room:
    """The room, if there is one. Raises SalonError NOT_FOUND."""
    if room is None:
        raise SalonError(Code.NOT_FOUND, "there is no such room: check the link, or ask for a new one")
    return room


def running(room: Room | None) -> Room:
    """The room, if it exists and goes on. Raises SalonError NOT_FOUND or FAILED_PRECONDITION."""
    room = existing(room)
    if room.ended:
        raise SalonError(Code.FAILED_PRECONDITION, "this room has ended: start a new one")
    return room
