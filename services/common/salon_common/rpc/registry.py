"""Records what generated code adds to a server, so that one servicer can be mounted on several transports."""

from __future__ import annotations  # grpc's handler type takes arguments in its stubs alone

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Never

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from salon_common.rpc.context import CallContext

UnaryHandler = Callable[[Message, CallContext], Awaitable[Message]]
StreamHandler = Callable[[Message, CallContext], AsyncGenerator[Message]]


@dataclass(frozen=True)
class Method:
    """One method: its names, message types, and the servicer's coroutine (unary) or async generator (stream)."""

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    unary: UnaryHandler | None
    stream: StreamHandler | None

    @property
    def path(self) -> str:
        """`/package.Service/Method`."""
        return f"/{self.service}/{self.name}"


def short_name(service: str) -> str:
    """`salon.rooms.v1.RoomsService` is `rooms` in subjects and metrics."""
    return service.rpartition(".")[2].removesuffix("Service").lower()


class ServiceRegistry(grpc.aio.Server):
    """What `add_XServicer_to_server(servicer, registry)` fills and the mounts read. It serves nothing itself."""

    def __init__(self) -> None:
        self._services: dict[str, dict[str, Method]] = {}

    @property
    def services(self) -> Mapping[str, Mapping[str, Method]]:
        """Methods by name, by the service's full name."""
        return self._services

    def methods(self) -> Iterator[Method]:
        """All methods of all services."""
        for methods in self._services.values():
            yield from methods.values()

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """Record a service. Raises TypeError for a handler that no mount can run."""
        descriptor = descriptor_pool.Default().FindServiceByName(service_name)
        methods = {}
        for name, handler in method_handlers.items():
            if not _is_inherited(handler):
                unary, stream = _check_handler(f"{service_name}.{name}", handler)
                method = descriptor.methods_by_name[name]
                request = message_factory.GetMessageClass(method.input_type)
                response = message_factory.GetMessageClass(method.output_type)
                methods[name] = Method(service_name, name, request, response, unary, stream)
        self._services[service_name] = methods

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Nothing: generated code gives the same handlers by `add_registered_method_handlers`."""

    def add_insecure_port(self, address: str) -> Never:
        """Not offered: mount the registry."""
        raise _only_records()

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> Never:
        """Not offered: mount the registry."""
        raise _only_records()

    async def start(self) -> Never:
        """Not offered: mount the registry."""
        raise _only_records()

    async def stop(self, grace: float | None) -> Never:
        """Not offered: mount the registry."""
        raise _only_records()

    async def wait_for_termination(self, timeout: float | None = None) -> Never:
        """Not offered: mount the registry."""
        raise _only_records()


def _only_records() -> TypeError:
    return TypeError(
        "a ServiceRegistry only records handlers: give it to GrpcMount, connect_app or NatsMount"
    )


def _is_inherited(handler: grpc.RpcMethodHandler[Any, Any]) -> bool:
    """Whether the servicer left the method to its generated base, which means that it is not implemented."""
    function = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    return getattr(function, "__module__", "").endswith("_pb2_grpc")


def _check_handler(
    name: str, handler: grpc.RpcMethodHandler[Any, Any]
) -> tuple[UnaryHandler | None, StreamHandler | None]:
    if handler.request_streaming:
        raise TypeError(f"{name}: the client streams, which browsers cannot and NATS does not")
    unary: Any = handler.unary_unary
    stream: Any = handler.unary_stream
    if unary is not None and not inspect.iscoroutinefunction(unary):
        raise TypeError(f"{name}: must be an async def")
    if stream is not None and not inspect.isasyncgenfunction(stream):
        raise TypeError(f"{name}: must be an async def that yields")
    return unary, stream
