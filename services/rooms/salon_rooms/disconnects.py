"""Hears from NATS itself that a connection has ended: 3-4 ms after its process was killed.

The event comes from the system account, which exports it to the account of the region's services. Nothing follows from
it but a suspicion: an orderly close and a restart of NATS look the same.
"""

import json
import logging
import re
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from salon_rooms import metrics
from salon_rooms.core.placement import NodeRef

_log = logging.getLogger(__name__)

_MAX_BYTES = 64 * 1024
_NODE_NAME = re.compile(r"([a-z0-9-]{1,64})\.([A-Za-z0-9]{1,64})")
"""A node's connection is called by its id and its incarnation; those of other services have no dot."""


class Disconnects:
    """Subscribes to the ends of connections, and passes on those of nodes."""

    def __init__(self, nc: Client, account: str, on_disconnect: Callable[[NodeRef], None]) -> None:
        self._nc = nc
        self._subject = f"$SYS.ACCOUNT.{account}.DISCONNECT"
        self._on_disconnect = on_disconnect
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Subscribe. Where that is not allowed the client logs it, and nodes are noticed by their heartbeats."""
        self._subscription = await self._nc.subscribe(self._subject, cb=self._on_event)

    async def stop(self) -> None:
        """Hear no more."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    async def _on_event(self, message: Msg) -> None:
        try:
            name = _client_name(message.data)
        except ValueError:
            metrics.BAD_MESSAGES.labels("disconnect").inc()
            return
        if match := _NODE_NAME.fullmatch(name):
            self._on_disconnect(NodeRef(match[1], match[2]))


def _client_name(data: bytes) -> str:
    """The name that the client gave itself, empty when it gave none. Raises ValueError for what is no such event."""
    if len(data) > _MAX_BYTES:
        raise ValueError("too long")
    try:
        event = json.loads(data)
    except RecursionError as error:
        raise ValueError("too deep") from error
    client = event.get("client") if isinstance(event, dict) else None
    if not isinstance(client, dict):
        raise ValueError("no client")  # noqa: TRY004 - the caller cares only that it is no event
    name = client.get("name", "")
    return name if isinstance(name, str) else ""
