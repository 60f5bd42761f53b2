"""Connections to NATS by TLS, and between the NATS servers of regions, with the configuration that clusters run with."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import nats.errors as nats_errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from salon_client.run.nats_server import find_accounts
from salon_common import nats
from salon_common.nats_access import NatsAccess
from support.certificates import make_certificates
from support.nats_server import NatsServer, free_port

pytestmark = pytest.mark.stack

COMPONENTS = find_accounts().parents[1]


async def test_a_server_is_believed_by_its_certificate_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other").mkdir()
    good, other = make_certificates(tmp_path), make_certificates(tmp_path / "other")
    tls = f'tls {{ cert_file: "{good.cert}", key_file: "{good.key}", timeout: 5 }}'
    with NatsServer(tls) as server:
        url = server.address.replace("nats://", "tls://")
        password = server.passwords["rooms"]
        nc = await nats.connect(NatsAccess(url, "rooms", password, good.ca), name="rooms-1")
        assert (await nc.request("$SYS.REQ.SERVER.PING.STATSZ", b"", timeout=5)).data
        await nc.close()

        deceived = asyncio.create_task(
            nats.connect(NatsAccess(url, "rooms", password, other.ca), name="rooms-2")
        )
        async with asyncio.timeout(10):
            while "CERTIFICATE_VERIFY_FAILED" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.02)
        assert not deceived.done()
        deceived.cancel()
        await asyncio.wait([deceived])


@pytest.fixture
def regions(tmp_path: Path) -> Iterator[tuple[NatsServer, NatsServer]]:
    """The NATS of eu, where us's connects, and that of us."""
    port = free_port()
    files = make_certificates(tmp_path)
    hub = (COMPONENTS / "leaf-hub" / "leaf.conf").read_text()
    for cluster, here in {
        "0.0.0.0:7422": f"127.0.0.1:{port}",
        "/etc/nats-leaf-tls/tls.crt": str(files.cert),
        "/etc/nats-leaf-tls/tls.key": str(files.key),
        "$SALON_NATS_LEAF_PASSWORD": "k5ecret",
    }.items():
        assert cluster in hub
        hub = hub.replace(cluster, here)
    leaf = (COMPONENTS / "leaf" / "leaf.conf").read_text()
    there = f'"tls://leaf:k5ecret@127.0.0.1:{port}"], tls: {{ ca_file: "{files.ca}" }}'
    assert "$LEAF_HUB]" in leaf
    leaf = leaf.replace("$LEAF_HUB]", there)
    with (
        NatsServer(f"{_domain(tmp_path, 'eu')}\n{hub}") as eu,
        NatsServer(f"{_domain(tmp_path, 'us')}\n{leaf}") as us,
    ):
        yield eu, us


def _domain(directory: Path, region: str) -> str:
    return f'server_name: nats-{region}\njetstream: {{ store_dir: "{directory / region}", domain: {region} }}'


async def _hears(listener: Client, speaker: Client, subject: str) -> bool:
    """Whether what one says reaches the other. Events do, by the same way: one that comes shows that the way is open, and one
    said later that what has not come will not.
    """
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def note(message: Msg) -> None:
        await heard.put(message.subject)

    subscriptions = [await listener.subscribe(each, cb=note) for each in (subject, "live.marker.*")]
    await listener.flush()
    async with asyncio.timeout(10):
        while heard.empty():
            await speaker.publish("live.marker.begin", b"")
            await asyncio.sleep(0.02)
        await speaker.publish(subject, b"")
        await speaker.publish("live.marker.end", b"")
        while (said := await heard.get()) == "live.marker.begin":
            pass
    for subscription in subscriptions:
        await subscription.unsubscribe()
    return said == subject


async def test_calls_and_events_pass_between_regions_and_nothing_else(
    regions: tuple[NatsServer, NatsServer],
) -> None:
    eu, us = [await nats.connect(server.url, name="test") for server in regions]
    for here, there in ((eu, us), (us, eu)):
        for subject in ("live.eu-1.1", "takeover.eu.eu-1", "rpc.eu.rooms.Join", "rpc.us.rooms._cancel.1"):
            assert await _hears(here, there, subject), subject
        for subject in ("room.0.eu-1.head", "beat.eu.media.n1", "vouch.eu.media.n1", "doubt.eu.n1"):
            assert not await _hears(here, there, subject), subject
    await eu.close()
    await us.close()


async def test_a_region_asks_another_as_the_services_users_may(
    regions: tuple[NatsServer, NatsServer],
) -> None:
    eu, us = regions
    rooms = await nats.connect(eu.access("rooms"), name="rooms-1")
    signaling = await nats.connect(us.access("signaling"), name="signaling-1")

    async def answer(message: Msg) -> None:
        await message.respond(b"welcome")

    await rooms.subscribe("rpc.eu.rooms.*", queue="rpc", cb=answer)
    await rooms.flush()
    said = await _answer(signaling, "rpc.eu.rooms.Join")
    assert said.data == b"welcome"
    await rooms.close()
    await signaling.close()


async def test_every_server_of_a_region_tells_rooms_how_it_is() -> None:
    ports = [free_port(), free_port()]
    routes = ", ".join(f"nats-route://127.0.0.1:{port}" for port in ports)
    first, second = (
        f"server_name: nats-{number}\ncluster {{ name: local, listen: 127.0.0.1:{port}, routes: [{routes}] }}"
        for number, port in enumerate(ports)
    )
    told: set[str] = set()

    async def note(message: Msg) -> None:
        told.add(json.loads(message.data)["server"]["name"])

    with NatsServer(first) as server, NatsServer(second):
        nc = await nats.connect(server.access("rooms"), name="rooms-1")
        inbox = nc.new_inbox()
        await nc.subscribe(inbox, cb=note)
        async with asyncio.timeout(20):
            while told != {"nats-0", "nats-1"}:
                await nc.publish("$SYS.REQ.SERVER.PING.STATSZ", b"", reply=inbox)
                await asyncio.sleep(0.1)
        await nc.close()


async def _answer(nc: Client, subject: str) -> Msg:
    """What is answered once the regions are joined."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await nc.request(subject, b"", timeout=1)
            except nats_errors.NoRespondersError:
                await asyncio.sleep(0.02)
