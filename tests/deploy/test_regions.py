"""Regions joined by leaf nodes, by the servers' own files: calls and events pass, what a region keeps stays in it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from deploy.region_servers import Server, password, region_server
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from salon_common import nats
from salon_rooms.streams import ensure_streams

pytestmark = pytest.mark.stack

ROOM = "eu-" + "a2b3c" * 4


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    base = tmp_path_factory.mktemp("regions")
    for region in ("eu", "us", "ap"):
        (base / region).mkdir()
    with (
        region_server("eu", base / "eu") as eu,
        region_server("us", base / "us", hub=eu) as us,
        region_server("ap", base / "ap", hub=eu) as ap,
    ):
        yield {"eu": eu, "us": us, "ap": ap}


@asynccontextmanager
async def connected(regions: dict[str, Server], region: str, user: str) -> AsyncIterator[Client]:
    url = f"nats://{user}:{password(user)}@127.0.0.1:{regions[region].ports['client']}"
    client = await nats.connect(url, name=f"{user}-{region}")
    try:
        yield client
    finally:
        await client.close()


async def answering(client: Client, subject: str) -> None:
    """Answer calls at a subject."""

    async def answer(message: Msg) -> None:
        await message.respond(b"here")

    await client.subscribe(subject, "replicas", cb=answer)
    await client.flush()


async def call(client: Client, subject: str) -> bytes:
    """A call, made again until the regions know of each other's subscriptions. All that was published in the region called
    before its answer has then arrived: one connection joins the two, and keeps order."""
    async with asyncio.timeout(10):
        while True:
            try:
                return (await client.request(subject, b"?", timeout=1)).data
            except NoRespondersError:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("caller", ["us", "ap"])
async def test_rooms_of_another_region_are_called(regions: dict[str, Server], caller: str) -> None:
    async with (
        connected(regions, "eu", "rooms") as rooms,
        connected(regions, caller, "signaling") as signaling,
    ):
        await answering(rooms, "rpc.eu.rooms.GetRoom")
        assert await call(signaling, "rpc.eu.rooms.GetRoom") == b"here"


async def test_regions_at_the_ends_of_the_star_reach_each_other(regions: dict[str, Server]) -> None:
    async with connected(regions, "ap", "rooms") as rooms, connected(regions, "us", "signaling") as signaling:
        await answering(rooms, "rpc.ap.rooms.GetRoom")
        assert await call(signaling, "rpc.ap.rooms.GetRoom") == b"here"


async def test_an_events_way_leads_to_every_region_and_its_store_is_one(regions: dict[str, Server]) -> None:
    """Both regions have a stream that takes room.0.>: what is written in one must not be kept by the other."""
    async with (
        connected(regions, "eu", "rooms") as eu,
        connected(regions, "us", "rooms") as us,
        connected(regions, "us", "signaling") as signaling,
    ):
        for rooms in (eu, us):
            await ensure_streams(rooms.jetstream(), partitions=1, replicas=1)
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        await signaling.subscribe(f"live.{ROOM}.*", cb=heard.put)
        await signaling.flush()
        await answering(eu, "rpc.eu.rooms.GetRoom")
        await call(signaling, "rpc.eu.rooms.GetRoom")
        await eu.jetstream().publish(f"room.0.{ROOM}.ev.1", b"event")
        async with asyncio.timeout(10):
            assert (await heard.get()).data == b"event"
        assert (await eu.jetstream().stream_info("ROOMS_0")).state.messages == 1
        assert (await us.jetstream().stream_info("ROOMS_0")).state.messages == 0


async def test_a_regions_own_affairs_stay_in_it(regions: dict[str, Server]) -> None:
    overheard: asyncio.Queue[Msg] = asyncio.Queue()
    async with connected(regions, "eu", "rooms") as rooms, connected(regions, "eu", "media") as own:
        for subject in ("beat.*.*.*", "vouch.*.*.*", "doubt.*.*", "$SYS.ACCOUNT.APP.DISCONNECT"):
            await rooms.subscribe(subject, cb=overheard.put)
        await answering(rooms, "rpc.eu.rooms.GetRoom")
        async with connected(regions, "us", "signaling") as signaling:
            await call(signaling, "rpc.eu.rooms.GetRoom")
            async with (
                connected(regions, "us", "rooms") as neighbour,
                connected(regions, "us", "media") as node,
            ):
                await node.publish("beat.us.media.m", b"nats-us")
                await node.publish("vouch.us.media.m", b"nats-us")
                await neighbour.publish("doubt.us.m", b"nats-us")
                await node.flush()
                await neighbour.flush()
            await call(signaling, "rpc.eu.rooms.GetRoom")
        await own.publish("beat.eu.media.m", b"the last")
        async with asyncio.timeout(10):
            while (message := await overheard.get()).data != b"the last":
                assert b"nats-us" not in message.data, message.subject
