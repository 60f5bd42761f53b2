"""Replays that are shared: the streams of a room miss the same events at once, and one answer serves them all."""

import asyncio

from salon.rooms.v1 import rooms_pb2
from salon_common.ids import RoomId

from salon_signaling import metrics
from salon_signaling.rooms_client import RoomsClient


class SharedReplays:
    """Asks the rooms service for missed events, the same question once at a time."""

    def __init__(self, rooms: RoomsClient) -> None:
        self._rooms = rooms
        self._under_way: dict[tuple[RoomId, int], asyncio.Task[rooms_pb2.ReplayResponse]] = {}

    async def replay(self, room: RoomId, after: int) -> rooms_pb2.ReplayResponse:
        """The events after `after`. Raises SalonError."""
        key = (room, after)
        task = self._under_way.get(key)
        if task is None:
            metrics.REPLAYS.inc()
            request = rooms_pb2.ReplayRequest(room_id=room, after=after)
            task = self._under_way[key] = asyncio.create_task(self._rooms.replay(request))
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def handle_reconnected(self) -> None:
        """Answers to earlier questions may be older than what was missed: whoever asks now asks anew."""
        self._under_way.clear()

    def _forget(self, key: tuple[RoomId, int], done: asyncio.Task[rooms_pb2.ReplayResponse]) -> None:
        if self._under_way.get(key) is done:
            del self._under_way[key]
        if not done.cancelled():
            done.exception()  # seen: whoever still waits gets it; with nobody left it is of no interest
