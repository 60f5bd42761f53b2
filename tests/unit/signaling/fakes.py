"""A NATS client, a rooms service and a media node that live in the test's process, for the adapters' tests.

`FakeRooms` and `FakeNode` are servicers: unit tests call them through a `LocalChannel`, stack tests mount them on NATS.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import grpc.aio
import nats.errors
from nats.aio.client import Client
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon.rooms.v1 import room_pb2, rooms_pb2, rooms_pb2_grpc
from salon_common.errors import Code, SalonError, invalid
from salon_common.ids import ID_BYTES, RoomId, make_id

ROOM = RoomId("local-" + "a" * 20)
SECRET = "s" * 22
ANSWER = "v=0 answer"

Publish = Callable[[str, bytes], Awaitable[None]]
Handler = Callable[[Any], Awaitable[None]]


@dataclass
class _Message:
    data: bytes


@dataclass(eq=False)
class _Subscription:
    nats: "FakeNats"
    subject: str
    callback: Handler

    async def unsubscribe(self) -> None:
        self.nats.require_open()
        self.nats.subscriptions.remove(self)


class FakeNats:
    """Core publish and subscribe, `*` included. What is published while `lossy` reaches nobody."""

    def __init__(self) -> None:
        self.subscriptions: list[_Subscription] = []
        self.published: list[tuple[str, bytes]] = []
        self.is_connected = True
        self.is_closed = False
        self.lossy = False

    def client(self) -> Client:
        """As the adapters' type."""
        return cast("Client", self)

    def require_open(self) -> None:
        if self.is_closed:
            raise nats.errors.ConnectionClosedError

    async def subscribe(self, subject: str, cb: Handler, **_limits: int) -> _Subscription:
        self.require_open()
        subscription = _Subscription(self, subject, cb)
        self.subscriptions.append(subscription)
        return subscription

    async def publish(self, subject: str, data: bytes) -> None:
        self.require_open()
        self.published.append((subject, data))
        for subscription in [] if self.lossy else list(self.subscriptions):
            if _matches(subscription.subject, subject):
                await subscription.callback(_Message(data))


def _matches(pattern: str, subject: str) -> bool:
    want, have = pattern.split("."), subject.split(".")
    return len(want) == len(have) and all(w in ("*", h) for w, h in zip(want, have, strict=True))


@dataclass
class Script:
    """What goes wrong, by method: the next calls fail, or all calls wait for an event."""

    failures: dict[str, list[SalonError]] = field(default_factory=lambda: defaultdict(list))
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    _called: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, method: str) -> list[Any]:
        """The requests of one method."""
        return [request for name, request in self.calls if name == method]

    async def until(self, method: str, count: int = 1) -> None:
        """Until the method has been called so often."""
        async with asyncio.timeout(5):
            while len(self.of(method)) < count:
                self._called.clear()
                await self._called.wait()

    async def play(self, method: str, request: Any) -> None:
        self.calls.append((method, request))
        self._called.set()
        if gate := self.gates.get(method):
            await gate.wait()
        if self.failures[method]:
            raise self.failures[method].pop(0)


class FakeRooms(rooms_pb2_grpc.RoomsServiceServicer):
    """One room with one link, numbered events, and no rules but that who is out is NOT_FOUND."""

    def __init__(self, publish: Publish, room_id: RoomId = ROOM) -> None:
        self.script = Script()
        self.room = room_pb2.Room(id=room_id, state=room_pb2.ROOM_STATE_OPEN)
        self.log: list[room_pb2.Event] = []
        self.kept_from = 1
        self.participants: dict[str, room_pb2.Participant] = {}
        self.nodes = ["node-1", "node-2"]
        self._publish = publish
        self._ordinals = itertools.count(1)

    async def emit(self, event: room_pb2.Event) -> int:
        """Commit an event and republish it."""
        event.number = len(self.log) + 1
        self.log.append(event)
        await self._publish(f"live.{self.room.id}.{event.number}", event.SerializeToString())
        return event.number

    async def remove(self, participant_id: str, reason: "room_pb2.LeaveReason.ValueType") -> None:
        """Take somebody out."""
        del self.participants[participant_id]
        gone = room_pb2.ParticipantLeft(participant_id=participant_id, reason=reason)
        await self.emit(room_pb2.Event(participant_left=gone))

    def snapshot(self) -> room_pb2.Snapshot:
        return room_pb2.Snapshot(
            room=self.room, participants=self.participants.values(), event_number=len(self.log), epoch=1
        )

    async def CreateRoom(self, request: rooms_pb2.CreateRoomRequest, context: Any) -> Any:
        await self.script.play("CreateRoom", request)
        return rooms_pb2.CreateRoomResponse(
            room=self.room, invite_id="i" * 16, invite_secret=SECRET, host_secret="h" * 22
        )

    async def PreviewRoom(self, request: rooms_pb2.PreviewRoomRequest, context: Any) -> Any:
        await self.script.play("PreviewRoom", request)
        self._check_secret(request.invite_secret)
        return rooms_pb2.PreviewRoomResponse(room=self.room, occupancy=len(self.participants))

    async def Join(self, request: rooms_pb2.JoinRequest, context: Any) -> Any:
        await self.script.play("Join", request)
        if request.participant_id:
            participant = self._find(request.participant_id)
        else:
            self._check_secret(request.invite_secret)
            participant = room_pb2.Participant(
                id=make_id(next(self._ordinals).to_bytes(ID_BYTES, "big")),
                name=request.name,
                role=room_pb2.ROLE_SPEAKER,
                state=room_pb2.PARTICIPANT_STATE_JOINING,
            )
            self.participants[participant.id] = participant
            joined = room_pb2.ParticipantJoined(participant=participant)
            await self.emit(room_pb2.Event(participant_joined=joined))
        if request.wants_media:
            participant.session_number += 1
            participant.place.CopyFrom(room_pb2.ParticipantPlace(node_id=self.nodes[0], boot_id="b", epoch=1))
        return rooms_pb2.JoinResponse(participant=participant, snapshot=self.snapshot())

    async def Replace(self, request: rooms_pb2.ReplaceRequest, context: Any) -> Any:
        await self.script.play("Replace", request)
        return rooms_pb2.ReplaceResponse(
            place=room_pb2.ParticipantPlace(node_id=self.nodes[1], boot_id="b", epoch=2)
        )

    async def Leave(self, request: rooms_pb2.LeaveRequest, context: Any) -> Any:
        await self.script.play("Leave", request)
        if request.reason == room_pb2.LEAVE_REASON_LOST:
            raise invalid("reason", "must be left or removed; unset means left")
        self._find(request.participant_id)
        await self.remove(request.participant_id, request.reason)
        return rooms_pb2.LeaveResponse()

    async def SendChat(self, request: rooms_pb2.SendChatRequest, context: Any) -> Any:
        await self.script.play("SendChat", request)
        writer = self._find(request.participant_id)
        chat = room_pb2.ChatMessage(participant_id=writer.id, name=writer.name, text=request.text)
        return rooms_pb2.SendChatResponse(event_number=await self.emit(room_pb2.Event(chat=chat)))

    async def SetSources(self, request: rooms_pb2.SetSourcesRequest, context: Any) -> Any:
        await self.script.play("SetSources", request)
        self._find(request.participant_id)
        return rooms_pb2.SetSourcesResponse(event_number=len(self.log))

    async def Replay(self, request: rooms_pb2.ReplayRequest, context: Any) -> Any:
        await self.script.play("Replay", request)
        if request.after + 1 < self.kept_from:
            return rooms_pb2.ReplayResponse(snapshot=self.snapshot())
        return rooms_pb2.ReplayResponse(events=self.log[request.after :])

    async def CreateInvite(self, request: rooms_pb2.CreateInviteRequest, context: Any) -> Any:
        await self.script.play("CreateInvite", request)
        return rooms_pb2.CreateInviteResponse(invite_id="j" * 16, invite_secret="t" * 22)

    async def RevokeInvite(self, request: rooms_pb2.RevokeInviteRequest, context: Any) -> Any:
        await self.script.play("RevokeInvite", request)
        return rooms_pb2.RevokeInviteResponse()

    def _find(self, participant_id: str) -> room_pb2.Participant:
        if participant_id not in self.participants:
            raise SalonError(Code.NOT_FOUND, "no such participant")
        return self.participants[participant_id]

    def _check_secret(self, secret: str) -> None:
        if secret != SECRET:
            raise SalonError(Code.NOT_FOUND, "this link leads nowhere")


class FakeNode(media_pb2_grpc.MediaServiceServicer):
    """Admits everybody."""

    def __init__(self) -> None:
        self.script = Script()

    async def Admit(self, request: media_pb2.AdmitRequest, context: Any) -> Any:
        await self.script.play("Admit", request)
        return media_pb2.AdmitResponse(answer=ANSWER)

    async def Remove(self, request: media_pb2.RemoveRequest, context: Any) -> Any:
        await self.script.play("Remove", request)
        return media_pb2.RemoveResponse()

    async def Inspect(self, request: media_pb2.InspectRequest, context: Any) -> Any:
        return media_pb2.InspectResponse()

    async def SetMode(self, request: media_pb2.SetModeRequest, context: Any) -> Any:
        return media_pb2.SetModeResponse()


class LocalChannel:
    """Calls a servicer's unary methods in this process, with their deadlines."""

    def __init__(self, servicer: object) -> None:
        self._servicer = servicer

    def channel(self) -> grpc.aio.Channel:
        """As the stubs' type."""
        return cast("grpc.aio.Channel", self)

    def unary_unary(self, method: str, **_serializers: Any) -> Callable[..., Awaitable[Any]]:
        name = method.rpartition("/")[2]

        async def call(request: Any, *, timeout: float) -> Any:
            try:
                return await asyncio.wait_for(getattr(self._servicer, name)(request, None), timeout)
            except TimeoutError as error:
                raise SalonError(Code.DEADLINE_EXCEEDED, f"{name}: no answer in time") from error

        return call
