"""The context that handlers are given."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from salon_common.errors import Code, SalonError
from salon_common.rpc.context import CallContext


async def test_metadata_keeps_its_order_and_repeats() -> None:
    pairs: Any = (("a", "1"), ("b-bin", b"2"), ("a", "3"))
    metadata = CallContext(peer="nats:x", invocation=pairs).invocation_metadata()
    assert metadata.get_all("a") == ["1", "3"]
    assert metadata.get("b-bin") == b"2"
    assert dict(metadata)["a"] == "1"


async def test_time_runs_down_to_zero_or_never() -> None:
    assert 0 < CallContext(peer="", timeout=5).time_remaining() <= 5
    assert CallContext(peer="", timeout=-1).time_remaining() == 0
    assert CallContext(peer="").time_remaining() == math.inf


async def test_callbacks_are_called_once_and_all() -> None:
    context = CallContext(peer="")
    called: list[Any] = []

    def broken(ctx: Any) -> None:
        raise ValueError("a callback's own fault")

    context.add_done_callback(broken)
    context.add_done_callback(called.append)
    context.finish()
    context.finish()
    assert called == [context]


async def test_abort_raises_what_a_servicer_would() -> None:
    context = CallContext(peer="")
    with pytest.raises(SalonError, match="gone") as caught:
        await context.abort(grpc.StatusCode.NOT_FOUND, "gone", (("k", "v"),))
    assert caught.value.code is Code.NOT_FOUND
    assert context.trailing == (("k", "v"),)
    with pytest.raises(ValueError, match="not aborted"):
        await context.abort(grpc.StatusCode.OK)


async def test_bad_trailing_metadata_is_refused() -> None:
    with pytest.raises(SalonError, match="metadata"):
        CallContext(peer="").set_trailing_metadata((("Bad Key", "x"),))


async def test_the_rest_says_that_it_is_not_offered() -> None:
    context = CallContext(peer="")
    for attempt in (
        lambda: context.set_code(grpc.StatusCode.OK),
        lambda: context.set_details(""),
        lambda: context.set_compression(grpc.Compression.Gzip),
        context.disable_next_message_compression,
        context.peer_identities,
        context.peer_identity_key,
        context.auth_context,
    ):
        with pytest.raises(SalonError, match="is not offered") as caught:
            attempt()
        assert caught.value.code is Code.UNIMPLEMENTED
    status: Any = None
    attempts: list[Callable[[], Awaitable[Any]]] = [
        lambda: context.abort_with_status(status),
        context.read,
        lambda: context.write(None),
        lambda: context.send_initial_metadata(()),
    ]
    for attempt_async in attempts:
        with pytest.raises(SalonError, match="is not offered"):
            await attempt_async()
