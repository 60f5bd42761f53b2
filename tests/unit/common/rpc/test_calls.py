"""How handlers are run: bounds, counts, and what may leave a handler."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from google.protobuf.message import Message
from prometheus_client import REGISTRY
from salon.rooms.v1 import rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.rpc.calls import Calls
from salon_common.rpc.context import CallContext
from salon_common.rpc.limits import MAX_MESSAGE
from salon_common.rpc.registry import Method

REQUEST = rooms_pb2.LeaveRequest()


def unary(handler: Any) -> Method:
    return Method(
        "salon.test.v1.CallsService", "Leave", rooms_pb2.LeaveRequest, rooms_pb2.LeaveResponse, handler, None
    )


def stream(handler: Any) -> Method:
    return Method(
        "salon.test.v1.CallsService", "Watch", rooms_pb2.LeaveRequest, rooms_pb2.LeaveResponse, None, handler
    )


async def answer(request: Message, context: CallContext) -> Message:
    return rooms_pb2.LeaveResponse()


def handled(mount: str, method: str, code: Code) -> float:
    labels = {"transport": mount, "service": "calls", "method": method, "code": code.name}
    return REGISTRY.get_sample_value("salon_rpc_server_seconds_count", labels) or 0.0


async def test_calls_are_counted_by_code() -> None:
    async def refuse(request: Message, context: CallContext) -> Message:
        raise SalonError(Code.NOT_FOUND, "gone")

    calls = Calls("counted")
    await calls.unary(unary(answer), REQUEST, CallContext(peer=""))
    with pytest.raises(SalonError):
        await calls.unary(unary(refuse), REQUEST, CallContext(peer=""))
    assert handled("counted", "Leave", Code.OK) == 1
    assert handled("counted", "Leave", Code.NOT_FOUND) == 1
    running = {"transport": "counted", "service": "calls", "method": "Leave"}
    assert REGISTRY.get_sample_value("salon_rpc_server_running", running) == 0


async def test_a_stream_that_is_closed_counts_as_cancelled_and_frees_its_place() -> None:
    closed = []

    async def watch(request: Message, context: CallContext) -> AsyncGenerator[Message]:
        try:
            while True:
                yield rooms_pb2.LeaveResponse()
        finally:
            closed.append(True)

    calls = Calls("closed", max_streams=1)
    for _ in range(3):
        async with aclosing(calls.stream(stream(watch), REQUEST, CallContext(peer=""))) as answers:
            await anext(answers)
            with pytest.raises(SalonError, match="too many calls") as caught:
                await anext(calls.stream(stream(watch), REQUEST, CallContext(peer="")))
            assert caught.value.code is Code.UNAVAILABLE
    assert closed == [True] * 3
    assert handled("closed", "Watch", Code.CANCELLED) == 3


async def test_a_cancelled_handler_is_cancelled_and_the_context_told() -> None:
    started, told = asyncio.Event(), asyncio.Event()

    async def wait(request: Message, context: CallContext) -> Message:
        context.add_done_callback(lambda _: told.set())
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(Calls("cancelled").unary(unary(wait), REQUEST, CallContext(peer="")))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.is_set()
    assert handled("cancelled", "Leave", Code.CANCELLED) == 1


async def test_messages_are_measured_as_messages() -> None:
    large = rooms_pb2.LeaveRequest(room_id="x" * MAX_MESSAGE)
    with pytest.raises(SalonError, match=f"request: {MAX_MESSAGE + 4} bytes"):
        await Calls("large").unary(unary(answer), large, CallContext(peer=""))


async def test_each_kind_of_method_is_run_as_its_kind() -> None:
    calls = Calls("kinds")
    with pytest.raises(SalonError, match="Watch streams") as caught:
        await calls.unary(stream(answer), REQUEST, CallContext(peer=""))
    assert caught.value.code is Code.UNIMPLEMENTED
    with pytest.raises(SalonError, match="does not stream") as caught:
        await anext(calls.stream(unary(answer), REQUEST, CallContext(peer="")))
    assert caught.value.code is Code.UNIMPLEMENTED


async def test_an_answer_that_is_no_message_is_our_bug() -> None:
    async def nothing(request: Message, context: CallContext) -> Any:
        return None

    with pytest.raises(SalonError, match=r"^internal error [0-9a-f]{12}$"):
        await Calls("bug").unary(unary(nothing), REQUEST, CallContext(peer=""))
