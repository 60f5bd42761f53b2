"""The process of one rooms replica: `python -m salon_rooms`, settings from the environment."""

import asyncio
import contextlib
import logging
import secrets
import sys
from pathlib import Path

from salon_common import logs, nats
from salon_common.clock import SystemClock
from salon_common.errors import SettingsError
from salon_common.health import HealthServer
from salon_common.process import announce_ready, run_service
from salon_common.settings import load
from salon_common.telemetry.process import observed

from salon_rooms.config import RoomsSettings
from salon_rooms.replica import Replica

_log = logging.getLogger(__name__)

KEY_BYTES = 32


def read_link_key(path: Path | None) -> bytes:
    """The key of the first links of rooms; one of this process's own without a file. Raises SettingsError."""
    if path is None:
        return secrets.token_bytes(KEY_BYTES)
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"SALON_ROOMS_LINK_KEY_FILE: cannot read {path}: {error.strerror}") from error
    if len(key) < KEY_BYTES:
        raise SettingsError(
            f"SALON_ROOMS_LINK_KEY_FILE: {path} has {len(key)} bytes, at least {KEY_BYTES} are needed"
        )
    return key


async def serve(settings: RoomsSettings, stop: asyncio.Event) -> None:
    """Serve until told to stop; also while NATS or the store are still away."""
    link_key = read_link_key(settings.link_key_file)
    ready = False
    health = HealthServer(settings.health_bind, unix=settings.health_socket)
    health.add_check("started", lambda: ready)
    port = await health.start()
    try:
        async with contextlib.AsyncExitStack() as stack:

            async def start() -> None:
                nc = await nats.connect(settings.nats, name=f"rooms-{settings.replica_id}")
                stack.push_async_callback(nc.close)
                health.add_information("nats", lambda: nc.is_connected)
                replica = Replica(nc, settings, link_key, SystemClock())
                await replica.start()
                stack.push_async_callback(replica.stop)
                # Not before: an empty list would have Prometheus forget every node, and no answer has it keep them.
                health.add_route("/sd/media", replica.media_targets)

            if not await _unless(stop, asyncio.ensure_future(start())):
                return
            ready = True
            announce_ready(health=port)
            _log.info("ready", extra={"replica": settings.replica_id, "health": port})
            await stop.wait()
            ready = False
    finally:
        await health.stop()


async def _unless(stop: asyncio.Event, work: asyncio.Future[None]) -> bool:
    """Wait for `work`; False when told to stop before."""
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if work.done():
        work.result()
        return True
    work.cancel()
    await asyncio.wait((work,))
    return False


def main() -> int:
    """Read the settings and run."""
    settings = load(RoomsSettings)
    logs.setup("rooms", settings.log_level)
    return run_service(lambda stop: observed("rooms", settings, serve(settings, stop)))


if __name__ == "__main__":
    sys.exit(main())
