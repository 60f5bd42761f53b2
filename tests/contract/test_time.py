"""Deadlines and cancellation reach the handler through every mount; a server that is not there is UNAVAILABLE at once."""

import asyncio
import math
import time

import grpc.aio
import pytest
from connectrpc.protocol import ProtocolType
from contract.conftest import Probe
from contract.probe import StubClient, WebClient, nats_client
from salon_common import nats
from salon_common.errors import Code
from support.nats_server import NatsServer, free_port


async def test_the_handler_sees_how_long_the_caller_waits(probe: Probe) -> None:
    outcome = await probe.client.call("remaining", timeout=5)
    assert 4 < float(outcome.text) <= 5
    assert not math.isinf(float(outcome.text))


async def test_a_deadline_ends_the_call_and_the_handler(probe: Probe) -> None:
    began = time.monotonic()
    outcome = await probe.client.call("wait", timeout=0.3)
    assert outcome.code is Code.DEADLINE_EXCEEDED
    assert 0.25 < time.monotonic() - began < 2
    async with asyncio.timeout(2):
        await probe.servicer.seen.cancelled.wait()
        await probe.servicer.seen.done.wait()


async def test_a_caller_that_gives_up_cancels_the_handler(probe: Probe) -> None:
    seen = probe.servicer.seen
    call = asyncio.create_task(probe.client.call("wait", timeout=60))
    async with asyncio.timeout(5):
        await seen.started.wait()
        assert not seen.cancelled.is_set()
        call.cancel()
        await seen.cancelled.wait()
        await seen.done.wait()
        await asyncio.wait([call])


async def test_no_server_is_unavailable_by_grpc() -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{free_port()}") as channel:
        outcome = await StubClient(channel).call("echo", timeout=5)
    assert outcome.code is Code.UNAVAILABLE


async def test_no_server_is_unavailable_by_connect() -> None:
    client = WebClient(f"http://127.0.0.1:{free_port()}", ProtocolType.CONNECT)
    assert (await client.call("echo", timeout=5)).code is Code.UNAVAILABLE


@pytest.mark.stack
async def test_no_server_is_unavailable_by_nats_at_once(nats_server: NatsServer) -> None:
    nc = await nats.connect(nats_server.url, name="calling")
    began = time.monotonic()
    replica = await nats_client(nc).call("echo", timeout=5)
    node = await nats_client(nc, node="n-1").call("echo", timeout=5)
    assert time.monotonic() - began < 1
    await nc.close()
    assert replica.code is node.code is Code.UNAVAILABLE
    assert replica.text == "rpc.local.signaling.PreviewRoom: nobody serves this now: try again"
    assert node.text == "rpc.local.signaling.n-1.PreviewRoom: nobody serves this now: try again"


@pytest.mark.stack
async def test_without_a_connection_nothing_is_sent() -> None:
    with NatsServer() as server:
        nc = await nats.connect(server.url, name="calling")
        lost = asyncio.Event()
        nc._disconnected_cb = _setter(lost)
        server.kill()
        async with asyncio.timeout(5):
            await lost.wait()
        outcome = await nats_client(nc).call("echo", timeout=5)
    assert (outcome.code, outcome.text) == (
        Code.UNAVAILABLE,
        "rpc.local.signaling.PreviewRoom: NATS is out of reach: try again",
    )
    await nc.close()


@pytest.mark.stack
async def test_a_deadline_that_has_passed_is_not_sent(nats_server: NatsServer) -> None:
    nc = await nats.connect(nats_server.url, name="calling")
    assert (await nats_client(nc).call("echo", timeout=0)).code is Code.DEADLINE_EXCEEDED
    await nc.close()


def _setter(event: asyncio.Event):  # type: ignore[no-untyped-def] # nats-py's callback type
    async def callback() -> None:
        event.set()

    return callback
