"""A participant without media: joins, reads its events, writes, and comes back by itself whatever breaks.

What it keeps is what the tests ask about: every event's number in the order received, every chat seen, and every
chat that was acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import uuid
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc

RETRIABLE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.ABORTED,
}
CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)


class ControlClient:
    """One participant of one room, over every signaling address that it is given."""

    def __init__(
        self, addresses: Sequence[str], room_id: str, secret: str, name: str, *, seed: int = 0
    ) -> None:
        self.name = name
        self.participant_id = ""
        self.log: list[tuple[str, int]] = []
        """Every snapshot and event with its number, in the order received."""
        self.chats: list[str] = []
        self.acknowledged: list[str] = []
        self.present: dict[str, room_pb2.Participant] = {}
        self.ended: str | None = None
        """Why the stream ended for good."""
        self._room_id = room_id
        self._secret = secret
        self._request_id = uuid.uuid4().hex
        self._channels = [
            grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) for address in addresses
        ]
        stubs = [signaling_pb2_grpc.SignalingServiceStub(channel) for channel in self._channels]
        self._random = random.Random(seed)
        self._stubs = itertools.cycle(stubs[seed % len(stubs) :] + stubs[: seed % len(stubs)])
        self._token = ""
        self._last = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._awake = asyncio.Event()
        self._awake.set()
        self._call_now: (
            grpc.aio.UnaryStreamCall[signaling_pb2.JoinRequest, signaling_pb2.JoinResponse] | None
        ) = None

    async def join(self, timeout: float = 10.0) -> None:
        """Enter; returns once welcomed. Raises grpc.aio.AioRpcError when refused."""
        welcomed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(welcomed))
        await asyncio.wait_for(asyncio.shield(welcomed), timeout)

    async def chat(self, text: str, timeout: float = 60.0) -> None:
        """Write until acknowledged; the same request id makes retries one message."""
        request = signaling_pb2.SendChatRequest(request_id=uuid.uuid4().hex, text=text)
        await self.call("SendChat", request, timeout)
        self.acknowledged.append(text)

    async def leave(self, timeout: float = 60.0) -> None:
        """Leave for good."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self.call("Leave", signaling_pb2.LeaveRequest(), timeout)
        await self.close()

    def pause(self) -> None:
        """Lose the stream and do not come back yet, as a phone that sleeps."""
        self._awake.clear()
        if self._call_now is not None:
            self._call_now.cancel()

    def resume(self) -> None:
        """Come back after `pause`."""
        self._awake.set()

    async def close(self) -> None:
        """Stop without a word, as a killed client does."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for channel in self._channels:
            await channel.close()

    async def wait_until_seen(self, number: int, timeout: float = 30.0) -> None:
        """Until the event with this number has been seen."""
        async with asyncio.timeout(timeout):
            while self._last < number:
                self._changed.clear()
                await self._changed.wait()

    @property
    def snapshots(self) -> int:
        """How many snapshots came, the first included."""
        return sum(kind == "snapshot" for kind, _ in self.log)

    @property
    def last(self) -> int:
        """The number of the last event seen."""
        return self._last

    def assert_contiguous(self) -> None:
        """Every event follows the number before it."""
        for (_, before), (kind, after) in itertools.pairwise(self.log):
            assert kind == "snapshot" or after == before + 1, (
                f"{self.name}: event {after} came after {before}"
            )

    async def call(self, method: str, request: Message, timeout: float = 30.0) -> Any:
        """A unary call as this participant, tried again while nobody answers."""
        async with asyncio.timeout(timeout):
            while True:
                try:
                    return await getattr(next(self._stubs), method)(
                        request, metadata=(("authorization", f"Bearer {self._token}"),), timeout=5
                    )
                except grpc.aio.AioRpcError as error:
                    if error.code() not in RETRIABLE:
                        raise
                    await asyncio.sleep(self._random.uniform(0.05, 0.3))  # the back-off of a client

    async def _run(self, welcomed: asyncio.Future[None]) -> None:
        while True:
            await self._awake.wait()
            request = signaling_pb2.JoinRequest(
                room_id=self._room_id, request_id=self._request_id, name=self.name, last_event=self._last
            )
            if self._token:
                request.session_token = self._token
            else:
                request.invite_secret = self._secret
            self._call_now = next(self._stubs).Join(request)
            try:
                async for message in self._call_now:
                    self._receive(message)
                    if message.WhichOneof("body") == "welcome" and not welcomed.done():
                        welcomed.set_result(None)
            except asyncio.CancelledError:
                if self._awake.is_set():
                    raise
            except grpc.aio.AioRpcError as error:
                if error.code() not in RETRIABLE:
                    self.ended = f"{error.code().name}: {error.details()}"
                    if not welcomed.done():
                        welcomed.set_exception(error)
                    return
            if self.ended:
                return
            await asyncio.sleep(self._random.uniform(0.05, 0.3))  # the back-off of a client

    def _receive(self, message: signaling_pb2.JoinResponse) -> None:
        match message.WhichOneof("body"):
            case "welcome":
                self.participant_id = message.welcome.participant_id
                self._token = message.welcome.session_token.token
                if message.welcome.HasField("snapshot"):
                    self._take_snapshot(message.welcome.snapshot)
            case "event":
                self._take_event(message.event)
            case "snapshot":
                self._take_snapshot(message.snapshot)
            case "session_token":
                self._token = message.session_token.token
            case "taken_over":
                self.ended = "taken over"
        self._changed.set()

    def _take_snapshot(self, snapshot: room_pb2.Snapshot) -> None:
        self._last = snapshot.event_number
        self.log.append(("snapshot", self._last))
        self.present = {participant.id: participant for participant in snapshot.participants}

    def _take_event(self, event: room_pb2.Event) -> None:
        self._last = event.number
        self.log.append(("event", self._last))
        match event.WhichOneof("body"):
            case "participant_joined":
                self.present[event.participant_joined.participant.id] = event.participant_joined.participant
            case "participant_changed":
                self.present[event.participant_changed.participant.id] = event.participant_changed.participant
            case "participant_left":
                self.present.pop(event.participant_left.participant_id, None)
                if event.participant_left.participant_id == self.participant_id:
                    self.ended = "left"
            case "chat":
                self.chats.append(event.chat.text)
            case "room_ended":
                self.ended = "room ended"
