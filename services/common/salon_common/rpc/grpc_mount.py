"""Mounts a registry on native gRPC over HTTP/2, for clients that are programs."""

from __future__ import annotations  # grpc's handler type takes arguments in its stubs alone

import math
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Never

import grpc
import grpc.aio
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from salon_common.errors import SalonError
from salon_common.net import cannot_listen
from salon_common.rpc.calls import Calls
from salon_common.rpc.context import CallContext
from salon_common.rpc.limits import MAX_MESSAGE, MAX_METADATA, MAX_STREAMS, MAX_UNARY
from salon_common.rpc.registry import Method, ServiceRegistry
from salon_common.rpc.status import to_grpc

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_metadata_size", MAX_METADATA),
    ("grpc.so_reuseport", 0),  # two processes on one port would share it silently
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)

_Native = grpc.aio.ServicerContext[Any, Any]


class GrpcMount:
    """A gRPC server on its own port, with the standard health service."""

    def __init__(
        self,
        registry: ServiceRegistry,
        bind: str,
        *,
        tls: grpc.ServerCredentials | None = None,
        max_unary: int = MAX_UNARY,
        max_streams: int = MAX_STREAMS,
    ) -> None:
        self._registry = registry
        self._bind = bind
        self._tls = tls
        self._calls = Calls("grpc", max_unary=max_unary, max_streams=max_streams)
        self._server: grpc.aio.Server | None = None
        self._health = health_aio.HealthServicer()

    async def start(self) -> int:
        """Listen; returns the port. Raises SettingsError when the address cannot be had."""
        server = grpc.aio.server(options=_OPTIONS)
        for service, methods in self._registry.services.items():
            handlers = {name: self._handler(method) for name, method in methods.items()}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        try:
            port = (
                server.add_secure_port(self._bind, self._tls)
                if self._tls
                else server.add_insecure_port(self._bind)
            )
        except RuntimeError as error:
            raise cannot_listen("gRPC", self._bind, error) from error
        await server.start()
        self._server = server
        return port

    async def stop(self, grace: float = 3.0) -> None:
        """Report NOT_SERVING, refuse new calls, let calls finish for `grace` seconds, then cancel them."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await self._health.enter_graceful_shutdown()
        await server.stop(grace)

    def _handler(self, method: Method) -> grpc.RpcMethodHandler[Any, Any]:
        async def unary(request: Message, native: _Native) -> Message:
            context = None
            try:
                context = _context(native)
                response = await self._calls.unary(method, request, context)
            except SalonError as error:
                await _abort(native, context, error)
            native.set_trailing_metadata(context.trailing)
            return response

        async def stream(request: Message, native: _Native) -> AsyncIterator[Message]:
            context = None
            try:
                context = _context(native)
                async with aclosing(self._calls.stream(method, request, context)) as responses:
                    async for response in responses:
                        yield response
            except SalonError as error:
                await _abort(native, context, error)
            else:
                native.set_trailing_metadata(context.trailing)

        decode, encode = method.request.FromString, method.response.SerializeToString
        if method.stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream, decode, encode)
        return grpc.unary_unary_rpc_method_handler(unary, decode, encode)


def _context(native: _Native) -> CallContext:
    remaining: float | None = native.time_remaining()
    pairs = tuple((key, value) for key, value in native.invocation_metadata() or ())
    return CallContext(
        peer=native.peer(), invocation=pairs, timeout=math.inf if remaining is None else remaining
    )


async def _abort(native: _Native, context: CallContext | None, error: SalonError) -> Never:
    await native.abort(to_grpc(error.code), error.message, context.trailing if context else ())
