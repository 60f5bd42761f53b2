"""Mounts a registry as an ASGI app that speaks Connect and gRPC-Web, for browsers.

Over the `connectrpc` package, without its code generator: its endpoints are made from the registry's methods.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import aclosing
from typing import Any

from connectrpc.compat import google_protobuf_codecs
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf.message import Message

from salon_common.errors import SalonError
from salon_common.rpc import metadata
from salon_common.rpc.calls import Calls
from salon_common.rpc.context import CallContext
from salon_common.rpc.cors import Cors
from salon_common.rpc.limits import MAX_MESSAGE, MAX_STREAMS, MAX_UNARY, too_large
from salon_common.rpc.metadata import Pairs
from salon_common.rpc.registry import Method, ServiceRegistry
from salon_common.rpc.status import to_connect

MAX_BODY = 2 * MAX_MESSAGE
"""Bytes of a request's body: JSON is longer than the message it stands for, which is measured by itself."""

_Request = RequestContext[Message, Message]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_NOT_METADATA = ("grpc-", "connect-", "content-", "accept-", "sec-", "access-control-")


def connect_app(
    registry: ServiceRegistry,
    *,
    allow_origins: Sequence[str],
    max_unary: int = MAX_UNARY,
    max_streams: int = MAX_STREAMS,
) -> Cors:
    """An ASGI app with every method of the registry; pages of `allow_origins` may call it, `*` for all pages."""
    calls = Calls("connect", max_unary=max_unary, max_streams=max_streams)
    return Cors(_ConnectApp(registry, calls), allow_origins)


class _ConnectApp(ConnectASGIApplication[ServiceRegistry]):
    def __init__(self, registry: ServiceRegistry, calls: Calls) -> None:
        super().__init__(
            service=registry,
            endpoints=lambda registry: {
                method.path: _endpoint(calls, method) for method in registry.methods()
            },
            codecs=google_protobuf_codecs(),
            compressions=(),  # so a small body cannot become a large message
            read_max_bytes=None,  # `_bounded` says how large the body was
        )

    @property
    def path(self) -> str:
        return "/"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        refusal = _refusal(scope["headers"])
        if refusal is not None:
            status, reason = refusal
            await send(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [(b"content-type", b"text/plain")],
                }
            )
            await send({"type": "http.response.body", "body": reason})
            return
        await super().__call__(scope, _bounded(scope, receive), send)


def _endpoint(calls: Calls, method: Method) -> Any:
    info = MethodInfo(
        name=method.name,
        service_name=method.service,
        input=method.request,
        output=method.response,
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.UNARY if method.stream is None else StreamType.SERVER_STREAM,
    )

    async def unary(request: Message, connect: _Request) -> Message:
        context = None
        try:
            context = _context(connect)
            return await calls.unary(method, request, context)
        except SalonError as error:
            raise ConnectError(to_connect(error.code), error.message) from error
        finally:
            _write_trailers(connect, context)

    async def stream(request: Message, connect: _Request) -> AsyncIterator[Message]:
        context = None
        try:
            context = _context(connect)
            async with aclosing(calls.stream(method, request, context)) as responses:
                async for response in responses:
                    yield response
        except SalonError as error:
            raise ConnectError(to_connect(error.code), error.message) from error
        finally:
            _write_trailers(connect, context)

    return Endpoint.unary(info, unary) if method.stream is None else Endpoint.server_stream(info, stream)


def _context(connect: _Request) -> CallContext:
    remaining = connect.timeout_ms
    return CallContext(
        peer=_peer(connect.client_address),
        invocation=_read_metadata(connect.request_headers.allitems()),
        timeout=math.inf if remaining is None else remaining / 1000,
    )


def _peer(address: str | None) -> str:
    """As gRPC writes it: `ipv4:127.0.0.1:5678`, `ipv6:[::1]:5678`."""
    host, _, port = (address or "").rpartition(":")
    if not host:
        return "unknown:"
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"


def _read_metadata(headers: Any) -> Pairs:
    """Headers that are the caller's own; what the protocols use stays out, as gRPC keeps it out."""
    return tuple(
        pair
        for key, value in headers
        if not key.startswith(_NOT_METADATA)
        for pair in metadata.from_text(key, value)
    )


def _write_trailers(connect: _Request, context: CallContext | None) -> None:
    for key, value in context.trailing if context else ():
        connect.response_trailers.add(key, metadata.to_text(value))


def _refusal(headers: Sequence[tuple[bytes, bytes]]) -> tuple[int, bytes] | None:
    """Requests that the package would answer with an exception, and so with a traceback in the log for each."""
    for key, value in headers:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return 400, b"headers must be UTF-8\n"
        if (
            key == b"content-type"
            and text.startswith("application/grpc")
            and not text.startswith("application/grpc-web")
        ):
            return 415, b"native gRPC is served on a port of its own\n"
    return None


def _bounded(scope: Mapping[str, Any], receive: _Receive) -> _Receive:
    """`receive` that refuses a body over the limit before it is read, or as soon as it is too long."""
    announced = next((int(value) for key, value in scope["headers"] if key == b"content-length"), 0)
    received = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal received
        if announced > MAX_BODY:
            raise _connect(too_large("request", announced))
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY:
            raise _connect(too_large("request", received, at_least=True))
        return message

    return bounded


def _connect(error: SalonError) -> ConnectError:
    return ConnectError(to_connect(error.code), error.message)
