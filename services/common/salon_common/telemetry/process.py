"""Has a process tell of itself while it runs."""

import asyncio
from collections.abc import Awaitable

from prometheus_client import disable_created_metrics

from salon_common.settings import ServiceSettings
from salon_common.telemetry import metrics, tracing
from salon_common.telemetry.event_loop import watch_loop


async def observed(service: str, settings: ServiceSettings, work: Awaitable[None]) -> None:
    """Do a service's work, measure its event loop meanwhile, and send traces where settings say so."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each first one
    metrics.set_build(service)
    if settings.traces_endpoint is not None:
        tracing.start(service, settings.region, settings.traces_endpoint, settings.traces_ratio)
    watching = asyncio.create_task(watch_loop(), name="loop watch")
    try:
        await work
    finally:
        watching.cancel()
        await tracing.stop()
