"""One servicer behind every transport, and a NATS server for the tests that want one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc.aio
import pytest
from connectrpc.protocol import ProtocolType
from contract.probe import (
    Client,
    ProbeServicer,
    StreamClient,
    StubClient,
    WebClient,
    nats_client,
    new_servicer,
    registry_of,
)
from salon_common import nats
from salon_common.rpc import GrpcMount, NatsMount, ServiceRegistry, WebMount, connect_app
from support.nats_server import NatsServer

STREAMING = ["grpc", "connect", "connect-json", "grpc-web"]
UNARY = [*STREAMING, pytest.param("nats", marks=pytest.mark.stack)]

GRPC_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1))


@dataclass
class Probe:
    """The servicer and a client of one transport."""

    servicer: ProbeServicer
    client: Client


@dataclass
class StreamProbe:
    """The servicer and a client of one transport that streams."""

    servicer: ProbeServicer
    client: StreamClient


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


async def open_web(stack: AsyncExitStack, registry: ServiceRegistry, name: str, max_unary: int) -> WebClient:
    mount = WebMount(
        connect_app(registry, allow_origins=["https://app.example"], max_unary=max_unary), "127.0.0.1:0"
    )
    port = await mount.start()
    stack.push_async_callback(mount.stop)
    protocol = ProtocolType.GRPC_WEB if name == "grpc-web" else ProtocolType.CONNECT
    return WebClient(f"http://127.0.0.1:{port}", protocol, as_json=name == "connect-json")


async def open_grpc(stack: AsyncExitStack, registry: ServiceRegistry, max_unary: int) -> StubClient:
    mount = GrpcMount(registry, "127.0.0.1:0", max_unary=max_unary)
    port = await mount.start()
    stack.push_async_callback(mount.stop, 0.5)
    channel = await stack.enter_async_context(
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=GRPC_OPTIONS)
    )
    return StubClient(channel)


async def open_nats(
    stack: AsyncExitStack, server: NatsServer, registry: ServiceRegistry, max_unary: int
) -> StubClient:
    served, calling = (
        await nats.connect(server.url, name="served"),
        await nats.connect(server.url, name="calling"),
    )
    stack.push_async_callback(served.close)
    stack.push_async_callback(calling.close)
    mount = NatsMount(served, registry, region="local", max_unary=max_unary)
    await mount.start()
    stack.push_async_callback(mount.stop, 0.5)
    return nats_client(calling)


@pytest.fixture
def max_unary() -> int:
    """How many unary handlers may run at once; tests that want another bound parametrize it."""
    return 1024


@pytest.fixture(params=UNARY)
async def probe(request: pytest.FixtureRequest, max_unary: int) -> AsyncIterator[Probe]:
    """Every transport."""
    servicer = new_servicer()
    registry = registry_of(servicer)
    async with AsyncExitStack() as stack:
        client: Client
        if request.param == "nats":
            client = await open_nats(stack, request.getfixturevalue("nats_server"), registry, max_unary)
        elif request.param == "grpc":
            client = await open_grpc(stack, registry, max_unary)
        else:
            client = await open_web(stack, registry, request.param, max_unary)
        yield Probe(servicer, client)


@pytest.fixture(params=STREAMING)
async def stream_probe(request: pytest.FixtureRequest) -> AsyncIterator[StreamProbe]:
    """Every transport that streams."""
    servicer = new_servicer()
    registry = registry_of(servicer)
    async with AsyncExitStack() as stack:
        if request.param == "grpc":
            yield StreamProbe(servicer, await open_grpc(stack, registry, 1024))
        else:
            yield StreamProbe(servicer, await open_web(stack, registry, request.param, 1024))
