"""What a room tells its user beside the room's own numbered events (`salon.rooms.v1.Event`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from salon.rooms.v1 import room_pb2


@dataclass(frozen=True)
class Entered:
    """In the room; again after each resume."""

    participant_id: str
    node_id: str
    resumed: bool
    """The same participant came back."""


@dataclass(frozen=True)
class Waiting:
    """At the door, until somebody lets us in."""


@dataclass(frozen=True)
class Replaced:
    """What was missed is no longer kept: the state is that of a snapshot at this number."""

    event_number: int


@dataclass(frozen=True)
class Disconnected:
    """The event stream broke; the room resumes by itself. Media goes on."""

    why: str


@dataclass(frozen=True)
class MediaConnected:
    """A media session is up."""

    node_id: str


@dataclass(frozen=True)
class MediaLost:
    """A media session is down; the room makes another."""

    why: str


@dataclass(frozen=True)
class SlotsChanged:
    """Slots show other sources."""


@dataclass(frozen=True)
class SpeakersChanged:
    """Who is heard, by source number, loudest first."""

    sources: Sequence[int]
    dominant: int


@dataclass(frozen=True)
class Ended:
    """Out of the room, for good."""

    why: str


RoomNews = (
    room_pb2.Event
    | Entered
    | Waiting
    | Replaced
    | Disconnected
    | MediaConnected
    | MediaLost
    | SlotsChanged
    | SpeakersChanged
    | Ended
)
