"""The rooms service of each region, as signaling asks it: deadlines, one retry where that is safe, errors for clients."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import grpc.aio
from salon.rooms.v1 import rooms_pb2, rooms_pb2_grpc
from salon_common.errors import Code, SalonError
from salon_common.ids import RoomId, region_of

_T = TypeVar("_T")
_RETRIED = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.ABORTED})
FIRST_SHARE = 0.4
"""Of the time for a call, what the first of two tries may take."""
RETRY_PAUSE = 0.1
"""Seconds: a replica that is being replaced is missed for about so long."""


class RoomsClient:
    """Asks the home region of the room in question."""

    def __init__(
        self,
        channel_to: Callable[[str], grpc.aio.Channel],
        *,
        region: str,
        regions: Sequence[str] = (),
        timeout: float = 2.5,
    ) -> None:
        """`channel_to` makes the channel to a region; new rooms are made in `region`."""
        self._region = region
        self._timeout = timeout
        self._stubs = {name: rooms_pb2_grpc.RoomsServiceStub(channel_to(name)) for name in {region, *regions}}

    async def create_room(self, request: rooms_pb2.CreateRoomRequest) -> rooms_pb2.CreateRoomResponse:
        """Make a room here."""
        stub = self._stubs[self._region]
        return await self._ask_twice(lambda timeout: stub.CreateRoom(request, timeout=timeout))

    async def preview(self, request: rooms_pb2.PreviewRoomRequest) -> rooms_pb2.PreviewRoomResponse:
        """What a link opens."""
        stub = self._stub(request.room_id)
        return await self._ask_twice(lambda timeout: stub.PreviewRoom(request, timeout=timeout))

    async def join(self, request: rooms_pb2.JoinRequest) -> rooms_pb2.JoinResponse:
        """Reserve a place or take one up: the request's id makes a retry the same join."""
        stub = self._stub(request.room_id)
        return await self._ask_twice(lambda timeout: stub.Join(request, timeout=timeout))

    async def replace(self, request: rooms_pb2.ReplaceRequest) -> rooms_pb2.ReplaceResponse:
        """Another place: a retry names the same failed place, so it chooses once."""
        stub = self._stub(request.room_id)
        return await self._ask_twice(lambda timeout: stub.Replace(request, timeout=timeout))

    async def leave(self, request: rooms_pb2.LeaveRequest) -> None:
        """Take a participant out."""
        stub = self._stub(request.room_id)
        await self._ask_twice(lambda timeout: stub.Leave(request, timeout=timeout))

    async def send_chat(self, request: rooms_pb2.SendChatRequest) -> rooms_pb2.SendChatResponse:
        """Answered once stored: the request's id makes a retry the same message."""
        stub = self._stub(request.room_id)
        return await self._ask_twice(lambda timeout: stub.SendChat(request, timeout=timeout))

    async def set_sources(self, request: rooms_pb2.SetSourcesRequest) -> rooms_pb2.SetSourcesResponse:
        """Set, not toggled: a retry changes nothing more."""
        stub = self._stub(request.room_id)
        return await self._ask_twice(lambda timeout: stub.SetSources(request, timeout=timeout))

    async def replay(self, request: rooms_pb2.ReplayRequest) -> rooms_pb2.ReplayResponse:
        """Once: the stream has its own patience."""
        stub = self._stub(request.room_id)
        return await self._ask(lambda timeout: stub.Replay(request, timeout=timeout))

    async def create_invite(self, request: rooms_pb2.CreateInviteRequest) -> rooms_pb2.CreateInviteResponse:
        """Once: a retry would make a second link."""
        stub = self._stub(request.room_id)
        return await self._ask(lambda timeout: stub.CreateInvite(request, timeout=timeout))

    async def revoke_invite(self, request: rooms_pb2.RevokeInviteRequest) -> None:
        """Make a link stop working."""
        stub = self._stub(request.room_id)
        await self._ask_twice(lambda timeout: stub.RevokeInvite(request, timeout=timeout))

    def _stub(self, room_id: str) -> "rooms_pb2_grpc.RoomsServiceAsyncStub":
        stub = self._stubs.get(region_of(RoomId(room_id)))
        if stub is None:
            raise SalonError(Code.NOT_FOUND, "no such room: check that the link was copied whole")
        return stub

    async def _ask_twice(self, call: Callable[[float], Awaitable[_T]]) -> _T:
        """Within the time of one call: a replica that dies with the question must not take all of it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        try:
            return await call(self._timeout * FIRST_SHARE)
        except SalonError as error:
            if error.code not in _RETRIED:
                raise
        await asyncio.sleep(RETRY_PAUSE)
        return await self._ask(call, deadline - loop.time())

    async def _ask(self, call: Callable[[float], Awaitable[_T]], timeout: float | None = None) -> _T:
        try:
            return await call(self._timeout if timeout is None else timeout)
        except SalonError as error:
            if error.code in _RETRIED:
                raise SalonError(Code.UNAVAILABLE, "Salon cannot answer now: try again") from error
            raise
