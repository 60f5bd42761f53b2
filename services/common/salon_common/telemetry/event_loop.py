"""Measures how late the event loop is: what a call waits for besides its own work."""

import asyncio

from salon_common.telemetry import metrics

LOOK_SECONDS = 0.1


async def watch_loop() -> None:
    """Ask to be woken again and again, and note how late it was, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        metrics.LOOP_LAG_SECONDS.observe(max(0.0, loop.time() - due))
