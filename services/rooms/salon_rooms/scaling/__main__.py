"""The process: `python -m salon_rooms.scaling`, settings from the environment. No rules here."""

import asyncio
import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from salon.rooms.v1 import nodes_pb2_grpc
from salon_common import logs, nats
from salon_common.clock import SystemClock
from salon_common.health import HealthServer
from salon_common.process import announce_ready, run_service
from salon_common.rpc import NatsChannel
from salon_common.settings import load
from salon_common.telemetry.process import observed

from salon_rooms.scaling.config import ScalerSettings
from salon_rooms.scaling.pods import Pods
from salon_rooms.scaling.scaler import Scaler

if TYPE_CHECKING:
    from salon.rooms.v1.nodes_pb2_grpc import NodesServiceAsyncStub

_log = logging.getLogger(__name__)


async def serve(settings: ScalerSettings, stop: asyncio.Event) -> None:
    """Keep the costs until told to stop."""
    pods = Pods(settings.api_url, settings.service_account, settings.namespace, settings.selector)
    async with contextlib.AsyncExitStack() as stack:
        started = asyncio.Event()
        health = HealthServer(settings.health_bind, unix=settings.health_socket)
        health.add_check("started", started.is_set)
        port = await health.start()
        stack.push_async_callback(health.stop)
        running = asyncio.create_task(_run(settings, pods, started, port))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, stopping):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _run(settings: ScalerSettings, pods: Pods, started: asyncio.Event, port: int) -> None:
    """Connect, however long it takes, and go on until cancelled."""
    nc = await nats.connect(settings.nats, name="scaler")
    try:
        stub: NodesServiceAsyncStub = nodes_pb2_grpc.NodesServiceStub(NatsChannel(nc, region=settings.region))
        started.set()
        announce_ready(health=port)
        _log.info("ready", extra={"namespace": settings.namespace, "health": port})
        await Scaler(stub, pods, SystemClock()).run(settings.seconds)
    finally:
        await nc.close()


def main() -> int:
    """Read the settings and run."""
    settings = load(ScalerSettings)
    logs.setup("scaler", settings.log_level)
    return run_service(lambda stop: observed("scaler", settings, serve(settings, stop)))


if __name__ == "__main__":
    sys.exit(main())
