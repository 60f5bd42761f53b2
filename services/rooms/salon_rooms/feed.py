"""Follows the store's participants into the tracker: the stream's sequence is the feed, so nothing is missed."""

import asyncio

from salon_common.clock import Clock

from salon_rooms.core.presence import PresenceTracker
from salon_rooms.store import Store

PAGE = 500


class Feed:
    """What was stored since it was read last."""

    def __init__(self, store: Store, tracker: PresenceTracker, clock: Clock) -> None:
        self._store = store
        self._tracker = tracker
        self._clock = clock
        self._next_sequence = [1] * store.partitions
        self._reading = asyncio.Lock()

    async def follow(self) -> None:
        """Take in everything stored until now. Raises StoreUnavailable."""
        async with self._reading:
            await asyncio.gather(*(self._follow(partition) for partition in range(self._store.partitions)))

    async def _follow(self, partition: int) -> None:
        while True:
            page = await self._store.participants_from(partition, self._next_sequence[partition], PAGE)
            now = self._clock.now()
            for stored in page:
                self._tracker.handle_stored(stored.room_id, stored.participant_id, stored.participant, now)
            if page:
                self._next_sequence[partition] = page[-1].sequence + 1
            if len(page) < PAGE:
                return
