"""The three NATS servers of a region, by the files that its overlay mounts."""

import asyncio
import contextlib
import signal
from pathlib import Path

import pytest
from deploy.region_servers import Server, password, region_cluster
from nats.aio.client import Client
from nats.errors import Error as NatsError
from salon_common import nats
from salon_common.nats_access import NatsAccess
from salon_rooms.streams import ensure_streams
from support.certificates import make_certificates

pytestmark = pytest.mark.stack


async def connect_rooms(servers: list[Server], directory: Path, ca: Path | None = None) -> Client:
    """As a replica of rooms does, by TLS; the Service of a cluster leads to any server that is ready."""
    (directory / "password").write_text(password("rooms"))
    urls = ",".join(f"tls://127.0.0.1:{server.ports['client']}" for server in servers)
    access = NatsAccess(urls, "rooms", directory / "password", ca or directory / "ca.crt")
    return await nats.connect(access, name="rooms-1")


async def write(client: Client, number: int) -> None:
    """Store an event, for as long as it takes the servers to agree on who leads."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(NatsError):
                await client.jetstream().publish(f"room.0.r.ev.{number}", b"event", timeout=1)
                return
            await asyncio.sleep(0.1)


async def test_what_is_stored_outlives_a_server(tmp_path: Path) -> None:
    with region_cluster("us", tmp_path) as servers:
        client = await connect_rooms(servers, tmp_path)
        await ensure_streams(client.jetstream(), partitions=1, replicas=3)
        await write(client, 1)
        servers[0].end(signal.SIGKILL)
        await write(client, 2)
        state = (await client.jetstream().stream_info("ROOMS_0")).state
        assert state.messages == 2
        await client.close()


async def test_a_renewed_certificate_is_taken_without_ending_a_connection(tmp_path: Path) -> None:
    """What the pod's reloader sends is SIGHUP."""
    with region_cluster("us", tmp_path) as servers:
        server = servers[0]
        before = await connect_rooms([server], tmp_path)
        renewed = make_certificates(server.directory)
        server.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(20):
            after = await connect_rooms([server], tmp_path, renewed.ca)
        await before.flush()
        assert before.stats["reconnects"] == 0
        for client in (before, after):
            await client.close()
