"""Traces: off without a collector; with one, calls carry them, refusals show, and nothing of what people wrote goes there."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import pytest
from google.protobuf.message import Message
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.exposition import generate_latest
from salon.rooms.v1 import rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.logs import JsonFormatter
from salon_common.rpc.calls import Calls
from salon_common.rpc.context import CallContext
from salon_common.rpc.metadata import Pairs
from salon_common.rpc.registry import Method
from salon_common.telemetry import tracing
from salon_common.telemetry.calls import client_call
from support.otlp_sink import OtlpSink, otlp_sink

OUTSIDE = "ab" * 16
CALLER: Pairs = (("traceparent", f"00-{OUTSIDE}-{'cd' * 8}-01"),)


async def leave(request: Message, context: CallContext) -> Message:
    with client_call("media", "Remove"):
        assert tracing.trace_id() == OUTSIDE
    return rooms_pb2.LeaveResponse()


async def refuse(request: Message, context: CallContext) -> Message:
    raise SalonError(Code.NOT_FOUND, "no room of that name: Ada's")


async def watch(request: Message, context: CallContext) -> AsyncGenerator[Message]:
    yield rooms_pb2.LeaveResponse()
    assert tracing.trace_id() == "", "a stream goes on outside of its trace"
    yield rooms_pb2.LeaveResponse()


def method(handler: Any, *, streams: bool = False) -> Method:
    unary, stream = (None, handler) if streams else (handler, None)
    return Method(
        "salon.test.v1.TracedService",
        "Do",
        rooms_pb2.LeaveRequest,
        rooms_pb2.LeaveResponse,
        cast("Any", unary),
        stream,
    )


async def call(handler: Any, metadata: Pairs = CALLER) -> None:
    context = CallContext(peer="", invocation=metadata)
    await Calls("grpc").unary(method(handler), rooms_pb2.LeaveRequest(), context)


@pytest.fixture
async def sink() -> AsyncIterator[OtlpSink]:
    with otlp_sink() as made:
        tracing.start("rooms", "local", made.endpoint, 1.0)
        try:
            yield made
        finally:
            await tracing.stop()


async def test_without_a_collector_there_is_nothing() -> None:
    with tracing.span("anything"):
        assert tracing.sent() == ()
        assert tracing.trace_id() == ""
        assert tracing.exemplar() is None
        assert tracing.captured() is None
    assert tracing.received(CALLER) is None


async def test_a_call_and_what_it_calls_follow_from_the_caller(sink: OtlpSink) -> None:
    await call(leave)
    await tracing.stop()
    [served], [called] = sink.named("traced/Do"), sink.named("call media/Remove")
    assert (served.service, served.trace_id, served.parent_id) == ("salon-rooms", OUTSIDE, "cd" * 8)
    assert sink.chain(called) == ["traced/Do", "call media/Remove"]


async def test_what_is_sent_is_what_others_receive(sink: OtlpSink) -> None:
    with tracing.span("one"):
        metadata = tracing.sent()
        here = tracing.trace_id()
    with tracing.span("two", origins=[tracing.received(metadata)]):
        assert tracing.trace_id() == here
    await tracing.stop()
    assert sink.chain(sink.named("two")[0]) == ["one", "two"]


async def test_work_for_several_is_a_child_of_the_first_and_linked_to_the_others(sink: OtlpSink) -> None:
    origins = []
    for name in ("a", "b"):
        with tracing.span(name):
            origins.append(tracing.captured())
    with tracing.span("batch", origins=[None, *origins]):
        pass
    await tracing.stop()
    [batch] = sink.named("batch")
    assert batch.parent_id == sink.named("a")[0].span_id
    assert batch.links == (sink.named("b")[0].span_id,)


async def test_a_streams_span_ends_with_its_first_message(sink: OtlpSink) -> None:
    context = CallContext(peer="", invocation=CALLER)
    stream = Calls("grpc").stream(method(watch, streams=True), rooms_pb2.LeaveRequest(), context)
    async with aclosing(stream) as messages:
        await anext(messages)
        assert tracing.trace_id() == ""
        await anext(messages)
    await tracing.stop()
    assert [span.trace_id for span in sink.named("traced/Do")] == [OUTSIDE]


async def test_a_refusal_shows_its_code_and_no_word_of_it(sink: OtlpSink) -> None:
    with pytest.raises(SalonError):
        await call(refuse)
    await tracing.stop()
    assert sink.named("traced/Do")[0].attributes["error.type"] == "NOT_FOUND"
    assert b"Ada" not in sink.raw


async def test_bad_names_of_traces_begin_a_new_one(sink: OtlpSink) -> None:
    for text in ("", "00-zz-zz-01", f"00-{'0' * 32}-{'0' * 16}-01", "x" * 5000):
        await call(answer, (("traceparent", text),))
    await tracing.stop()
    assert len({span.trace_id for span in sink.named("traced/Do")}) == 4


async def answer(request: Message, context: CallContext) -> Message:
    return rooms_pb2.LeaveResponse()


async def test_buckets_and_log_lines_lead_to_the_trace(sink: OtlpSink) -> None:
    await call(leave)
    text = generate_latest(REGISTRY).decode()  # type: ignore[no-untyped-call]
    bucket = [line for line in text.splitlines() if 'service="traced"' in line and OUTSIDE in line]
    assert bucket
    assert all(line.startswith("salon_rpc_server_seconds_bucket") for line in bucket)
    record = logging.makeLogRecord({"msg": "hello"})
    with tracing.span("line"):
        line = json.loads(JsonFormatter("rooms").format(record))
        assert line["trace_id"] == tracing.trace_id()
    assert "trace_id" not in json.loads(JsonFormatter("rooms").format(record))


async def test_what_outlives_a_call_is_not_in_its_trace(sink: OtlpSink) -> None:
    async def later() -> str:
        return tracing.trace_id()

    with tracing.span("call"):
        assert await asyncio.create_task(later()) != ""
        assert await asyncio.create_task(later(), context=tracing.untraced()) == ""


@pytest.mark.parametrize(("service", "kept"), [("signaling", 0), ("rooms", 1)])
async def test_whether_a_trace_is_kept_is_decided_at_the_door(service: str, kept: int) -> None:
    """A caller from outside cannot have its traces kept by saying so; inside, what was decided holds."""
    with otlp_sink() as sink:
        tracing.start(service, "local", sink.endpoint, 0.0)
        await call(answer)
        await tracing.stop()
        assert len(sink.named("traced/Do")) == kept
