"""The process itself: ready line, NATS, heartbeats, reports, metrics, and draining on SIGTERM."""

import asyncio
import json
import random
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from media.harness import ROOM_ID, Client, until
from media.hold_thread import bury, find_thread, hold
from media.node_process import Process, admit, fetch, running_node, start
from salon.media.v1 import channel_pb2, media_pb2
from salon.rooms.v1 import presence_pb2
from salon_common.errors import Code, SalonError
from salon_common.net import listen_tcp
from salon_common.probe import ask
from support.nats_server import free_port

pytestmark = pytest.mark.stack


@pytest.fixture
async def node() -> AsyncIterator[Process]:
    async with running_node() as process:
        yield process


async def test_a_node_s_life(node: Process) -> None:
    first = await node.beat()
    assert (first.node_id, first.region, first.participants, first.mode) == (
        "media-1",
        "local",
        0,
        presence_pb2.NODE_MODE_ACTIVE,
    )
    assert first.health_address == f"127.0.0.1:{node.ready['health']}"
    assert (await node.beat()).sequence == first.sequence + 1
    assert (await node.health("/readyz"))[0] == 200

    client = Client()
    client.pc.addTransceiver("audio", direction="recvonly")
    await client.accept(await admit(node, client, first.boot_id))
    await asyncio.wait_for(client.opened.wait(), 10)
    entry = await node.becomes(presence_pb2.PRESENCE_STATUS_CONNECTED)
    assert (entry.room_id, entry.participant_id, entry.session_number) == (ROOM_ID, client.participant_id, 1)
    inspected = await node.stub.Inspect(media_pb2.InspectRequest(), timeout=2.0)
    assert (inspected.node_id, inspected.boot_id) == ("media-1", first.boot_id)
    assert (inspected.rooms, inspected.participants) == (1, 1)
    assert inspected.datagrams_in > 0
    _, metrics = await node.health("/metrics")
    assert 'salon_media_sessions{status="connected"} 1.0' in metrics
    assert "salon_media_engine_datagrams_in_total" in metrics

    with pytest.raises(SalonError) as caught:
        await admit(node, client, "another")
    assert caught.value.code is Code.FAILED_PRECONDITION

    node.process.send_signal(signal.SIGTERM)
    await node.becomes(presence_pb2.PRESENCE_STATUS_GONE)
    async with asyncio.timeout(10):
        while (await node.beat()).mode != presence_pb2.NODE_MODE_DRAINING:
            pass
    assert await asyncio.wait_for(node.process.wait(), 10) == 0
    await client.pc.close()


async def test_media_survives_nats_and_presence_is_told_again(node: Process) -> None:
    boot_id = (await node.beat()).boot_id
    client = Client()
    client.pc.addTransceiver("audio", direction="recvonly")
    await client.accept(await admit(node, client, boot_id))
    await asyncio.wait_for(client.opened.wait(), 10)
    await node.becomes(presence_pb2.PRESENCE_STATUS_CONNECTED)
    node.nats_server.kill()
    while json.loads((await node.health("/readyz"))[1])["information"] != {"nats": False}:
        pass
    assert (await node.health("/readyz"))[0] == 200, "restarting nodes or leaving them out mends no NATS"
    assert (await node.health("/livez"))[0] == 200
    node.nats_server.start()
    while not node.entries.empty():
        node.entries.get_nowait()
    assert (
        await node.becomes(presence_pb2.PRESENCE_STATUS_CONNECTED)
    ).participant_id == client.participant_id
    assert client.channel.readyState == "open"
    await client.pc.close()
    await node.becomes(presence_pb2.PRESENCE_STATUS_GONE)


async def connected(node: Process, client: Client) -> str:
    """Connect; returns the node's boot id."""
    boot_id = (await node.beat()).boot_id
    client.pc.addTransceiver("audio", direction="recvonly")
    await client.accept(await admit(node, client, boot_id))
    await asyncio.wait_for(client.opened.wait(), 10)
    await node.becomes(presence_pb2.PRESENCE_STATUS_CONNECTED)
    return boot_id


async def beats_in(node: Process, mode: "presence_pb2.NodeMode.ValueType") -> presence_pb2.NodeHeartbeat:
    """The first beat in that mode."""
    while (beat := await node.beat()).mode != mode:
        pass
    return beat


async def test_sigterm_drains_until_the_last_one_has_moved() -> None:
    async with running_node(SALON_MEDIA_DRAIN_SECONDS="60") as node:
        client, late = Client(), Client(ordinal=2)
        boot_id = await connected(node, client)
        node.process.send_signal(signal.SIGTERM)
        beat = await beats_in(node, presence_pb2.NODE_MODE_DRAINING)
        assert 50 < beat.drain_deadline.seconds - time.time() <= 60
        late.pc.addTransceiver("audio", direction="recvonly")
        with pytest.raises(SalonError, match="draining") as caught:
            await admit(node, late, boot_id)
        assert caught.value.code is Code.UNAVAILABLE
        assert (await node.health("/readyz"))[0] == 503
        assert (await node.beat()).participants == 1, "who is here is served on"
        assert client.channel.readyState == "open"
        client.say(channel_pb2.ClientMessage(epoch_seen=channel_pb2.EpochSeen(epoch=2)))
        await node.becomes(presence_pb2.PRESENCE_STATUS_GONE)
        assert await asyncio.wait_for(node.process.wait(), 10) == 0
        await asyncio.gather(client.pc.close(), late.pc.close())


async def test_who_is_left_when_the_drain_is_over_is_told_and_the_process_ends() -> None:
    async with running_node(SALON_MEDIA_DRAIN_SECONDS="1.5") as node:
        client = Client()
        await connected(node, client)
        node.process.send_signal(signal.SIGTERM)
        await node.becomes(presence_pb2.PRESENCE_STATUS_GONE)
        assert await asyncio.wait_for(node.process.wait(), 10) == 0
        await until(lambda: client.channel.readyState == "closed")
        await client.pc.close()


async def test_a_second_signal_ends_a_drain_at_once() -> None:
    async with running_node(SALON_MEDIA_DRAIN_SECONDS="60") as node:
        client = Client()
        await connected(node, client)
        node.process.send_signal(signal.SIGTERM)
        await beats_in(node, presence_pb2.NODE_MODE_DRAINING)
        node.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(node.process.wait(), 10) == 1
        await client.pc.close()


async def test_a_drain_by_call_is_told_at_once_and_can_be_called_off(node: Process) -> None:
    boot_id = (await node.beat()).boot_id
    deadline = Timestamp(seconds=int(time.time()) + 600)
    for mode in (presence_pb2.NODE_MODE_DRAINING, presence_pb2.NODE_MODE_ACTIVE):
        request = media_pb2.SetModeRequest(boot_id=boot_id, mode=mode, deadline=deadline)
        await node.stub.SetMode(request, timeout=2.0)
        assert (await beats_in(node, mode)).HasField("drain_deadline") is (
            mode == presence_pb2.NODE_MODE_DRAINING
        )
    client = Client()
    await connected(node, client)
    await client.pc.close()


async def test_a_node_whose_engine_hangs_ends_so_that_it_is_seen_to_be_dead(node: Process) -> None:
    await node.beat()
    thread = find_thread(node.process.pid, "salon-engine")
    hold(thread)
    async with asyncio.timeout(10):
        while (await node.health("/livez"))[0] == 200:
            pass
    bury(thread)
    assert await asyncio.wait_for(node.process.wait(), 5) == 1
    assert node.process.stderr is not None
    assert b"the engine's thread hangs" in await node.process.stderr.read()


async def test_a_node_that_waits_for_nats_is_alive_not_ready_and_can_be_stopped() -> None:
    port = free_port()
    process = await start(
        SALON_MEDIA_NATS_URL="nats://127.0.0.1:1", SALON_MEDIA_HEALTH_BIND=f"127.0.0.1:{port}"
    )
    async with asyncio.timeout(20):
        while await asyncio.to_thread(fetch, f"http://127.0.0.1:{port}/livez") != (200, "alive\n"):
            pass
    assert (await asyncio.to_thread(fetch, f"http://127.0.0.1:{port}/readyz"))[0] == 503
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, output) == (0, b"")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SALON_MEDIA_ADVERTISE": '["nowhere"]'}, "SALON_MEDIA_ADVERTISE[0]"),
        ({"SALON_MEDIA_UDP_BIND": "192.0.2.99:0"}, "SALON_MEDIA_UDP_BIND: cannot listen on 192.0.2.99:0"),
        (
            {"SALON_MEDIA_PORT_RANGE": "40000-40099", "SALON_MEDIA_UDP_BIND": "0.0.0.0:40000"},
            "SALON_MEDIA_UDP_BIND: must have port 0 where SALON_MEDIA_PORT_RANGE is set",
        ),
        (
            {"SALON_MEDIA_PORT_RANGE": "40000-40001", "SALON_MEDIA_UDP_BIND": "192.0.2.99:0"},
            "SALON_MEDIA_UDP_BIND: cannot listen on 192.0.2.99:0 of 40000-40001",
        ),
    ],
)
async def test_settings_that_cannot_be_used_end_it_with_one_line(settings: dict[str, str], said: str) -> None:
    process = await start(SALON_MEDIA_NATS_URL="nats://127.0.0.1:1", **settings)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    lines = errors.decode().splitlines()
    assert len(lines) == 1
    assert said in lines[0]


async def test_nodes_share_a_hosts_range_of_ports_and_announce_theirs(tmp_path: Path) -> None:
    """Two nodes and four ports in a range of six, two of which are taken: whatever is free does."""
    first = random.randrange(20_000, 30_000)  # below what the kernel gives out
    with listen_tcp(f"0.0.0.0:{first}", "test"), socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", first + 1))
        settings = {
            "SALON_MEDIA_PORT_RANGE": f"{first}-{first + 5}",
            "SALON_MEDIA_UDP_BIND": "127.0.0.1:0",
            "SALON_MEDIA_HEALTH_BIND": "127.0.0.1:0",
            "SALON_MEDIA_HEALTH_SOCKET": str(tmp_path / "health.sock"),
        }
        async with running_node(**settings) as node:
            login = node.nats_server.settings("media")
            settings["SALON_MEDIA_HEALTH_SOCKET"] = str(tmp_path / "second.sock")
            second = await start(**settings, **login | {"SALON_MEDIA_NODE_ID": "media-2"})
            assert second.stdout is not None
            ready = json.loads(await asyncio.wait_for(second.stdout.readline(), 20))
            udp, tcp = ({node.ready[kind], ready[kind]} for kind in ("udp", "health"))
            assert len(udp) == len(tcp) == 2
            assert udp | tcp <= set(range(first, first + 6))
            assert first not in tcp
            assert first + 1 not in udp
            beat = await node.beat()
            assert beat.health_address == beat.metrics_address == f"127.0.0.1:{node.ready['health']}"
            assert ask(str(tmp_path / "second.sock"), "readyz")[0]
            second.terminate()
            await asyncio.wait_for(second.communicate(), 10)
