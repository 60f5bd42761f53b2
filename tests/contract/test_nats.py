"""What is NATS's own: queue groups and nodes, draining, requests that no channel of ours sends, and the mended client."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from contract.probe import SERVICE, ProbeServicer, nats_client, new_servicer, preview, registry_of
from nats.aio.client import Client
from salon_common import nats
from salon_common.errors import Code
from salon_common.rpc import NatsMount, nats_wire
from salon_common.rpc.nats_wire import RequestHead
from support.nats_server import NatsServer

pytestmark = pytest.mark.stack

SUBJECT = "rpc.local.signaling.PreviewRoom"


@pytest.fixture
async def nc(nats_server: NatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(nats_server.url, name="both")
    yield client
    await client.close()


class Named(ProbeServicer):
    """Says who it is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    async def _unary(self, verb: str, argument: str, context: object) -> str:
        return self.name


async def test_replicas_share_calls_and_a_node_has_its_own(nc: Client, nats_server: NatsServer) -> None:
    other = await nats.connect(nats_server.url, name="other")
    mounts = [
        NatsMount(nc, registry_of(Named("one")), region="local"),  # type: ignore[abstract]
        NatsMount(other, registry_of(Named("two")), region="local"),  # type: ignore[abstract]
        NatsMount(other, registry_of(Named("node")), region="local", node="n-1"),  # type: ignore[abstract]
    ]
    for mount in mounts:
        await mount.start()
    shared = [(await nats_client(nc).call("who")).text for _ in range(60)]
    own = [(await nats_client(nc, node="n-1").call("who")).text for _ in range(5)]
    elsewhere = await nats_client(nc, node="n-2").call("who")
    for mount in mounts:
        await mount.stop()
    await other.close()
    assert len(shared) == 60
    assert set(shared) == {"one", "two"}
    assert own == ["node"] * 5
    assert elsewhere.code is Code.UNAVAILABLE


async def test_a_mount_that_stops_loses_no_call(nc: Client, nats_server: NatsServer) -> None:
    """Two replicas; one leaves while calls go on: every call is answered by one of them."""
    other = await nats.connect(nats_server.url, name="other")
    leaving, staying = (
        NatsMount(nc, registry_of(new_servicer()), region="local"),
        NatsMount(other, registry_of(new_servicer()), region="local"),
    )
    await leaving.start()
    await staying.start()
    caller = await nats.connect(nats_server.url, name="caller")
    client = nats_client(caller)
    calls = [asyncio.create_task(client.call("echo", str(number))) for number in range(300)]
    await asyncio.wait(calls[:50])
    await leaving.stop()
    calls += [asyncio.create_task(client.call("echo", str(number))) for number in range(300, 400)]
    outcomes = await asyncio.gather(*calls)
    await staying.stop()
    await other.close()
    await caller.close()
    assert [outcome.text for outcome in outcomes] == [str(number) for number in range(400)]


async def test_handlers_that_do_not_finish_are_cancelled_and_their_callers_told(nc: Client) -> None:
    servicer = new_servicer()
    mount = NatsMount(nc, registry_of(servicer), region="local")
    await mount.start()
    call = asyncio.create_task(nats_client(nc).call("wait", timeout=20))
    async with asyncio.timeout(5):
        await servicer.seen.started.wait()
        await mount.stop(grace=0.05)
        outcome = await call
    assert servicer.seen.cancelled.is_set()
    assert (outcome.code, outcome.text) == (
        Code.UNAVAILABLE,
        "this replica shuts down; it may have happened all the same",
    )


GOOD = nats_wire.write_request(RequestHead("ab", 5))


@pytest.mark.parametrize(
    ("method", "payload", "headers", "code", "words"),
    [
        ("PreviewRoom", b"", {}, Code.INVALID_ARGUMENT, "Salon-Call: must be"),
        ("PreviewRoom", b"", {nats_wire.CALL_ID: "ab"}, Code.INVALID_ARGUMENT, "timeout: must be"),
        ("PreviewRoom", b"", GOOD | {nats_wire.TIMEOUT: "-1S"}, Code.INVALID_ARGUMENT, "timeout: must be"),
        (
            "PreviewRoom",
            b"",
            GOOD | {nats_wire.METADATA: "Bad Key=1"},
            Code.INVALID_ARGUMENT,
            "metadata: the key",
        ),
        (
            "PreviewRoom",
            b"",
            GOOD | {nats_wire.METADATA: "k=" + "x" * 9000},
            Code.RESOURCE_EXHAUSTED,
            "the limit is 8192",
        ),
        (
            "PreviewRoom",
            b"\xff\xff",
            GOOD,
            Code.INVALID_ARGUMENT,
            "request: not a salon.signaling.v1.PreviewRoomRequest",
        ),
        (
            "PreviewRoom",
            b"x" * 600_000,
            GOOD,
            Code.RESOURCE_EXHAUSTED,
            "request: 600000 bytes, the limit is 524288",
        ),
        ("Nothing", b"", GOOD, Code.UNIMPLEMENTED, "Nothing: no such method here"),
    ],
)
async def test_odd_requests_are_answered(
    nc: Client, method: str, payload: bytes, headers: dict[str, str], code: Code, words: str
) -> None:
    mount = NatsMount(nc, registry_of(new_servicer()), region="local")
    await mount.start()
    msg = await nc.request(f"rpc.local.signaling.{method}", payload, timeout=5, headers=headers or None)
    error, _ = nats_wire.read_answer(msg.headers or {})
    await mount.stop()
    assert error is not None
    assert error.code is code
    assert words in error.message


async def test_a_request_that_wants_no_answer_is_not_run(nc: Client) -> None:
    servicer = new_servicer()
    mount = NatsMount(nc, registry_of(servicer), region="local")
    await mount.start()
    await nc.publish(SUBJECT, preview("wait", "").SerializeToString(), headers=GOOD)
    assert (await nats_client(nc).call("echo", "after")).text == "after"
    await mount.stop()
    assert not servicer.seen.started.is_set()


async def test_an_answer_that_makes_no_sense_is_internal(nc: Client) -> None:
    async def answer(msg: object) -> None:
        await nc.publish(msg.reply, b"what?")  # type: ignore[attr-defined]

    await nc.subscribe(SUBJECT, cb=answer)
    outcome = await nats_client(nc).call("echo")
    assert outcome.code is Code.INTERNAL


async def test_flush_proves_that_a_subscription_is_there(nc: Client, nats_server: NatsServer) -> None:
    """The reason for `salon_common.nats._Client`: as published, PING overtakes SUB now and then."""
    other = await nats.connect(nats_server.url, name="other")

    async def answer(msg: object) -> None:
        await nc.publish(msg.reply, b"here")  # type: ignore[attr-defined]

    for number in range(200):
        await nc.subscribe(f"flush.{number}", cb=answer)
        await nc.flush()
        assert (await other.request(f"flush.{number}", timeout=2)).data == b"here"
    await other.close()


async def test_a_connection_without_nats_is_closed_whatever_was_still_to_be_sent() -> None:
    """The other reason for `salon_common.nats._Client`: as published, `close` raises then."""
    with NatsServer() as server:
        nc = await nats.connect(server.url, name="patient")
        await asyncio.to_thread(server.kill)
        async with asyncio.timeout(10):
            while nc.is_connected:  # noqa: ASYNC110 - it tells nobody else
                await asyncio.sleep(0.01)
        await nc.publish("said.too.late", b"")
        await nc.close()


async def test_a_connection_comes_back_and_says_so() -> None:
    back = asyncio.Event()
    with NatsServer() as server:
        nc = await nats.connect(server.url, name="patient", on_reconnected=back.set)
        mount = NatsMount(nc, registry_of(new_servicer()), region="local")
        await mount.start()
        await asyncio.to_thread(server.restart)
        async with asyncio.timeout(10):
            await back.wait()
        await nc.flush()
        assert (await nats_client(nc).call("echo", "again")).text == "again"
        await mount.stop()
        await nc.close()


def test_the_service_is_named_in_subjects() -> None:
    assert nats_wire.prefix("local", SERVICE, None) + ".PreviewRoom" == SUBJECT
