"""A signaling replica that plays a script: each Join is answered by the next list of messages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_common.errors import Code

Response = signaling_pb2.JoinResponse

HANG = "hang"
"""In a script: keep the stream open until the client ends it."""


@dataclass(frozen=True)
class Refuse:
    """In a script: end with this status."""

    code: Code
    message: str = "refused"


Step = Response | Refuse | str


def welcome(
    participant: str = "me", token: str = "token-1", last: int = 0, *people: room_pb2.Participant
) -> Response:
    snapshot = room_pb2.Snapshot(event_number=last, participants=people)
    return Response(
        welcome=signaling_pb2.Welcome(
            participant_id=participant,
            session_token=signaling_pb2.SessionToken(token=token),
            snapshot=snapshot,
            node_id="node-1",
        )
    )


def resumed(participant: str = "me", token: str = "token-2") -> Response:
    said = signaling_pb2.Welcome(
        participant_id=participant, session_token=signaling_pb2.SessionToken(token=token), node_id="node-1"
    )
    return Response(welcome=said)


def chat(number: int) -> Response:
    said = room_pb2.ChatMessage(participant_id="ada", name="Ada", text=f"message {number}")
    return Response(event=room_pb2.Event(number=number, chat=said))


def left(number: int, participant: str, reason: "room_pb2.LeaveReason.ValueType") -> Response:
    gone = room_pb2.ParticipantLeft(participant_id=participant, reason=reason)
    return Response(event=room_pb2.Event(number=number, participant_left=gone))


@dataclass
class FakeSignaling(signaling_pb2_grpc.SignalingServiceServicer):
    """Use as `async with FakeSignaling([[…], […]]) as fake`."""

    scripts: list[Sequence[Step]] = field(default_factory=list)
    joins: list[signaling_pb2.JoinRequest] = field(default_factory=list)
    calls: list[tuple[str, Any, str]] = field(default_factory=list)
    """Unary calls: method, request, authorization."""
    refuse_calls: list[Refuse] = field(default_factory=list)
    """Statuses of the next unary calls."""
    credentials: grpc.ServerCredentials | None = None
    """With them it serves by TLS."""
    address: str = ""

    async def __aenter__(self) -> "FakeSignaling":
        self.server = grpc.aio.server()
        signaling_pb2_grpc.add_SignalingServiceServicer_to_server(self, self.server)
        if self.credentials is None:
            self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        else:
            port = self.server.add_secure_port("127.0.0.1:0", self.credentials)
            self.address = f"https://127.0.0.1:{port}"
        await self.server.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.server.stop(0)

    async def Join(self, request: signaling_pb2.JoinRequest, context: Any) -> AsyncIterator[Response]:
        self.joins.append(request)
        script = self.scripts.pop(0) if self.scripts else (HANG,)
        for step in script:
            if isinstance(step, Refuse):
                await context.abort(status(step.code), step.message)
            elif isinstance(step, Response):
                yield step
            else:
                await asyncio.Event().wait()

    async def Leave(self, request: Any, context: Any) -> Any:
        await self._note("Leave", request, context)
        return signaling_pb2.LeaveResponse()

    async def SendChat(self, request: Any, context: Any) -> Any:
        await self._note("SendChat", request, context)
        return signaling_pb2.SendChatResponse(event_number=7)

    async def SetSources(self, request: Any, context: Any) -> Any:
        await self._note("SetSources", request, context)
        return signaling_pb2.SetSourcesResponse(event_number=8)

    async def ReportQuality(self, request: Any, context: Any) -> Any:
        await self._note("ReportQuality", request, context)
        return signaling_pb2.ReportQualityResponse()

    async def CreateRoom(self, request: Any, context: Any) -> Any:
        await self._note("CreateRoom", request, context)
        return signaling_pb2.CreateRoomResponse(room=room_pb2.Room(id="r"), invite_secret="s")

    async def PreviewRoom(self, request: Any, context: Any) -> Any:
        await self._note("PreviewRoom", request, context)
        return signaling_pb2.PreviewRoomResponse(occupancy=3)

    async def CreateInvite(self, request: Any, context: Any) -> Any:
        await self._note("CreateInvite", request, context)
        return signaling_pb2.CreateInviteResponse(invite_id="i")

    async def RevokeInvite(self, request: Any, context: Any) -> Any:
        await self._note("RevokeInvite", request, context)
        return signaling_pb2.RevokeInviteResponse()

    async def _note(self, method: str, request: Any, context: Any) -> None:
        metadata = dict(context.invocation_metadata())
        self.calls.append((method, request, metadata.get("authorization", "")))
        if self.refuse_calls:
            refuse = self.refuse_calls.pop(0)
            await context.abort(status(refuse.code), refuse.message)


def status(code: Code) -> grpc.StatusCode:
    return next(each for each in grpc.StatusCode if each.value[0] == code)
