"""The public API's methods: check the caller and the fields, ask rooms, translate. No rules of rooms here."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc.aio
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_common.errors import SalonError, invalid
from salon_common.ids import parse_invite_id, parse_request_id, parse_room_id
from salon_common.tokens import SessionClaims

from salon_signaling import metrics
from salon_signaling.auth import Authority, Metadata, account_of
from salon_signaling.core import fields
from salon_signaling.core.address import Network, limit_key
from salon_signaling.entry import read_entry
from salon_signaling.guards import Guards
from salon_signaling.join import Joins
from salon_signaling.quality import QualityMeter
from salon_signaling.rooms_client import RoomsClient

_log = logging.getLogger(__name__)

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@dataclass(frozen=True)
class PublicSettings:
    """What the methods themselves need to know."""

    link_base: str = ""
    trusted_proxies: tuple[Network, ...] = ()


class SignalingServicer(signaling_pb2_grpc.SignalingServiceServicer):
    """`salon.signaling.v1.SignalingService`."""

    def __init__(
        self,
        rooms: RoomsClient,
        joins: Joins,
        authority: Authority,
        guards: Guards,
        quality: QualityMeter,
        settings: PublicSettings,
    ) -> None:
        self._rooms = rooms
        self._joins = joins
        self._authority = authority
        self._guards = guards
        self._quality = quality
        self._settings = settings

    async def CreateRoom(
        self, request: signaling_pb2.CreateRoomRequest, context: _Context
    ) -> signaling_pb2.CreateRoomResponse:
        """Make a room, for a user whom an app vouches for."""
        with _refusals("CreateRoom"):
            self._guards.admit_address(self._address(context))
            user = self._authority.user(request.app_token)
            made = await self._rooms.create_room(
                rooms_pb2.CreateRoomRequest(
                    request_id=parse_request_id(request.request_id),
                    owner=account_of(user),
                    title=fields.check_title(request.title),
                    settings=request.settings,
                )
            )
            return signaling_pb2.CreateRoomResponse(
                room=made.room,
                invite_id=made.invite_id,
                invite_secret=made.invite_secret,
                host_secret=made.host_secret,
                link=self._link(made.room.id, made.invite_secret),
            )

    async def PreviewRoom(
        self, request: signaling_pb2.PreviewRoomRequest, context: _Context
    ) -> signaling_pb2.PreviewRoomResponse:
        """What a link opens."""
        with _refusals("PreviewRoom", room=request.room_id):
            address = self._address(context)
            self._guards.admit_address(address)
            room = parse_room_id(request.room_id)
            self._guards.admit_lookup(address, room)
            secret = fields.check_secret(request.invite_secret)
            with self._failures(address):
                lookup = rooms_pb2.PreviewRoomRequest(room_id=room, invite_secret=secret)
                seen = await self._rooms.preview(lookup)
            metrics.count_step("join", "previewed")
            return signaling_pb2.PreviewRoomResponse(room=seen.room, occupancy=seen.occupancy)

    async def Join(
        self, request: signaling_pb2.JoinRequest, context: _Context
    ) -> AsyncIterator[signaling_pb2.JoinResponse]:
        """Enter a room, or come back to it."""
        address = self._address(context)
        guessing = self._failures(address) if request.invite_secret else nullcontext()
        with _refusals("Join", room=request.room_id), _counted(request), guessing:
            entry = read_entry(request, address, self._authority, self._guards)
            messages = self._joins.open(entry)
            welcome = await anext(messages)
        async with aclosing(messages):
            yield welcome
            async for message in messages:
                yield message

    async def Leave(
        self, request: signaling_pb2.LeaveRequest, context: _Context
    ) -> signaling_pb2.LeaveResponse:
        """Leave; the stream ends by the event that this causes."""
        with self._participant("Leave", context) as caller:
            await self._rooms.leave(
                rooms_pb2.LeaveRequest(
                    room_id=caller.room_id,
                    participant_id=caller.participant_id,
                    reason=room_pb2.LEAVE_REASON_LEFT,
                )
            )
            return signaling_pb2.LeaveResponse()

    async def SendChat(
        self, request: signaling_pb2.SendChatRequest, context: _Context
    ) -> signaling_pb2.SendChatResponse:
        """Write to everybody; answered once stored."""
        with self._participant("SendChat", context) as caller:
            sent = await self._rooms.send_chat(
                rooms_pb2.SendChatRequest(
                    room_id=caller.room_id,
                    participant_id=caller.participant_id,
                    request_id=parse_request_id(request.request_id),
                    text=fields.check_text(request.text),
                )
            )
            return signaling_pb2.SendChatResponse(event_number=sent.event_number)

    async def SetSources(
        self, request: signaling_pb2.SetSourcesRequest, context: _Context
    ) -> signaling_pb2.SetSourcesResponse:
        """Say which sources are on."""
        with self._participant("SetSources", context) as caller:
            noted = await self._rooms.set_sources(
                rooms_pb2.SetSourcesRequest(
                    room_id=caller.room_id,
                    participant_id=caller.participant_id,
                    active=fields.check_sources(request.active),
                )
            )
            return signaling_pb2.SetSourcesResponse(event_number=noted.event_number)

    async def CreateInvite(
        self, request: signaling_pb2.CreateInviteRequest, context: _Context
    ) -> signaling_pb2.CreateInviteResponse:
        """Make another link."""
        with self._participant("CreateInvite", context) as caller:
            if request.role not in room_pb2.Role.values():
                raise invalid("role", "must be host, co-host, speaker or viewer")
            made = await self._rooms.create_invite(
                rooms_pb2.CreateInviteRequest(
                    room_id=caller.room_id,
                    participant_id=caller.participant_id,
                    role=request.role,
                    expires_at=request.expires_at if request.HasField("expires_at") else None,
                    label=fields.check_label(request.label),
                )
            )
            return signaling_pb2.CreateInviteResponse(
                invite_id=made.invite_id,
                invite_secret=made.invite_secret,
                link=self._link(caller.room_id, made.invite_secret),
            )

    async def RevokeInvite(
        self, request: signaling_pb2.RevokeInviteRequest, context: _Context
    ) -> signaling_pb2.RevokeInviteResponse:
        """Make a link stop working."""
        with self._participant("RevokeInvite", context) as caller:
            await self._rooms.revoke_invite(
                rooms_pb2.RevokeInviteRequest(
                    room_id=caller.room_id,
                    participant_id=caller.participant_id,
                    invite_id=parse_invite_id(request.invite_id),
                )
            )
            return signaling_pb2.RevokeInviteResponse()

    async def ReportQuality(
        self, request: signaling_pb2.ReportQualityRequest, context: _Context
    ) -> signaling_pb2.ReportQualityResponse:
        """Say how well it goes. Whether the participant is still in is not asked: the last report is sent when leaving."""
        with _refusals("ReportQuality"):
            caller = self._authority.caller(_metadata(context))
            self._quality.take(f"{caller.room_id}/{caller.participant_id}", request)
            return signaling_pb2.ReportQualityResponse()

    @contextmanager
    def _participant(self, method: str, context: _Context) -> Iterator[SessionClaims]:
        """The caller, by the session token; rooms says whether the participant still exists."""
        with _refusals(method) as about:
            caller = self._authority.caller(_metadata(context))
            about |= {"room": caller.room_id, "participant": caller.participant_id}
            self._guards.admit_participant(caller.participant_id)
            yield caller

    def _address(self, context: _Context) -> str:
        forwarded = [
            value for key, value in _metadata(context) if key == "x-forwarded-for" and isinstance(value, str)
        ]
        return limit_key(context.peer(), forwarded, self._settings.trusted_proxies)

    @contextmanager
    def _failures(self, address: str) -> Iterator[None]:
        try:
            yield
        except SalonError as error:
            self._guards.note_failure(address, error)
            raise

    def _link(self, room_id: str, secret: str) -> str:
        base = self._settings.link_base
        return f"{base}/r/{room_id}#{secret}" if base and secret else ""


def _metadata(context: _Context) -> Metadata:
    return tuple(context.invocation_metadata() or ())


@contextmanager
def _counted(request: signaling_pb2.JoinRequest) -> Iterator[None]:
    """Count a Join that is refused; `Joins` counts the others, with the time they took."""
    kind = "resume" if request.session_token else "join"
    if request.session_token and request.offer and request.unheard_epoch:
        kind = "ask"
    metrics.count_step(kind, "called")
    try:
        yield
    except SalonError as error:
        metrics.JOINS.labels(kind, error.code.name).inc()
        raise


@contextmanager
def _refusals(method: str, **about: str) -> Iterator[dict[str, str]]:
    """One log line and one count for each request that is refused. What is added to `about` stands in the line."""
    try:
        yield about
    except SalonError as error:
        metrics.REFUSALS.labels(method, error.code.name).inc()
        known = {key: value[:64] for key, value in about.items()}
        if error.__cause__ is not None:
            known["cause"] = str(error.__cause__)
        _log.info("refused: %s", error.message, extra={"method": method, "code": error.code.name, **known})
        raise
