"""Connecting to NATS: the same patience, limits and log lines for every service."""

import asyncio
import logging
import time
from collections.abc import Callable

from nats.aio.client import DEFAULT_FLUSH_TIMEOUT, PING_PROTO, Client

from salon_common.nats_access import NatsAccess, split_url
from salon_common.telemetry import metrics
from salon_common.telemetry.nats_connection import watch_connection

_log = logging.getLogger(__name__)

RECONNECT_WAIT = 0.25
"""Seconds between attempts."""
QUIET_SECONDS = 5.0
"""An error that repeats is logged once in this time."""
PENDING_BYTES = 8 * 1024 * 1024
"""Bytes kept to send while NATS is away; more raise OutboundBufferLimitError at the publisher."""
SUBSCRIPTION_MESSAGES = 65_536
"""For `subscribe(pending_msgs_limit=…)`: messages that may wait for a subscriber."""
SUBSCRIPTION_BYTES = 64 * 1024 * 1024
"""For `subscribe(pending_bytes_limit=…)`: bytes that may wait for a subscriber."""


class _Client(Client):
    """nats-py 2.16 with three repairs, which `tests/contract/test_nats.py` and `tests/unit/common/test_nats_flush.py` watch.

    `flush` comes after what was sent before it: PING was written past the commands that wait for the flusher, so the PONG proved
    nothing about a subscription made just before, and a drained one could lose messages. `close` is quiet while NATS is away: it
    raised for what was still to be sent, and a service that was told to stop then ended as if it had failed. And `flush` forgets
    no cancellation: it waits by `asyncio.wait_for`, which before Python 3.12 swallows one that comes with the answer.
    """

    async def flush(self, timeout: int = DEFAULT_FLUSH_TIMEOUT) -> None:
        """Wait until the server has all that was sent. Raises nats.errors.Error."""
        await super().flush(timeout)
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError

    async def _send_ping(self, future: "asyncio.Future[bool] | None" = None) -> None:
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    async def close(self) -> None:
        """End the connection, or the wait for one."""
        if not self.is_connected:
            self._pending, self._pending_data_size = [], 0
        await super().close()

    _watching: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Measure the connection for as long as it is not closed."""
        self._watching = asyncio.create_task(watch_connection(self), name="NATS watch")

    async def closed(self) -> None:
        """There will be no connection any more."""
        if self._watching is not None:
            self._watching.cancel()


class _Log:
    """One line an event, and a repeated error only now and then: a broker that is away is asked four times a second."""

    def __init__(self, client: Client, name: str, on_reconnected: Callable[[], None] | None) -> None:
        self._client = client
        self._on_reconnected = on_reconnected
        self._extra = {"connection": name}
        self._last = ""
        self._quiet_until = 0.0

    async def error(self, error: Exception) -> None:
        """Something went wrong that the client deals with."""
        text = f"{type(error).__name__}: {error}"
        now = time.monotonic()
        if text != self._last or now >= self._quiet_until:
            _log.warning("NATS: %s", text, extra=self._extra)
            self._last, self._quiet_until = text, now + QUIET_SECONDS

    async def disconnected(self) -> None:
        """The connection ended; by our own `close` is no news."""
        if not self._client.is_closed:
            _log.warning("NATS is out of reach", extra=self._extra)

    async def reconnected(self) -> None:
        """All subscriptions are back."""
        _log.info("NATS is back", extra=self._extra)
        metrics.NATS_RECONNECTS.inc()
        if self._on_reconnected is not None:
            self._on_reconnected()


async def connect(
    access: NatsAccess | str,
    *,
    name: str,
    on_reconnected: Callable[[], None] | None = None,
) -> Client:
    """Connect, waiting for as long as NATS is away, and stay connected for ever. `name` is what operators see; a plain URL may
    name a user and password. Raises SettingsError for files that cannot be read.

    `on_reconnected` is called when subscriptions are back after an interruption: what was published meanwhile is lost.
    Cancel to give up. A service starts its health port before, so that it is seen to be alive and not ready.
    """
    if isinstance(access, str):
        access = NatsAccess(access)
    client = _Client()
    log = _Log(client, name, on_reconnected)
    servers, user, password = split_url(access.url)
    await client.connect(
        servers=servers,
        name=name,
        user=access.user or user,
        password=access.password() or password,
        tls=access.tls(),
        inbox_prefix=access.inbox_prefix,
        error_cb=log.error,
        disconnected_cb=log.disconnected,
        reconnected_cb=log.reconnected,
        closed_cb=client.closed,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_WAIT,  # type: ignore[arg-type] # annotated int, used as seconds of sleep
        connect_timeout=2,
        ping_interval=5,
        max_outstanding_pings=2,
        pending_size=PENDING_BYTES,
    )
    client.watch()
    return client
