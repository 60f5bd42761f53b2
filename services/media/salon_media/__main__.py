"""The process of one media node: `python -m salon_media`, settings from the environment. No rules here."""

import asyncio
import logging
import secrets
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from nats.aio.client import Client
from prometheus_client import REGISTRY
from salon_common import logs, nats
from salon_common.clock import SystemClock
from salon_common.health import HealthServer
from salon_common.net import cannot_listen, parse_bind
from salon_common.process import STOP_SECONDS, announce_ready, run_service
from salon_common.settings import load
from salon_common.telemetry.process import observed

from salon_media.app import MediaApp
from salon_media.config import MediaSettings
from salon_media.core.mode import ACTIVE
from salon_media.engine import EnginePort, start_engine

_log = logging.getLogger(__name__)

T = TypeVar("T")


async def serve(settings: MediaSettings, stop: asyncio.Event) -> None:
    """Run a node until `stop` is set, then drain it. The health port answers before NATS does."""
    boot_id = secrets.token_hex(8)
    async with AsyncExitStack() as stack:
        engine = _start_engine(settings)
        stack.callback(engine.stop)
        app = MediaApp(settings, boot_id, engine, SystemClock(), REGISTRY)
        started = asyncio.Event()
        health = HealthServer(
            settings.health_bind, boot_id, ports=settings.ports, unix=settings.health_socket
        )
        health.add_check("admitting", lambda: started.is_set() and app.state.mode == ACTIVE)
        health_port = await health.start()
        stack.push_async_callback(health.stop)

        nc = await _connect(settings, boot_id, stop)
        if nc is None:
            return
        stack.push_async_callback(nc.close)
        health.add_information("nats", lambda: nc.is_connected)
        serving = asyncio.create_task(app.serve(nc, health_port, started, stop))
        await _first_of(started.wait(), serving)
        if not serving.done():
            announce_ready(udp=engine.port, health=health_port)
            _log.info("ready", extra={"node": settings.node_id, "boot": boot_id, "udp": engine.port})
        await serving


def _start_engine(settings: MediaSettings) -> EnginePort:
    host, port = parse_bind(settings.udp_bind)
    try:
        if settings.ports is None:
            return start_engine(host, port)
        return settings.ports.bind(lambda free: start_engine(host, free))
    except OSError as error:
        where = f"{settings.udp_bind} of {settings.ports}" if settings.ports else settings.udp_bind
        raise cannot_listen("SALON_MEDIA_UDP_BIND", where, error) from error


async def _connect(settings: MediaSettings, boot_id: str, stop: asyncio.Event) -> Client | None:
    """Connect to NATS; None when told to stop before it answers. Rooms knows nodes by the connection's name."""
    connecting = asyncio.create_task(nats.connect(settings.nats, name=f"{settings.node_id}.{boot_id}"))
    await _first_of(stop.wait(), connecting)
    if connecting.done():
        return connecting.result()
    connecting.cancel()
    await asyncio.wait([connecting])
    return None


async def _first_of(signal: Coroutine[Any, Any, bool], work: "asyncio.Task[T]") -> None:
    """Wait until either is done; `work` goes on."""
    waiting = asyncio.ensure_future(signal)
    await asyncio.wait([waiting, work], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def main() -> int:
    """Read the settings and run."""
    settings = load(MediaSettings)
    logs.setup("media", settings.log_level)
    stop_seconds = settings.drain_seconds + STOP_SECONDS
    return run_service(
        lambda stop: observed("media", settings, serve(settings, stop)), stop_seconds=stop_seconds
    )


if __name__ == "__main__":
    sys.exit(main())
