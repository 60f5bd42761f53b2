"""A node as a process of its own on a real NATS, and what it has published."""

import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from media.harness import ROOM_ID, SOURCE_KINDS, Client
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common import nats
from salon_common.rpc import NatsChannel
from support.nats_server import NatsServer


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
    """The status and the text; 0 and the reason when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


async def start(**settings: str) -> asyncio.subprocess.Process:
    """Start a node; its ready line is the first on stdout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SALON_")}
    environment |= {"SALON_MEDIA_NODE_ID": "media-1", **settings}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "salon_media",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[2],
    )


@asynccontextmanager
async def running_node(**settings: str) -> AsyncIterator[Process]:
    """A node that has said that it is ready."""
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
    settings = {
        "SALON_MEDIA_UDP_BIND": "127.0.0.1:0",
        "SALON_MEDIA_MAX_PARTICIPANTS": "10",
        "SALON_MEDIA_DRAIN_SECONDS": "0",
        **server.settings("media"),
        **settings,
    }
    process = await start(**settings)
    assert process.stdout is not None
    assert process.stderr is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20) or await process.stderr.read())
    try:
        yield Process(process, ready, server, nc, beats, entries)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        await nc.close()
        server.stop()


async def admit(node: Process, client: Client, boot_id: str) -> str:
    """The node's answer to the client's offer. Raises SalonError."""
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
