"""The process itself: ready line, NATS, heartbeats, reports, metrics, and draining on SIGTERM."""

import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from media.harness import ROOM_ID, SOURCE_KINDS, Client
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common import nats
from salon_common.errors import Code, SalonError
from salon_common.rpc import NatsChannel
from support.nats_server import NatsServer, free_port

pytestmark = pytest.mark.stack


@dataclass
class Process:
    """A running node, and what it has published."""

    process: asyncio.subprocess.Process
    ready: dict[str, int]
    nats_server: NatsServer
    nc: NatsClient
    beats: "asyncio.Queue[presence_pb2.NodeHeartbeat]"
    entries: "asyncio.Queue[presence_pb2.PresenceEntry]"

    @property
    def stub(self) -> "media_pb2_grpc.MediaServiceAsyncStub":
        return media_pb2_grpc.MediaServiceStub(NatsChannel(self.nc, region="local", node="media-1"))

    async def beat(self) -> presence_pb2.NodeHeartbeat:
        return await asyncio.wait_for(self.beats.get(), 10)

    async def becomes(self, status: presence_pb2.PresenceStatus.ValueType) -> presence_pb2.PresenceEntry:
        """The next report of a participant with that status."""
        async with asyncio.timeout(10):
            while True:
                entry = await self.entries.get()
                if entry.status == status:
                    return entry

    async def health(self, path: str) -> tuple[int, str]:
        return await asyncio.to_thread(fetch, f"http://127.0.0.1:{self.ready['health']}{path}")


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


async def start(url: str, **settings: str) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SALON_")}
    environment |= {"SALON_MEDIA_NATS_URL": url, "SALON_MEDIA_NODE_ID": "media-1", **settings}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "salon_media",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[2],
    )


@pytest.fixture
async def node() -> AsyncIterator[Process]:
    server = NatsServer()
    nc = await nats.connect(server.url, name="test")
    beats: asyncio.Queue[presence_pb2.NodeHeartbeat] = asyncio.Queue()
    entries: asyncio.Queue[presence_pb2.PresenceEntry] = asyncio.Queue()

    async def on_beat(msg: Msg) -> None:
        beats.put_nowait(presence_pb2.NodeHeartbeat.FromString(msg.data))

    async def on_report(msg: Msg) -> None:
        for entry in presence_pb2.PresenceReport.FromString(msg.data).entries:
            entries.put_nowait(entry)

    await nc.subscribe("beat.local.media.media-1", cb=on_beat)
    await nc.subscribe("vouch.local.media.media-1", cb=on_report)
    await nc.flush()
    process = await start(
        server.url,
        SALON_MEDIA_UDP_BIND="127.0.0.1:0",
        SALON_MEDIA_MAX_PARTICIPANTS="10",
        SALON_MEDIA_DRAIN_SECONDS="0",
    )
    assert process.stdout is not None
    assert process.stderr is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20) or await process.stderr.read())
    yield Process(process, ready, server, nc, beats, entries)
    if process.returncode is None:
        process.kill()
    await process.communicate()
    await nc.close()
    server.stop()


async def admit(node: Process, client: Client, boot_id: str) -> str:
    participant = room_pb2.Participant(
        id=client.participant_id,
        role=room_pb2.ROLE_SPEAKER,
        session_number=1,
        sources=[room_pb2.Source(kind=kind, number=client.source(kind)) for kind in SOURCE_KINDS],
    )
    offer = await client.offer()
    request = media_pb2.AdmitRequest(
        boot_id=boot_id, room_id=ROOM_ID, participant=participant, epoch=1, offer=offer
    )
    return (await node.stub.Admit(request, timeout=2.0)).answer


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
    while (await node.health("/readyz"))[0] != 503:
        pass
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


async def test_a_node_that_waits_for_nats_is_alive_not_ready_and_can_be_stopped() -> None:
    port = free_port()
    process = await start("nats://127.0.0.1:1", SALON_MEDIA_HEALTH_BIND=f"127.0.0.1:{port}")
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
    ],
)
async def test_settings_that_cannot_be_used_end_it_with_one_line(settings: dict[str, str], said: str) -> None:
    process = await start("nats://127.0.0.1:1", **settings)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    lines = errors.decode().splitlines()
    assert len(lines) == 1
    assert said in lines[0]
