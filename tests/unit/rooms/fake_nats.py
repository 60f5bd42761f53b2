"""As much of a connection to NATS as the rooms service's shells need, in this process."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from nats.aio.msg import Msg


class FakeNats:
    """Keeps what is published, and delivers what a test says."""

    def __init__(self) -> None:
        self.stats = {"reconnects": 0}
        self.is_connected = True
        self.published: list[tuple[str, bytes]] = []
        self.callbacks: dict[str, Callable[[Msg], Awaitable[None]]] = {}

    async def subscribe(self, subject: str, cb: Callable[[Msg], Awaitable[None]]) -> "FakeNats":
        """The one subscription that `unsubscribe` ends is all of them."""
        self.callbacks[subject] = cb
        return self

    async def unsubscribe(self) -> None:
        """Deliver no more."""
        self.callbacks.clear()

    async def flush(self) -> None:
        """Nothing is buffered."""

    async def publish(self, subject: str, data: bytes) -> None:
        """Keep it."""
        self.published.append((subject, data))

    async def deliver(self, pattern: str, subject: str, data: bytes) -> None:
        """A message comes in."""
        await self.callbacks[pattern](Msg(cast("Any", self), subject, data=data))
