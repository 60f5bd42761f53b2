"""The channel over NATS, with a NATS made of a function."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from salon.rooms.v1 import rooms_pb2, rooms_pb2_grpc
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_common.errors import Code, SalonError
from salon_common.rpc import NatsChannel, nats_wire
from salon_common.rpc.limits import MAX_MESSAGE

Answer = Callable[[str, bytes, dict[str, str]], Awaitable[Msg]]


@dataclass
class FakeNats:
    """As much of a connection as a channel uses."""

    answer: Answer
    is_connected: bool = True
    options: dict[str, str] = field(default_factory=lambda: {"name": "signaling-1"})
    published: list[str] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)

    async def request(self, subject: str, payload: bytes, timeout: float, headers: dict[str, str]) -> Msg:
        self.timeouts.append(timeout)
        return await self.answer(subject, payload, headers)

    async def publish(self, subject: str) -> None:
        self.published.append(subject)
        raise nats.errors.ConnectionClosedError


def message(payload: bytes, headers: dict[str, str]) -> Msg:
    return Msg(cast("Any", None), data=payload, headers=headers)


async def ok(subject: str, payload: bytes, headers: dict[str, str]) -> Msg:
    answer = rooms_pb2.SendChatResponse(event_number=len(rooms_pb2.SendChatRequest.FromString(payload).text))
    return message(answer.SerializeToString(), nats_wire.write_answer(None, (("served-by", subject),)))


def channel_of(fake: FakeNats, **options: Any) -> NatsChannel:
    return NatsChannel(cast("Client", fake), region="local", **options)


def call(
    fake: FakeNats, *, text: str = "hello", timeout: float | None = None
) -> grpc.aio.UnaryUnaryCall[Any, Any]:
    stub = rooms_pb2_grpc.RoomsServiceStub(channel_of(fake, timeout=1.5))
    return stub.SendChat(rooms_pb2.SendChatRequest(text=text), timeout=timeout, metadata=(("k", "v"),))


async def test_a_call_is_a_request_and_its_answer() -> None:
    fake = FakeNats(ok)
    running = call(fake)
    done: list[Any] = []
    running.add_done_callback(done.append)
    assert not running.done()
    assert (await running).event_number == 5
    assert running.done()
    assert not running.cancelled()
    assert await running.code() is grpc.StatusCode.OK
    assert await running.details() == ""
    assert list(await running.trailing_metadata()) == [("served-by", "rpc.local.rooms.SendChat")]
    assert list(await running.initial_metadata()) == []
    await running.wait_for_connection()
    assert done == [running]
    assert 1.4 < fake.timeouts[0] <= 1.5


async def test_the_request_says_who_calls_and_for_how_long() -> None:
    heads: list[nats_wire.RequestHead] = []

    async def note(subject: str, payload: bytes, headers: dict[str, str]) -> Msg:
        heads.append(nats_wire.read_request(headers))
        return await ok(subject, payload, headers)

    await call(FakeNats(note), timeout=0.5)
    await call(FakeNats(note), timeout=0.5)
    assert heads[0].call_id != heads[1].call_id
    assert heads[0].caller == "signaling-1"
    assert heads[0].metadata == (("k", "v"),)
    assert 0.4 < heads[0].timeout <= 0.5


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (nats.errors.NoRespondersError, Code.UNAVAILABLE),
        (nats.errors.TimeoutError, Code.DEADLINE_EXCEEDED),
        (nats.errors.OutboundBufferLimitError, Code.UNAVAILABLE),
        (nats.errors.ConnectionClosedError, Code.UNAVAILABLE),
    ],
)
async def test_errors_of_nats_become_statuses(raised: type[Exception], code: Code) -> None:
    async def fail(*_: Any) -> Msg:
        raise raised

    running = call(FakeNats(fail))
    with pytest.raises(SalonError) as caught:
        await running
    assert caught.value.code is code
    assert caught.value.message.startswith("rpc.local.rooms.SendChat: ")
    assert await running.details() == caught.value.message


@pytest.mark.parametrize(
    ("payload", "headers"), [(b"", {}), (b"\xff", {nats_wire.STATUS: "0"}), (b"", {nats_wire.STATUS: "99"})]
)
async def test_an_answer_that_makes_no_sense_is_internal(payload: bytes, headers: dict[str, str]) -> None:
    async def odd(*_: Any) -> Msg:
        return message(payload, headers)

    with pytest.raises(SalonError, match="no sense") as caught:
        await call(FakeNats(odd))
    assert caught.value.code is Code.INTERNAL


async def test_what_cannot_be_sent_is_not_sent() -> None:
    fake = FakeNats(ok)
    with pytest.raises(SalonError, match=f"request: {MAX_MESSAGE + 4} bytes, the limit is {MAX_MESSAGE}"):
        await call(fake, text="x" * MAX_MESSAGE)
    with pytest.raises(SalonError, match="no answer in time"):
        await call(fake, timeout=0)
    fake.is_connected = False
    with pytest.raises(SalonError, match="NATS is out of reach"):
        await call(fake)
    assert fake.timeouts == []


async def test_giving_up_tells_whoever_runs_the_call() -> None:
    asked = asyncio.Event()

    async def never(*_: Any) -> Msg:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    fake = FakeNats(never)
    running = call(fake)
    await asked.wait()
    assert running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert running.cancelled()
    assert await running.code() is grpc.StatusCode.CANCELLED
    (subject,) = fake.published
    assert subject.startswith("rpc.local.rooms._cancel.")


async def test_a_bug_of_our_own_is_not_hidden() -> None:
    async def broken(*_: Any) -> Msg:
        raise ZeroDivisionError

    running = call(FakeNats(broken))
    with pytest.raises(ZeroDivisionError):
        await running
    with pytest.raises(ZeroDivisionError):
        await running.code()


async def test_as_a_channel_it_owns_nothing() -> None:
    fake = FakeNats(ok)
    async with channel_of(fake) as channel:
        assert channel.get_state() is grpc.ChannelConnectivity.READY
        fake.is_connected = False
        assert channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE
        for attempt in (
            channel.channel_ready,
            lambda: channel.wait_for_state_change(grpc.ChannelConnectivity.READY),
        ):
            with pytest.raises(SalonError, match="no states to wait for"):
                await attempt()


async def test_streams_are_refused_when_called_not_when_the_stub_is_made() -> None:
    channel = channel_of(FakeNats(ok))
    stub = signaling_pb2_grpc.SignalingServiceStub(channel)
    with pytest.raises(SalonError, match=r"SignalingService/Join streams: call it by gRPC or Connect$"):
        stub.Join(signaling_pb2.JoinRequest())
    for multi in (channel.stream_unary("/s/M"), channel.stream_stream("/s/M")):
        with pytest.raises(SalonError, match="/s/M streams"):
            cast("Any", multi)()
