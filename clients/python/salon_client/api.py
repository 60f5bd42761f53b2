"""The public API by gRPC, at any of several equal signaling replicas.

Unary calls go to the replica that last answered and, when it is away, to the others: every call of the API may be repeated,
since those that make something carry a request id. Foreign errors become `SalonError` here and nowhere else.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import grpc
import grpc.aio
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_common.errors import Code, SalonError

from salon_client.link import is_loopback

if TYPE_CHECKING:
    # Declared in the generated types alone; at run time one class serves both kinds of channel.
    from salon.signaling.v1.signaling_pb2_grpc import SignalingServiceAsyncStub as Stub

T = TypeVar("T")

CALL_SECONDS = 5.0
"""Deadline of one attempt of a unary call."""

_ELSEWHERE = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED, Code.UNKNOWN})

# Join streams stay open for hours: a dead peer shows in seconds, without traffic of ours.
_CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.max_receive_message_length", 1 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


def new_request_id() -> str:
    """An id for a call that may be repeated."""
    return secrets.token_hex(16)


def to_salon_error(error: grpc.aio.AioRpcError) -> SalonError:
    """A status of gRPC as ours."""
    number: int = error.code().value[0]
    return SalonError(Code(number), error.details() or error.code().name)


class SignalingApi:
    """Channels to the replicas, and the calls."""

    def __init__(self, addresses: Sequence[str]) -> None:
        if not addresses:
            raise ValueError("at least one address is needed")
        self.addresses = tuple(addresses)
        self._channels: dict[str, grpc.aio.Channel] = {}
        self.preferred = self.addresses[0]
        """Unary calls go to this replica first."""

    async def __aenter__(self) -> "SignalingApi":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all channels; open streams end."""
        channels, self._channels = self._channels, {}
        await asyncio.gather(*(channel.close() for channel in channels.values()))

    def stub(self, address: str) -> "Stub":
        """The stub of one replica."""
        if address not in self._channels:
            self._channels[address] = _open_channel(address)
        stub: Stub = signaling_pb2_grpc.SignalingServiceStub(self._channels[address])
        return stub

    async def create_room(
        self, app_token: str, title: str = "", settings: room_pb2.RoomSettings | None = None
    ) -> signaling_pb2.CreateRoomResponse:
        """Make a room for the user in the app's token."""
        request = signaling_pb2.CreateRoomRequest(
            app_token=app_token, request_id=new_request_id(), title=title, settings=settings
        )
        return await self._anywhere(lambda stub: stub.CreateRoom(request, timeout=CALL_SECONDS))

    async def preview_room(self, room_id: str, secret: str) -> signaling_pb2.PreviewRoomResponse:
        """What a link opens."""
        request = signaling_pb2.PreviewRoomRequest(room_id=room_id, invite_secret=secret)
        return await self._anywhere(lambda stub: stub.PreviewRoom(request, timeout=CALL_SECONDS))

    async def leave(self, token: str) -> None:
        """Leave at once."""
        request = signaling_pb2.LeaveRequest()
        await self._anywhere(lambda stub: stub.Leave(request, timeout=CALL_SECONDS, metadata=_bearer(token)))

    async def send_chat(self, token: str, text: str, request_id: str | None = None) -> int:
        """Write to everybody: the event's number, once stored."""
        request = signaling_pb2.SendChatRequest(request_id=request_id or new_request_id(), text=text)
        answer = await self._anywhere(
            lambda stub: stub.SendChat(request, timeout=CALL_SECONDS, metadata=_bearer(token))
        )
        return answer.event_number

    async def set_sources(self, token: str, active: Sequence[room_pb2.SourceKind.ValueType]) -> int:
        """Say which sources are on: the event's number, 0 if nothing changed."""
        request = signaling_pb2.SetSourcesRequest(active=active)
        answer = await self._anywhere(
            lambda stub: stub.SetSources(request, timeout=CALL_SECONDS, metadata=_bearer(token))
        )
        return answer.event_number

    async def report_quality(self, token: str, report: signaling_pb2.ReportQualityRequest) -> None:
        """Say how well it goes: at one replica, once, since nothing depends on it."""
        metadata = _bearer(token)
        await self._at(
            self.preferred, lambda stub: stub.ReportQuality(report, timeout=CALL_SECONDS, metadata=metadata)
        )

    async def create_invite(
        self, token: str, role: room_pb2.Role.ValueType, label: str = ""
    ) -> signaling_pb2.CreateInviteResponse:
        """Make another link."""
        request = signaling_pb2.CreateInviteRequest(role=role, label=label)
        return await self._anywhere(
            lambda stub: stub.CreateInvite(request, timeout=CALL_SECONDS, metadata=_bearer(token))
        )

    async def revoke_invite(self, token: str, invite_id: str) -> None:
        """Make a link stop working."""
        request = signaling_pb2.RevokeInviteRequest(invite_id=invite_id)
        await self._anywhere(
            lambda stub: stub.RevokeInvite(request, timeout=CALL_SECONDS, metadata=_bearer(token))
        )

    async def _anywhere(self, call: Callable[["Stub"], Awaitable[T]]) -> T:
        """Make a call at the preferred replica, then at the others while they are away. Raises SalonError."""
        order = sorted(self.addresses, key=lambda address: address != self.preferred)
        for address in order[:-1]:
            try:
                return await self._at(address, call)
            except SalonError as error:
                if error.code not in _ELSEWHERE:
                    raise
        return await self._at(order[-1], call)

    async def _at(self, address: str, call: Callable[["Stub"], Awaitable[T]]) -> T:
        try:
            answer = await call(self.stub(address))
        except grpc.aio.AioRpcError as error:
            raise to_salon_error(error) from None
        self.preferred = address
        return answer


def _open_channel(address: str) -> grpc.aio.Channel:
    secure = address.startswith("https://")
    target = urlsplit(address if secure else f"//{address}")
    # Proxies of the environment are for other machines.
    proxy = 0 if is_loopback(target.hostname or "") else 1
    options = [*_CHANNEL_OPTIONS, ("grpc.enable_http_proxy", proxy)]
    if secure:
        authority = target.netloc if target.port else f"{target.netloc}:443"
        return grpc.aio.secure_channel(authority, grpc.ssl_channel_credentials(), options=options)
    return grpc.aio.insecure_channel(address, options=options)


def _bearer(token: str) -> tuple[tuple[str, str]]:
    return (("authorization", f"Bearer {token}"),)
