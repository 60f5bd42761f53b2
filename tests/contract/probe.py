"""A servicer that does what a call tells it, and a client for each transport that reports every outcome alike.

The servicer is a SignalingService, since that has a unary method and a stream: `PreviewRoom` and `Join`, whose
`room_id` is the verb; `invite_secret` of the one and `name` of the other are the argument.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc
import grpc.aio
from connectrpc.client import ConnectClient, ResponseMetadata
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.protocol import ProtocolType
from connectrpc.request import Headers
from nats.aio.client import Client as Nats
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_common.errors import Code, SalonError
from salon_common.rpc import NatsChannel, ServiceRegistry
from salon_common.rpc import metadata as rpc_metadata
from salon_common.rpc.status import from_grpc, to_connect

SERVICE = "salon.signaling.v1.SignalingService"

Pairs = Sequence[tuple[str, str | bytes]]
Context = grpc.aio.ServicerContext[Any, Any]


@dataclass
class Seen:
    """What the servicer noticed of the call that waits."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0


class ProbeServicer(signaling_pb2_grpc.SignalingServiceServicer):
    """Does what calls say. All other methods stay as generated."""

    def __init__(self) -> None:
        self.seen = Seen()

    async def PreviewRoom(
        self, request: signaling_pb2.PreviewRoomRequest, context: Context
    ) -> signaling_pb2.PreviewRoomResponse:
        text = await self._unary(request.room_id, request.invite_secret, context)
        return signaling_pb2.PreviewRoomResponse(room=room_pb2.Room(title=text))

    async def Join(
        self, request: signaling_pb2.JoinRequest, context: Context
    ) -> AsyncGenerator[signaling_pb2.JoinResponse]:
        match request.room_id:
            case "count":
                context.set_trailing_metadata((("counted", request.name),))
                for number in range(int(request.name)):
                    yield _answer(str(number))
            case "fail":
                yield _answer("before")
                raise SalonError(Code.ABORTED, request.name)
            case "fail at once":
                raise SalonError(Code.NOT_FOUND, request.name)
            case "crash":
                yield _answer("before")
                raise RuntimeError(request.name)
            case "big":
                yield _answer("x" * int(request.name))
            case "wait":
                yield _answer("before")
                await self._wait(context)

    async def _unary(self, verb: str, argument: str, context: Context) -> str:
        match verb:
            case "echo":
                return argument
            case "fail" | "abort" | "crash" | "cancel itself" | "time itself out":
                await self._fail(verb, argument, context)
            case "metadata":
                pairs = [
                    (key, value) for key, value in context.invocation_metadata() or () if key.startswith("x-")
                ]
                context.set_trailing_metadata(pairs)
                return json.dumps(
                    [[key, value.hex() if isinstance(value, bytes) else value] for key, value in pairs]
                )
            case "remaining":
                return str(context.time_remaining())
            case "peer":
                return context.peer()
            case "big":
                return "x" * int(argument)
            case "wait":
                await self._wait(context)
            case "gather":
                await self._gather()
        return "nothing"

    async def _fail(self, verb: str, argument: str, context: Context) -> None:
        match verb:
            case "fail":
                code, _, message = argument.partition(" ")
                raise SalonError(Code[code], message)
            case "abort":
                await context.abort(
                    grpc.StatusCode.ABORTED,
                    argument,
                    (("why", "told to"), ("why", "twice"), ("raw-bin", b"\x00\xff")),
                )
            case "crash":
                raise RuntimeError(argument)
            case "cancel itself":
                raise asyncio.CancelledError
            case "time itself out":
                raise TimeoutError(argument)

    async def _wait(self, context: Context) -> None:
        context.add_done_callback(lambda ctx: self.seen.done.set())  # type: ignore[arg-type] # a private protocol
        self.seen.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.seen.cancelled.set()
            raise

    async def _gather(self) -> None:
        seen = self.seen
        seen.running += 1
        seen.most = max(seen.most, seen.running)
        seen.started.set()
        await seen.go.wait()
        seen.running -= 1


def _answer(text: str) -> signaling_pb2.JoinResponse:
    return signaling_pb2.JoinResponse(welcome=signaling_pb2.Welcome(answer=text))


def new_servicer() -> ProbeServicer:
    """A servicer whose other methods stay as generated, which the type checker thinks impossible."""
    return ProbeServicer()  # type: ignore[abstract]


def registry_of(servicer: ProbeServicer) -> ServiceRegistry:
    """The servicer in a registry."""
    registry = ServiceRegistry()
    signaling_pb2_grpc.add_SignalingServiceServicer_to_server(servicer, registry)
    return registry


def preview(verb: str, argument: str) -> signaling_pb2.PreviewRoomRequest:
    """The request of a unary call."""
    return signaling_pb2.PreviewRoomRequest(room_id=verb, invite_secret=argument)


@dataclass(frozen=True)
class Outcome:
    """How a call ended: the answer's text, or the status's message."""

    code: Code
    text: str
    trailing: list[tuple[str, str | bytes]] = field(default_factory=list)


class Client(Protocol):
    """One transport, seen from the caller."""

    async def call(
        self, verb: str, argument: str = "", *, timeout: float = 10, metadata: Pairs = ()
    ) -> Outcome:
        """A unary call."""
        ...

    async def unknown(self) -> Outcome:
        """A call of a method that the servicer left to its generated base."""
        ...


class StreamClient(Client, Protocol):
    """A transport that streams."""

    def stream(self, verb: str, argument: str = "", *, timeout: float = 10) -> AsyncIterator[str]:
        """The texts of a stream's answers. Raises SalonError."""
        ...


def _own(pairs: Any) -> list[tuple[str, str | bytes]]:
    return [(key, value) for key, value in pairs or () if not key.startswith("grpc-")]


class StubClient:
    """gRPC and NATS: generated stubs."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = signaling_pb2_grpc.SignalingServiceStub(channel)

    async def call(
        self, verb: str, argument: str = "", *, timeout: float = 10, metadata: Pairs = ()
    ) -> Outcome:
        call = self._stub.PreviewRoom(preview(verb, argument), timeout=timeout, metadata=metadata)
        try:
            answer = await call
        except grpc.aio.AioRpcError as error:
            return Outcome(from_grpc(error.code()), error.details() or "", _own(error.trailing_metadata()))
        except SalonError as error:
            return Outcome(error.code, error.message, _own(await call.trailing_metadata()))
        return Outcome(Code.OK, answer.room.title, _own(await call.trailing_metadata()))

    async def unknown(self) -> Outcome:
        try:
            await self._stub.Leave(signaling_pb2.LeaveRequest(), timeout=10)
        except grpc.aio.AioRpcError as error:
            return Outcome(from_grpc(error.code()), error.details() or "")
        except SalonError as error:
            return Outcome(error.code, error.message)
        return Outcome(Code.OK, "")

    async def stream(self, verb: str, argument: str = "", *, timeout: float = 10) -> AsyncIterator[str]:
        call = self._stub.Join(signaling_pb2.JoinRequest(room_id=verb, name=argument), timeout=timeout)
        try:
            async for answer in call:
                yield answer.welcome.answer
        except grpc.aio.AioRpcError as error:
            raise SalonError(from_grpc(error.code()), error.details() or "") from error
        finally:
            call.cancel()


class WebClient:
    """Connect and gRPC-Web, as browsers speak them."""

    def __init__(self, address: str, protocol: ProtocolType, *, as_json: bool = False) -> None:
        codec = google_protobuf_json_codec() if as_json else google_protobuf_binary_codec()
        self._client = ConnectClient(address, protocol=protocol, codec=codec, send_compression=None)

    async def call(
        self, verb: str, argument: str = "", *, timeout: float = 10, metadata: Pairs = ()
    ) -> Outcome:
        headers = Headers([(key, rpc_metadata.to_text(value)) for key, value in metadata])
        with ResponseMetadata() as response:
            try:
                answer = await self._client.execute_unary(
                    request=preview(verb, argument),
                    method=_info(
                        "PreviewRoom",
                        signaling_pb2.PreviewRoomRequest,
                        signaling_pb2.PreviewRoomResponse,
                        StreamType.UNARY,
                    ),
                    headers=headers,
                    timeout_ms=round(timeout * 1000),
                )
                code, text = Code.OK, answer.room.title
            except ConnectError as error:
                code, text = _FROM_CONNECT[error.code], error.message
        trailers = [
            pair for key, value in response.trailers.allitems() for pair in rpc_metadata.from_text(key, value)
        ]
        return Outcome(code, text, _own(trailers))

    async def unknown(self) -> Outcome:
        info = _info("Leave", signaling_pb2.LeaveRequest, signaling_pb2.LeaveResponse, StreamType.UNARY)
        try:
            await self._client.execute_unary(
                request=signaling_pb2.LeaveRequest(), method=info, timeout_ms=10_000
            )
        except ConnectError as error:
            return Outcome(_FROM_CONNECT[error.code], error.message)
        return Outcome(Code.OK, "")

    async def stream(self, verb: str, argument: str = "", *, timeout: float = 10) -> AsyncIterator[str]:
        answers = self._client.execute_server_stream(
            request=signaling_pb2.JoinRequest(room_id=verb, name=argument),
            method=_info(
                "Join", signaling_pb2.JoinRequest, signaling_pb2.JoinResponse, StreamType.SERVER_STREAM
            ),
            timeout_ms=round(timeout * 1000),
        )
        try:
            async for answer in answers:
                yield answer.welcome.answer
        except ConnectError as error:
            raise SalonError(_FROM_CONNECT[error.code], error.message) from error
        finally:
            assert isinstance(answers, AsyncGenerator)
            await answers.aclose()


_FROM_CONNECT = {to_connect(code): code for code in Code if code is not Code.OK}


def _info(name: str, request: Any, response: Any, kind: StreamType) -> MethodInfo[Any, Any]:
    return MethodInfo(
        name=name,
        service_name=SERVICE,
        input=request,
        output=response,
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=kind,
    )


def nats_client(nc: Nats, **options: Any) -> StubClient:
    """A client over NATS."""
    return StubClient(NatsChannel(nc, region="local", **options))
