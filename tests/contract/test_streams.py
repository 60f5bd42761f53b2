"""Server streams over gRPC, Connect and gRPC-Web; NATS refuses them."""

import asyncio

import pytest
from contract.conftest import StreamProbe
from contract.probe import SERVICE, new_servicer, registry_of
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_common import nats
from salon_common.errors import Code, SalonError
from salon_common.rpc import MAX_MESSAGE, NatsChannel, NatsMount, nats_wire
from salon_common.rpc.nats_wire import RequestHead
from support.nats_server import NatsServer


async def collect(
    probe: StreamProbe, verb: str, argument: str, timeout: float = 10
) -> tuple[list[str], SalonError | None]:
    texts: list[str] = []
    try:
        async for text in probe.client.stream(verb, argument, timeout=timeout):
            texts.append(text)  # noqa: PERF401 - those before an error count
    except SalonError as error:
        return texts, error
    return texts, None


async def test_answers_arrive_in_order(stream_probe: StreamProbe) -> None:
    texts, error = await collect(stream_probe, "count", "200")
    assert error is None
    assert texts == [str(number) for number in range(200)]


async def test_no_answers_are_a_stream_too(stream_probe: StreamProbe) -> None:
    assert await collect(stream_probe, "count", "0") == ([], None)


async def test_a_status_after_answers(stream_probe: StreamProbe) -> None:
    texts, error = await collect(stream_probe, "fail", "Grüße\nund Schluss")
    assert texts == ["before"]
    assert error is not None
    assert (error.code, error.message) == (Code.ABORTED, "Grüße\nund Schluss")


async def test_a_status_instead_of_answers(stream_probe: StreamProbe) -> None:
    texts, error = await collect(stream_probe, "fail at once", "no such room")
    assert texts == []
    assert error is not None
    assert (error.code, error.message) == (Code.NOT_FOUND, "no such room")


async def test_an_unexpected_exception_is_internal(stream_probe: StreamProbe) -> None:
    texts, error = await collect(stream_probe, "crash", "swordfish")
    assert texts == ["before"]
    assert error is not None
    assert error.code is Code.INTERNAL
    assert error.message.startswith("internal error ")


async def test_an_answer_that_is_too_large_ends_the_stream(stream_probe: StreamProbe) -> None:
    _, error = await collect(stream_probe, "big", str(MAX_MESSAGE))
    assert error is not None
    assert error.code is Code.RESOURCE_EXHAUSTED
    assert f"the limit is {MAX_MESSAGE}" in error.message


async def test_a_caller_that_goes_away_cancels_the_handler(stream_probe: StreamProbe) -> None:
    seen = stream_probe.servicer.seen
    answers = stream_probe.client.stream("wait", timeout=60)
    async with asyncio.timeout(5):
        assert await anext(answers) == "before"
        await seen.started.wait()
        assert not seen.cancelled.is_set()
        await answers.aclose()  # type: ignore[attr-defined] # an async generator
        await seen.cancelled.wait()
        await seen.done.wait()


async def test_a_deadline_ends_the_stream_and_the_handler(stream_probe: StreamProbe) -> None:
    texts, error = await collect(stream_probe, "wait", "", timeout=0.3)
    assert texts == ["before"]
    assert error is not None
    assert error.code is Code.DEADLINE_EXCEEDED
    async with asyncio.timeout(2):
        await stream_probe.servicer.seen.cancelled.wait()


@pytest.mark.stack
async def test_a_stream_over_nats_is_unimplemented_at_both_ends(nats_server: NatsServer) -> None:
    nc = await nats.connect(nats_server.url, name="both")
    mount = NatsMount(nc, registry_of(new_servicer()), region="local")
    await mount.start()
    stub = signaling_pb2_grpc.SignalingServiceStub(NatsChannel(nc, region="local"))
    with pytest.raises(SalonError) as caught:
        stub.Join(signaling_pb2.JoinRequest())
    subject = f"{nats_wire.prefix('local', SERVICE, None)}.Join"
    msg = await nc.request(subject, timeout=5, headers=nats_wire.write_request(RequestHead("ab", 5)))
    error, _ = nats_wire.read_answer(msg.headers or {})
    await mount.stop()
    await nc.close()
    assert caught.value.code is Code.UNIMPLEMENTED
    assert error is not None
    assert error.code is Code.UNIMPLEMENTED
    assert "call it by gRPC or Connect" in error.message
