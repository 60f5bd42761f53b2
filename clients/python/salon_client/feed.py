"""Hands each piece of news to every subscriber, in order, and wakes those who wait for a state."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from salon_common.errors import Code, SalonError

T = TypeVar("T")

PENDING = 10_000
"""How far a subscriber may fall behind."""


class Feed(Generic[T]):
    """A stream of news with any number of readers."""

    def __init__(self) -> None:
        self._queues: list[asyncio.Queue[T | None]] = []
        self._changed = asyncio.Event()
        self._closed = False

    def publish(self, news: T) -> None:
        """Hand it to all."""
        for queue in tuple(self._queues):
            if queue.qsize() < PENDING:
                queue.put_nowait(news)
            else:
                self._queues.remove(queue)
                queue.put_nowait(None)
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """No more news."""
        self._closed = True
        for queue in self._queues:
            queue.put_nowait(None)
        self.wake()

    def subscribe(self) -> AsyncIterator[T]:
        """All news from now on. Raises SalonError RESOURCE_EXHAUSTED for a reader that falls too far behind."""
        queue: asyncio.Queue[T | None] = asyncio.Queue()
        self._queues.append(queue)
        if self._closed:
            queue.put_nowait(None)
        return self._read(queue)

    async def _read(self, queue: "asyncio.Queue[T | None]") -> AsyncIterator[T]:
        try:
            while (news := await queue.get()) is not None:
                yield news
            if not self._closed:
                raise SalonError(Code.RESOURCE_EXHAUSTED, f"more than {PENDING} pieces of news were not read")
        finally:
            if queue in self._queues:
                self._queues.remove(queue)

    async def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until `condition` holds, looking at each change. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self._changed.wait()
