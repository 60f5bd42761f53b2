"""Runs handlers, for every mount in the same way.

Owns the bounds on how many run at once, the limit on messages, the counting, and the rule that only SalonError and the
caller's cancellation leave a handler: whatever else is raised is logged under an id, which is all that the caller gets.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from google.protobuf.message import Message

from salon_common.errors import Code, SalonError
from salon_common.rpc.context import CallContext
from salon_common.rpc.limits import MAX_STREAMS, MAX_UNARY, check_size
from salon_common.rpc.registry import Method, short_name
from salon_common.telemetry import metrics, tracing

_log = logging.getLogger(__name__)


def internal(error: BaseException, **extra: str) -> SalonError:
    """INTERNAL with an id; the error's text goes to the log under that id and nowhere else."""
    error_id = secrets.token_hex(6)
    _log.error("internal error %s", error_id, exc_info=error, extra={"error_id": error_id, **extra})
    return SalonError(Code.INTERNAL, f"internal error {error_id}")


class Calls:
    """The handlers that one mount runs."""

    def __init__(self, transport: str, *, max_unary: int = MAX_UNARY, max_streams: int = MAX_STREAMS) -> None:
        self._transport = transport
        self._free_unary = max_unary
        self._free_streams = max_streams

    async def unary(self, method: Method, request: Message, context: CallContext) -> Message:
        """Run a unary handler. Raises only SalonError, and CancelledError when the caller went away."""
        if method.unary is None:
            raise SalonError(Code.UNIMPLEMENTED, f"{method.path} streams: call it by gRPC or Connect")
        if self._free_unary <= 0:
            raise _busy()
        self._free_unary -= 1
        try:
            with self._observe(method, context), self._trace(method, context):
                check_size("request", request.ByteSize())
                response = await method.unary(request, context)
                check_size("answer", response.ByteSize())
                return response
        finally:
            self._free_unary += 1

    async def stream(self, method: Method, request: Message, context: CallContext) -> AsyncGenerator[Message]:
        """Run a streaming handler. Raises as `unary` does."""
        if method.stream is None:
            raise SalonError(Code.UNIMPLEMENTED, f"{method.path} does not stream")
        if self._free_streams <= 0:
            raise _busy()
        self._free_streams -= 1
        try:
            with self._observe(method, context):
                check_size("request", request.ByteSize())
                async with aclosing(method.stream(request, context)) as responses:
                    with self._trace(method, context):
                        first = await anext(responses, None)
                    if first is None:
                        return
                    check_size("answer", first.ByteSize())
                    yield first
                    async for response in responses:
                        check_size("answer", response.ByteSize())
                        yield response
        finally:
            self._free_streams += 1

    @contextmanager
    def _trace(self, method: Method, context: CallContext) -> Iterator[None]:
        """A span of what the caller says that it follows from: of a whole call, or of a stream until its first message."""
        service, name = short_name(method.service), method.name
        with tracing.span(
            f"{service}/{name}", "SERVER", [tracing.received(context.invocation)], transport=self._transport
        ):
            context.exemplar = tracing.exemplar()
            yield

    @contextmanager
    def _observe(self, method: Method, context: CallContext) -> Iterator[None]:
        """Translate what leaves the block, count it, and tell the context that the call is over."""
        labels = (short_name(method.service), method.name, self._transport)
        code, began = Code.OK, time.perf_counter()
        metrics.SERVED_NOW.labels(*labels).inc()
        try:
            yield
        except SalonError as error:
            code = error.code
            raise
        except (asyncio.CancelledError, GeneratorExit) as error:
            code = Code.CANCELLED
            if isinstance(error, asyncio.CancelledError) and not _is_cancelled():
                code = Code.INTERNAL
                raise internal(error, method=method.path) from error
            raise
        except Exception as error:
            code = Code.INTERNAL
            raise internal(error, method=method.path) from error
        finally:
            metrics.SERVED_NOW.labels(*labels).dec()
            seconds = time.perf_counter() - began
            metrics.SERVED_SECONDS.labels(*labels, code.name).observe(seconds, context.exemplar)
            context.finish()


def _is_cancelled() -> bool:
    """Whether somebody cancelled this very task; else the handler awaited something that was cancelled, which is a bug."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _busy() -> SalonError:
    return SalonError(Code.UNAVAILABLE, "too many calls run here at once: try again in a moment")
