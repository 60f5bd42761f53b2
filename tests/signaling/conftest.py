"""A NATS server for each test that breaks it, and the world around the replicas."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from signaling.world import World
from support.nats_server import NatsServer


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


@pytest.fixture
async def world(server: NatsServer, tmp_path: Path) -> AsyncIterator[World]:
    world = World(server, tmp_path)
    await world.start()
    yield world
    await world.stop()
