"""RoomsService: checks a request's fields, makes it a command with the random bytes it needs, and has it written.

Replay alone reads the store directly. SalonError goes through to the mounts, which make it a status.
"""

from collections.abc import Callable
from typing import Protocol

from salon.rooms.v1 import rooms_pb2, rooms_pb2_grpc
from salon_common.clock import Clock
from salon_common.errors import Code, SalonError
from salon_common.ids import ID_BYTES, SECRET_BYTES, RoomId, region_of

from salon_rooms.core import limits
from salon_rooms.core.command import existing
from salon_rooms.core.entering import CHOICE_BYTES, Join, Locate, Replace
from salon_rooms.core.limits import MAX_EVENTS_IN_REPLY
from salon_rooms.core.links import room_id_for
from salon_rooms.core.making import CreateInvite, CreateRoom, PreviewRoom, RevokeInvite
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import node_of
from salon_rooms.core.replay import continue_from
from salon_rooms.core.staying import Leave, SendChat, SetSources
from salon_rooms.store import Store, StoreUnavailable
from salon_rooms.writer import Writers

Context = object
"""Not used: what a servicer needs is in the request."""


class NodeDoubts(Protocol):
    """Whom to tell that a node may be gone. Both return when a probe has said what it is worth, soon in any case."""

    async def ask(self, ref: NodeRef, asker: str) -> None:
        """A client hears the node no more."""
        ...

    async def handle_unanswered(self, ref: NodeRef) -> None:
        """The node did not answer a call."""
        ...


class RoomsServicer(rooms_pb2_grpc.RoomsServiceServicer):
    """The rooms of one region."""

    def __init__(
        self,
        region: str,
        link_key: bytes,
        writers: Writers,
        store: Store,
        clock: Clock,
        token_bytes: Callable[[int], bytes],
        doubts: NodeDoubts,
    ) -> None:
        self._region = region
        self._link_key = link_key
        self._writers = writers
        self._store = store
        self._clock = clock
        self._token_bytes = token_bytes
        self._doubts = doubts

    async def CreateRoom(
        self, request: rooms_pb2.CreateRoomRequest, context: Context
    ) -> rooms_pb2.CreateRoomResponse:
        limits.check_create_room(request)
        room_id = room_id_for(self._region, request)
        return await self._writers.submit(room_id, CreateRoom(room_id, request, self._link_key))

    async def CreateInvite(
        self, request: rooms_pb2.CreateInviteRequest, context: Context
    ) -> rooms_pb2.CreateInviteResponse:
        limits.check_create_invite(request, self._clock.wall())
        command = CreateInvite(request, self._token_bytes(ID_BYTES + SECRET_BYTES))
        return await self._writers.submit(self._home(request.room_id), command)

    async def RevokeInvite(
        self, request: rooms_pb2.RevokeInviteRequest, context: Context
    ) -> rooms_pb2.RevokeInviteResponse:
        limits.check_revoke_invite(request)
        return await self._writers.submit(self._home(request.room_id), RevokeInvite(request))

    async def PreviewRoom(
        self, request: rooms_pb2.PreviewRoomRequest, context: Context
    ) -> rooms_pb2.PreviewRoomResponse:
        limits.check_preview_room(request)
        return await self._writers.submit(self._home(request.room_id), PreviewRoom(request))

    async def Join(self, request: rooms_pb2.JoinRequest, context: Context) -> rooms_pb2.JoinResponse:
        limits.check_join(request)
        room_id = self._home(request.room_id)
        if request.unheard_epoch:
            silent = await self._writers.submit(
                room_id, Locate(request.participant_id, request.unheard_epoch)
            )
            if silent is not None:
                await self._doubts.ask(silent, request.asker)
        command = Join(request, self._token_bytes(ID_BYTES + CHOICE_BYTES))
        return await self._writers.submit(room_id, command)

    async def Replace(self, request: rooms_pb2.ReplaceRequest, context: Context) -> rooms_pb2.ReplaceResponse:
        limits.check_replace(request)
        if request.unanswered:
            await self._doubts.handle_unanswered(node_of(request.failed))
        command = Replace(request, self._token_bytes(CHOICE_BYTES))
        return await self._writers.submit(self._home(request.room_id), command)

    async def Leave(self, request: rooms_pb2.LeaveRequest, context: Context) -> rooms_pb2.LeaveResponse:
        limits.check_leave(request)
        return await self._writers.submit(self._home(request.room_id), Leave(request))

    async def SendChat(
        self, request: rooms_pb2.SendChatRequest, context: Context
    ) -> rooms_pb2.SendChatResponse:
        limits.check_send_chat(request)
        return await self._writers.submit(self._home(request.room_id), SendChat(request))

    async def SetSources(
        self, request: rooms_pb2.SetSourcesRequest, context: Context
    ) -> rooms_pb2.SetSourcesResponse:
        limits.check_set_sources(request)
        return await self._writers.submit(self._home(request.room_id), SetSources(request))

    async def Replay(self, request: rooms_pb2.ReplayRequest, context: Context) -> rooms_pb2.ReplayResponse:
        limits.check_replay(request)
        room_id = self._home(request.room_id)
        try:
            kept = await self._store.events(room_id, request.after, MAX_EVENTS_IN_REPLY)
            if kept.head is not None:
                response = continue_from(request.after, kept.head, kept.events)
                if response is not None:
                    return response
            room = existing((await self._store.load(room_id)).room)
        except StoreUnavailable as error:
            raise SalonError(Code.UNAVAILABLE, "the store did not answer: try again") from error
        return rooms_pb2.ReplayResponse(snapshot=room.snapshot())

    def _home(self, room_id: str) -> str:
        """The room's id, if it is of this region. Raises SalonError NOT_FOUND."""
        if region_of(RoomId(room_id)) != self._region:
            existing(None)
        return room_id
