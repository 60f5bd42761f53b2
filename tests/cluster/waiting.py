"""Waiting for what can only be asked for again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.5


async def settles(look: Callable[[], Awaitable[T]], expected: T, seconds: float) -> T:
    """What is seen once it is as expected, or when the time is over: for an assertion that shows the difference."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + seconds
    while (seen := await look()) != expected and loop.time() < give_up:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(_LOOK_SECONDS)  # the interval at which it is looked at
    return seen
