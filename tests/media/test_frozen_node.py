"""A node that stood still and goes on: those who have gone meanwhile hear nothing of it, those who are there go on too."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
from aiortc.mediastreams import AudioStreamTrack
from media.harness import Client
from media.node_process import Process, admit, running_node
from media.wire import Wire
from salon.rooms.v1 import presence_pb2

pytestmark = pytest.mark.stack


@pytest.fixture
async def node() -> AsyncIterator[Process]:
    async with running_node() as process:
        yield process


@pytest.fixture
async def wire(node: Process) -> AsyncIterator[Wire]:
    wire = Wire(node.ready["udp"])
    await wire.open()
    yield wire
    wire.close()


@pytest.fixture
async def client(node: Process, wire: Wire) -> AsyncIterator[Client]:
    """Connected by the wire, and sending sound."""
    client = Client()
    client.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
    client.pc.addTransceiver("audio", direction="recvonly")
    await client.accept(wire.through(await admit(node, client, (await node.beat()).boot_id)))
    await asyncio.wait_for(client.opened.wait(), 10)
    await node.becomes(presence_pb2.PRESENCE_STATUS_CONNECTED)
    yield client
    await client.pc.close()


async def next_datagram(wire: Wire) -> None:
    wire.arrived.clear()
    await asyncio.wait_for(wire.arrived.wait(), 5)


@pytest.mark.parametrize("frozen_seconds", [2.5, 9.5])
async def test_who_has_gone_meanwhile_is_sent_nothing(
    node: Process, wire: Wire, client: Client, frozen_seconds: float
) -> None:
    await next_datagram(wire)
    node.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.2)  # the client goes on sending, until it has noticed
    wire.cut()
    await asyncio.sleep(frozen_seconds - 1.2)
    resumed_at = asyncio.get_running_loop().time()
    node.process.send_signal(signal.SIGCONT)
    entry = await node.becomes(presence_pb2.PRESENCE_STATUS_GONE)
    assert entry.participant_id == client.participant_id
    await node.beat()
    assert wire.sent_since(resumed_at) == []


async def test_who_is_still_there_is_served_again(node: Process, wire: Wire, client: Client) -> None:
    await next_datagram(wire)
    node.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(2.0)  # longer than the node takes for a short stutter
    resumed_at = asyncio.get_running_loop().time()
    node.process.send_signal(signal.SIGCONT)
    await next_datagram(wire)
    assert wire.sent_since(resumed_at)[0] < 1.0
    assert client.channel.readyState == "open"
