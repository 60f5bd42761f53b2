"""A real NATS for the rooms service's own stack tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
from nats.aio.client import Client
from salon_common import nats
from support.nats_server import NatsServer


@pytest.fixture(scope="module")
def nats_server() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


@pytest.fixture
async def nc(nats_server: NatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(nats_server.url, name="test")
    yield client
    await client.close()
