"""Watches one media session: whether it comes up, and when it is of no use any more."""

import asyncio
import contextlib
from dataclasses import dataclass

from salon_client.core.silence import LOOK_SECONDS, SilenceWatch
from salon_client.media import MediaSession

CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Loss:
    """A session that was up is lost."""

    silent: bool
    """Nothing came any more; otherwise the connection was ended."""


async def comes_up(session: MediaSession) -> bool:
    """Wait until a session is connected; False when it failed or took too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CONNECT_SECONDS):
            await _first(session.connected, session.failed)
    return session.connected.is_set() and not session.failed.is_set()


async def until_lost(session: MediaSession) -> Loss:
    """Wait while a connected session is heard."""
    loop = asyncio.get_running_loop()
    silence = SilenceWatch(loop.time())
    while not session.failed.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(session.failed.wait(), LOOK_SECONDS)
        if silence.look(session.received_datagrams(), loop.time()):
            return Loss(silent=True)
    return Loss(silent=False)


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
