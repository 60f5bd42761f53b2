"""Calls another service over NATS, through the stubs that gRPC generates. Errors are raised as SalonError."""

import asyncio
import secrets
from collections.abc import Callable, Generator, Sequence
from typing import Any, Never, TypeVar

import grpc
import grpc.aio
import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg

from salon_common.errors import Code, SalonError
from salon_common.rpc import nats_wire
from salon_common.rpc.limits import check_size
from salon_common.rpc.metadata import Pairs, check
from salon_common.rpc.registry import short_name
from salon_common.rpc.status import to_grpc
from salon_common.telemetry import tracing
from salon_common.telemetry.calls import client_call

Req = TypeVar("Req")
Res = TypeVar("Res")
Metadata = grpc.aio.Metadata | Sequence[tuple[str, str | bytes]]


class NatsChannel(grpc.aio.Channel):
    """A channel to a region's replicas of a service, or with `node` to that node. It owns nothing: the connection stays the caller's."""

    def __init__(self, nc: Client, *, region: str, node: str | None = None, timeout: float = 2.0) -> None:
        self._nc = nc
        self._region = region
        self._node = node
        self._timeout = timeout

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Req], bytes] | None = None,
        response_deserializer: Callable[[bytes], Res] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.aio.UnaryUnaryMultiCallable[Req, Res]:
        """What a stub calls for a unary method."""
        assert request_serializer is not None
        assert response_deserializer is not None
        service, _, name = method.removeprefix("/").partition("/")
        prefix = nats_wire.prefix(self._region, service, self._node)
        return _UnaryUnary(
            self._nc,
            prefix,
            (short_name(service), name),
            self._timeout,
            request_serializer,
            response_deserializer,
        )

    def unary_stream(
        self, method: str, *args: Any, **kwargs: Any
    ) -> grpc.aio.UnaryStreamMultiCallable[Any, Any]:
        """A callable that says that NATS carries no streams."""
        return _Refused(method)

    def stream_unary(
        self, method: str, *args: Any, **kwargs: Any
    ) -> grpc.aio.StreamUnaryMultiCallable[Any, Any]:
        """A callable that says that NATS carries no streams."""
        return _Refused(method)

    def stream_stream(
        self, method: str, *args: Any, **kwargs: Any
    ) -> grpc.aio.StreamStreamMultiCallable[Any, Any]:
        """A callable that says that NATS carries no streams."""
        return _Refused(method)

    async def close(self, grace: float | None = None) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> "NatsChannel":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Whether NATS is there."""
        return (
            grpc.ChannelConnectivity.READY
            if self._nc.is_connected
            else grpc.ChannelConnectivity.TRANSIENT_FAILURE
        )

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> Never:
        """Not offered: the connection has callbacks."""
        raise SalonError(Code.UNIMPLEMENTED, "a NatsChannel has no states to wait for")

    async def channel_ready(self) -> Never:
        """Not offered: the connection has callbacks."""
        raise SalonError(Code.UNIMPLEMENTED, "a NatsChannel has no states to wait for")


class _Refused(
    grpc.aio.UnaryStreamMultiCallable[Any, Any],
    grpc.aio.StreamUnaryMultiCallable[Any, Any],
    grpc.aio.StreamStreamMultiCallable[Any, Any],
):
    """Stands in a stub for a method that streams, so that the stub's other methods can be had."""

    def __init__(self, method: str) -> None:
        self._method = method

    def __call__(self, *args: Any, **kwargs: Any) -> Never:
        raise SalonError(Code.UNIMPLEMENTED, f"{self._method} streams: call it by gRPC or Connect")


class _UnaryUnary(grpc.aio.UnaryUnaryMultiCallable[Req, Res]):
    """One method of a stub."""

    def __init__(
        self,
        nc: Client,
        prefix: str,
        labels: tuple[str, str],
        timeout: float,
        serialize: Callable[[Req], bytes],
        deserialize: Callable[[bytes], Res],
    ) -> None:
        self._nc = nc
        self._prefix = prefix
        self._labels = labels
        self._timeout = timeout
        self._serialize = serialize
        self._deserialize = deserialize

    def __call__(
        self,
        request: Req,
        *,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> "NatsCall[Req, Res]":
        seconds = self._timeout if timeout is None else timeout
        return NatsCall(seconds, lambda call: self._measure(request, metadata or (), call))

    async def _measure(self, request: Req, pairs: Metadata, call: "NatsCall[Req, Res]") -> Res:
        with client_call(*self._labels):
            return await self._invoke(request, pairs, call)

    async def _invoke(self, request: Req, pairs: Metadata, call: "NatsCall[Req, Res]") -> Res:
        payload = self._serialize(request)
        check_size("request", len(payload))
        remaining, caller = call.time_remaining(), str(self._nc.options.get("name") or "")
        head = nats_wire.RequestHead(secrets.token_hex(8), remaining, caller, check(pairs) + tracing.sent())
        headers = nats_wire.write_request(head)
        if remaining <= 0:
            raise self._late()
        if not self._nc.is_connected:
            raise SalonError(Code.UNAVAILABLE, f"{self._subject}: NATS is out of reach: try again")
        try:
            msg = await self._nc.request(self._subject, payload, timeout=remaining, headers=headers)
        except asyncio.CancelledError:
            await self._cancel(head.call_id)
            raise
        except nats.errors.NoRespondersError as error:
            raise SalonError(
                Code.UNAVAILABLE, f"{self._subject}: nobody serves this now: try again"
            ) from error
        except nats.errors.TimeoutError as error:
            raise self._late() from error
        except nats.errors.Error as error:
            raise SalonError(Code.UNAVAILABLE, f"{self._subject}: {error}: try again") from error
        return self._read(msg, call)

    @property
    def _subject(self) -> str:
        return f"{self._prefix}.{self._labels[1]}"

    def _late(self) -> SalonError:
        return SalonError(
            Code.DEADLINE_EXCEEDED, f"{self._subject}: no answer in time; it may have happened all the same"
        )

    async def _cancel(self, call_id: str) -> None:
        """Tell whoever runs the call that nobody waits; if this is lost, the deadline ends it."""
        try:
            await self._nc.publish(nats_wire.cancel_subject(self._prefix, call_id))
        except nats.errors.Error:
            return

    def _read(self, msg: Msg, call: "NatsCall[Req, Res]") -> Res:
        failure, call.trailing = nats_wire.read_answer(msg.headers or {})
        if failure is not None:
            raise failure
        try:
            return self._deserialize(msg.data)
        except DecodeError as error:
            raise SalonError(Code.INTERNAL, f"{self._subject}: the answer makes no sense") from error


class NatsCall(grpc.aio.UnaryUnaryCall[Req, Res]):
    """One call on its way: await it for the answer; cancelling it, or whoever awaits it, cancels the handler."""

    def __init__(self, timeout: float, invoke: Callable[["NatsCall[Req, Res]"], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + timeout
        self.trailing: Pairs = ()
        self._task: asyncio.Task[Res] = self._loop.create_task(invoke(self))

    def __await__(self) -> Generator[Any, None, Res]:
        return self._task.__await__()

    def cancel(self) -> bool:
        """Give up."""
        return self._task.cancel()

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._task.cancelled()

    def done(self) -> bool:
        """Whether there is an outcome."""
        return self._task.done()

    def time_remaining(self) -> float:
        """Seconds until it fails with DEADLINE_EXCEEDED."""
        return max(0.0, self._deadline - self._loop.time())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have `callback(call)` called when there is an outcome."""
        self._task.add_done_callback(lambda _: callback(self))

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """None on NATS."""
        return grpc.aio.Metadata()

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """What came with the status."""
        await self._outcome()
        return grpc.aio.Metadata(*self.trailing)

    async def code(self) -> grpc.StatusCode:
        """The status."""
        error = await self._outcome()
        return to_grpc(error.code) if error else grpc.StatusCode.OK

    async def details(self) -> str:
        """The status's message."""
        error = await self._outcome()
        return error.message if error else ""

    async def wait_for_connection(self) -> None:
        """Nothing to wait for."""

    async def _outcome(self) -> SalonError | None:
        await asyncio.wait([self._task])
        if self._task.cancelled():
            return SalonError(Code.CANCELLED, "the call was given up")
        error = self._task.exception()
        if error is not None and not isinstance(error, SalonError):
            raise error
        return error
