"""The media nodes as an operator sees them: over a port forwarded to NATS, with the operator's password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from cluster.installation import SALON, Installation
from faults.stage import Nodes


@asynccontextmanager
async def open_nodes(installation: Installation) -> AsyncIterator[Nodes]:
    """Ask rooms about its nodes, and tell them what they are for."""
    password = await installation.secret("salon-nats", "operator")
    async with installation.kubectl.forward(SALON, "service/nats", 4222) as port:
        client = await nats.connect(
            f"nats://127.0.0.1:{port}", user="operator", password=password, inbox_prefix=b"_INBOX.operator"
        )
        try:
            yield Nodes(client)
        finally:
            await client.close()
