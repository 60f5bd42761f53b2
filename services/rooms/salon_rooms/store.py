"""What the service wants of a store, whichever it is: a room read as one, and written as one if nobody else did.

`jetstream` is the real one, `simulated_store` the one for tests and simulations.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from salon.rooms.v1 import room_pb2

from salon_rooms.core.turn import Commit, Loaded


class StoreConflict(Exception):  # noqa: N818 - a race that was lost is an answer, not a fault
    """The head was not the expected one; nothing was stored."""


class StoreUnheard(Exception):  # noqa: N818 - nobody knows whether it is a fault
    """No answer: the write may be stored, now or later, or not at all."""


class StoreUnavailable(Exception):  # noqa: N818 - said as callers are told
    """The store cannot be read, or refused a write; nothing was stored."""


@dataclass(frozen=True)
class KeptEvents:
    """The events asked for that are still kept, in order, read as one with the head."""

    head: room_pb2.RoomHead | None
    events: Sequence[room_pb2.Event]


@dataclass(frozen=True)
class StoredParticipant:
    """One participant as stored last; None for one who is out."""

    sequence: int
    room_id: str
    participant_id: str
    participant: room_pb2.Participant | None


class Store(Protocol):
    """Rooms, kept."""

    partitions: int

    async def load(self, room_id: str) -> Loaded:
        """A room as of one instant. Raises StoreUnavailable."""
        ...

    async def commit(self, room_id: str, commit: Commit) -> int:
        """Store a change whole, if the head is the expected one; the new head's sequence. Raises StoreConflict,
        StoreUnheard, StoreUnavailable.
        """
        ...

    async def events(self, room_id: str, after: int, limit: int) -> KeptEvents:
        """Which of the `limit` events after a number are kept. Raises StoreUnavailable."""
        ...

    async def participants_from(
        self, partition: int, sequence: int, limit: int
    ) -> Sequence[StoredParticipant]:
        """Participants of a partition that were stored at a sequence or later, in order of storing: each once, as
        last stored. Raises StoreUnavailable.
        """
        ...


def partition_of(room_id: str, partitions: int) -> int:
    """The partition that a room is in. All replicas must agree, so it is no setting."""
    return zlib.crc32(room_id.encode()) % partitions
