"""The process: settings, NATS, mounts, readiness, and a drain on SIGTERM. No rules here."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

from nats.aio.client import Client
from salon_common import logs, nats
from salon_common.clock import SystemClock
from salon_common.health import HealthServer
from salon_common.process import announce_ready, run_service
from salon_common.rpc import GrpcMount, WebMount, connect_app
from salon_common.settings import load
from salon_common.telemetry.process import observed

from salon_signaling.app import SignalingApp
from salon_signaling.config import SignalingSettings


async def serve(settings: SignalingSettings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then end the streams and let calls finish."""
    async with AsyncExitStack() as stack:
        health = HealthServer(settings.health_bind, unix=settings.health_socket)
        health_port = await health.start()
        stack.push_async_callback(health.stop)
        serving = asyncio.Event()
        health.add_check("serving", lambda: serving.is_set() and not stop.is_set())

        reconnected: list[Callable[[], None]] = []
        nc = await _connect(settings, stop, reconnected)
        if nc is None:
            return
        stack.push_async_callback(nc.close)
        health.add_information("nats", lambda: nc.is_connected)

        app = SignalingApp(nc, settings, SystemClock())
        reconnected.append(app.handle_reconnected)
        reporting = asyncio.create_task(app.presence.run())
        stack.callback(reporting.cancel)

        grpc_mount = GrpcMount(app.registry, settings.grpc_bind)
        web_mount = WebMount(
            connect_app(app.registry, allow_origins=settings.allow_origins),
            settings.web_bind,
            trusted_proxies=tuple(str(network) for network in settings.trusted_proxies),
            grace=settings.drain_seconds,
        )
        grpc_port = await grpc_mount.start()
        stack.push_async_callback(grpc_mount.stop, settings.drain_seconds)
        web_port = await web_mount.start()
        stack.push_async_callback(web_mount.stop)
        serving.set()
        announce_ready(grpc=grpc_port, web=web_port, health=health_port)

        await stop.wait()
        app.live.drain()
        await asyncio.gather(grpc_mount.stop(settings.drain_seconds), web_mount.stop())
        await app.drain()


async def _connect(
    settings: SignalingSettings, stop: asyncio.Event, reconnected: list[Callable[[], None]]
) -> Client | None:
    """Connect to NATS, however long it takes; None when told to stop before."""

    def handle_reconnected() -> None:
        for handle in reconnected:
            handle()

    connecting = asyncio.create_task(
        nats.connect(
            settings.nats,
            name=f"signaling-{settings.replica_id}",
            on_reconnected=handle_reconnected,
        )
    )
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if connecting.done():
        return connecting.result()
    connecting.cancel()
    return None


def main() -> int:
    """Run a replica."""
    settings = load(SignalingSettings)
    logs.setup("signaling", settings.log_level)
    return run_service(lambda stop: observed("signaling", settings, serve(settings, stop)))


if __name__ == "__main__":
    sys.exit(main())
