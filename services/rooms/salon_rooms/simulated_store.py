"""A store in memory, with the real one's rules and none of its luck: tests decide what is lost, late or in between.

`read` and `write` act at once, for tests that order every step themselves. The `Store` methods call `on_call` with
their name before they act, and `commit` once more, as "committed", after: it may wait or raise.
"""

from collections.abc import Awaitable, Callable, Sequence

from salon.rooms.v1 import room_pb2

from salon_rooms.core.room import Room
from salon_rooms.core.turn import NOTHING, Commit, Loaded
from salon_rooms.store import KeptEvents, StoreConflict, StoredParticipant, partition_of


async def _nothing_happens(call: str, room_id: str) -> None:
    """Let the call go through at once."""


class SimulatedStore:
    """Rooms in a dictionary."""

    def __init__(
        self, partitions: int = 1, on_call: Callable[[str, str], Awaitable[None]] = _nothing_happens
    ) -> None:
        self.partitions = partitions
        self._on_call = on_call
        self._sequence = 0
        self._rooms: dict[str, Loaded] = {}
        self._events: dict[str, dict[int, room_pb2.Event]] = {}
        self._feed: dict[tuple[str, str], StoredParticipant] = {}

    def read(self, room_id: str) -> Loaded:
        """The room now."""
        return self._rooms.get(room_id, NOTHING)

    def write(self, room_id: str, commit: Commit) -> int:
        """Compare and set. Raises StoreConflict."""
        current = self.read(room_id)
        if current.sequence != commit.expected:
            raise StoreConflict
        head = commit.change.head
        assert head is not None, "only changes are committed"
        head_sequence = self._sequence + 1
        self._sequence += commit.change.size
        room = (current.room or Room(head)).after(commit.change)
        self._rooms[room_id] = Loaded(room, head_sequence, commit.batch_id)
        kept = self._events.setdefault(room_id, {})
        kept.update({event.number: event for event in commit.change.events})
        for offset, (key, participant) in enumerate(commit.change.participants.items(), 1):
            stored = StoredParticipant(head_sequence + offset, room_id, key, participant)
            self._feed.pop((room_id, key), None)
            self._feed[room_id, key] = stored
        return head_sequence

    def expire_events(self, room_id: str, up_to: int) -> None:
        """Forget events, as their time to live would."""
        kept = self._events[room_id]
        self._events[room_id] = {number: event for number, event in kept.items() if number > up_to}

    async def load(self, room_id: str) -> Loaded:
        """As `Store` says."""
        await self._on_call("load", room_id)
        return self.read(room_id)

    async def commit(self, room_id: str, commit: Commit) -> int:
        """As `Store` says."""
        await self._on_call("commit", room_id)
        sequence = self.write(room_id, commit)
        await self._on_call("committed", room_id)
        return sequence

    async def events(self, room_id: str, after: int, limit: int) -> KeptEvents:
        """As `Store` says."""
        await self._on_call("events", room_id)
        room = self.read(room_id).room
        kept = self._events.get(room_id, {})
        wanted = range(after + 1, after + limit + 1)
        return KeptEvents(room.head if room else None, [kept[number] for number in wanted if number in kept])

    async def participants_from(
        self, partition: int, sequence: int, limit: int
    ) -> Sequence[StoredParticipant]:
        """As `Store` says."""
        await self._on_call("participants_from", "")
        return [
            stored
            for stored in self._feed.values()
            if stored.sequence >= sequence and partition_of(stored.room_id, self.partitions) == partition
        ][:limit]
