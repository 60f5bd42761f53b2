"""Measures the process's connection to NATS."""

import asyncio
import math

import nats.errors
from nats.aio.client import Client

from salon_common.telemetry import metrics

PING_SECONDS = 5.0
ANSWER_SECONDS = 2.0


async def watch_connection(nc: Client) -> None:
    """Ping NATS again and again, until cancelled. Reconnections are counted by whoever hears of them."""
    metrics.NATS_CONNECTED.set_function(lambda: float(nc.is_connected))
    while True:
        metrics.NATS_ROUND_TRIP.set(await _ping(nc))
        await asyncio.sleep(PING_SECONDS)


async def _ping(nc: Client) -> float:
    if not nc.is_connected:
        return math.nan
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        await nc.flush(timeout=ANSWER_SECONDS)  # type: ignore[arg-type] # annotated int, used as seconds
    except (nats.errors.Error, OSError, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        return math.nan
    return loop.time() - began
