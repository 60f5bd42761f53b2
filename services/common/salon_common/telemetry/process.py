"""Has a process tell of itself while it runs."""

import asyncio
from collections.abc import Awaitable

from salon_common.settings import ServiceSettings
from salon_common.telemetry import metrics
from salon_common.telemetry.event_loop import watch_loop


async def observed(service: str, settings: ServiceSettings, work: Awaitable[None]) -> None:
    """Do a service's work, and measure its event loop meanwhile."""
    metrics.set_build(service)
    watching = asyncio.create_task(watch_loop(), name="loop watch")
    try:
        await work
    finally:
        watching.cancel()
