"""The store on JetStream: atomic batches by compare-and-set on a room's head (ADR-50), rooms and events read by
batched direct gets (ADR-31), events and the marks of those who left with a time to live (ADR-43).

What a room's subjects are called, and how the streams are set up, is in `streams`.
"""

import asyncio
import json
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from salon.rooms.v1 import room_pb2

from salon_rooms.core.room import Change, Room
from salon_rooms.core.turn import NOTHING, Commit, Loaded
from salon_rooms.store import (
    KeptEvents,
    StoreConflict,
    StoredParticipant,
    StoreUnavailable,
    StoreUnheard,
    partition_of,
)
from salon_rooms.streams import Subjects, all_participants, ensure_streams, stream_name, subjects_of

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 0.8
"""How long one request may take: two of them fit into a caller's deadline of 2 s."""
BATCHES_IN_FLIGHT = 16
"""Of this replica, in one stream; JetStream takes 50 by default."""
BUSY_TRIES = 6

_END_OF_BATCH = "204"
_NOTHING_FOUND = "404"
_WRONG_LAST_SEQUENCE = 10071
_TOO_MANY_IN_FLIGHT = 10210
_BATCH_INCOMPLETE = 10176
"""Also the last message's answer when the first was refused for too many batches in flight."""


@dataclass(frozen=True)
class Lifetimes:
    """Seconds that things are kept."""

    event: int = 600
    chat: int = 86_400
    left: int = 600
    """The mark of a participant who left: long enough for every replica to have seen it."""


class JetStreamStore:
    """Rooms in the streams of one region."""

    def __init__(self, nc: Client, partitions: int, lifetimes: Lifetimes) -> None:
        self.partitions = partitions
        self._nc = nc
        self._lifetimes = lifetimes
        self._in_flight = [asyncio.Semaphore(BATCHES_IN_FLIGHT) for _ in range(partitions)]

    async def prepare(self, replicas: int) -> None:
        """Make the streams that are missing. Raises StoreUnavailable, or SettingsError for another number of partitions."""
        try:
            await ensure_streams(self._nc.jetstream(), self.partitions, replicas)
        except nats.errors.Error as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error

    async def load(self, room_id: str) -> Loaded:
        """As `Store` says."""
        subjects = subjects_of(room_id, self.partitions)
        wanted = [subjects.head, subjects.participant("*"), subjects.invite("*")]
        return _decode_room(await self._direct_get(subjects.stream, {"multi_last": wanted}), subjects)

    async def events(self, room_id: str, after: int, limit: int) -> KeptEvents:
        """As `Store` says."""
        subjects = subjects_of(room_id, self.partitions)
        wanted = [subjects.head, *(subjects.event(after + step) for step in range(1, limit + 1))]
        head: room_pb2.RoomHead | None = None
        events: list[room_pb2.Event] = []
        for message in await self._direct_get(subjects.stream, {"multi_last": wanted}):
            if _header(message, "Nats-Subject") == subjects.head:
                head = room_pb2.RoomHead.FromString(message.data)
            else:
                events.append(room_pb2.Event.FromString(message.data))
        return KeptEvents(head, sorted(events, key=lambda event: event.number))

    async def participants_from(
        self, partition: int, sequence: int, limit: int
    ) -> Sequence[StoredParticipant]:
        """As `Store` says."""
        query = {"seq": max(sequence, 1), "batch": limit, "next_by_subj": all_participants(partition)}
        return [_decode_participant(m) for m in await self._direct_get(stream_name(partition), query)]

    async def commit(self, room_id: str, commit: Commit) -> int:
        """As `Store` says."""
        subjects = subjects_of(room_id, self.partitions)
        messages = list(_encode(commit, subjects, self._lifetimes))
        error: dict[str, Any] | None = None
        for attempt in range(1, BUSY_TRIES + 1):
            async with self._in_flight[partition_of(room_id, self.partitions)]:
                answer = await self._publish(messages)
            error = answer.get("error")
            if error is None:
                return int(answer["seq"]) - len(messages) + 1
            if error.get("err_code") == _WRONG_LAST_SEQUENCE:
                raise StoreConflict
            if error.get("err_code") not in (_TOO_MANY_IN_FLIGHT, _BATCH_INCOMPLETE):
                break
            await asyncio.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311 - spreads retries
        _log.error("the store refused a write: %s", error, extra={"room": room_id})
        raise StoreUnavailable(str(error))

    async def _publish(self, messages: list[tuple[str, bytes, dict[str, str]]]) -> dict[str, Any]:
        """Send a batch and return the answer to its last message. Raises StoreUnheard."""
        try:
            for subject, data, headers in messages[:-1]:
                await self._nc.publish(subject, data, headers=headers)
            subject, data, headers = messages[-1]
            answer = await self._nc.request(subject, data, timeout=ANSWER_SECONDS, headers=headers)
            decoded: dict[str, Any] = json.loads(answer.data)
        except (nats.errors.Error, TimeoutError, ValueError) as error:
            raise StoreUnheard(f"{type(error).__name__}: {error}") from error
        return decoded

    async def _direct_get(self, stream: str, query: dict[str, object]) -> list[Msg]:
        """Every message of a batched direct get. Raises StoreUnavailable."""
        found: list[Msg] = []
        end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def take(message: Msg) -> None:
            status = _header(message, "Status")
            if not status:
                found.append(message)
            elif not end.done():
                end.set_result(status)

        inbox = self._nc.new_inbox()
        try:
            subscription = await self._nc.subscribe(inbox, cb=take)
            try:
                await self._nc.publish(
                    f"$JS.API.DIRECT.GET.{stream}", json.dumps(query).encode(), reply=inbox
                )
                async with asyncio.timeout(ANSWER_SECONDS):
                    status = await end
            finally:
                await subscription.unsubscribe()
        except (nats.errors.Error, TimeoutError) as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
        if status not in (_END_OF_BATCH, _NOTHING_FOUND):
            raise StoreUnavailable(f"direct get: status {status}")
        return found


def _header(message: Msg, name: str) -> str:
    return (message.headers or {}).get(name, "")


def _encode(
    commit: Commit, subjects: Subjects, lifetimes: Lifetimes
) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """The messages of a batch; the head comes first, so that its sequence is known from the last one's."""
    bodies = list(_bodies(commit.change, subjects, lifetimes))
    for number, (subject, data, lifetime) in enumerate(bodies, 1):
        headers = {"Nats-Batch-Id": commit.batch_id, "Nats-Batch-Sequence": str(number)}
        if number == 1:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(commit.expected)
        if number == len(bodies):
            headers["Nats-Batch-Commit"] = "1"
        if lifetime:
            headers["Nats-TTL"] = str(lifetime)
        yield subject, data, headers


def _bodies(change: Change, subjects: Subjects, lifetimes: Lifetimes) -> Iterator[tuple[str, bytes, int]]:
    assert change.head is not None, "only changes are committed"
    yield subjects.head, change.head.SerializeToString(), 0
    for key, participant in change.participants.items():
        if participant is None:
            yield subjects.participant(key), b"", lifetimes.left
        else:
            yield subjects.participant(key), participant.SerializeToString(), 0
    for key, invite in change.invites.items():
        yield subjects.invite(key), invite.SerializeToString(), 0
    for event in change.events:
        lifetime = lifetimes.chat if event.WhichOneof("body") == "chat" else lifetimes.event
        yield subjects.event(event.number), event.SerializeToString(), lifetime


def _decode_room(messages: Sequence[Msg], subjects: Subjects) -> Loaded:
    head: Msg | None = None
    participants: dict[str, room_pb2.Participant] = {}
    invites: dict[str, room_pb2.Invite] = {}
    for message in messages:
        kind, _, key = _header(message, "Nats-Subject").removeprefix(f"{subjects.root}.").partition(".")
        if kind == "head":
            head = message
        elif kind == "inv":
            invites[key] = room_pb2.Invite.FromString(message.data)
        elif message.data:
            participants[key] = room_pb2.Participant.FromString(message.data)
    if head is None:
        return NOTHING
    room = Room(room_pb2.RoomHead.FromString(head.data), participants, invites)
    return Loaded(room, int(_header(head, "Nats-Sequence")), _header(head, "Nats-Batch-Id"))


def _decode_participant(message: Msg) -> StoredParticipant:
    _, _, room_id, _, participant_id = _header(message, "Nats-Subject").split(".")
    stored = room_pb2.Participant.FromString(message.data) if message.data else None
    return StoredParticipant(int(_header(message, "Nats-Sequence")), room_id, participant_id, stored)
