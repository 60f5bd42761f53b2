"""The store on a real JetStream."""

import asyncio
import uuid
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from salon.rooms.v1 import room_pb2
from salon_common import nats
from salon_common.errors import SettingsError
from salon_rooms.core.room import Change
from salon_rooms.core.turn import NOTHING, Commit, Loaded
from salon_rooms.jetstream import JetStreamStore, Lifetimes
from salon_rooms.store import StoreConflict, StoreUnavailable
from salon_rooms.streams import subjects_of
from support.nats_server import NatsServer

pytestmark = pytest.mark.stack

PARTITIONS = 2


def new_room_id() -> str:
    return f"local-{uuid.uuid4().hex[:8].translate(str.maketrans('0189', 'abcd'))}{'a' * 12}"


def head(room_id: str, last_event: int, occupancy: int = 0) -> room_pb2.RoomHead:
    made = room_pb2.RoomHead(last_event=last_event, occupancy=occupancy)
    made.room.id = room_id
    return made


def chat(number: int) -> room_pb2.Event:
    return room_pb2.Event(number=number, chat=room_pb2.ChatMessage(text=f"message {number}"))


def left(number: int) -> room_pb2.Event:
    return room_pb2.Event(number=number, participant_left=room_pb2.ParticipantLeft(participant_id="x"))


def commit(change: Change, expected: int) -> Commit:
    return Commit(change, expected, uuid.uuid4().hex)


@pytest.fixture
async def store(nc: Client) -> JetStreamStore:
    made = JetStreamStore(nc, PARTITIONS, Lifetimes(event=1, chat=600, left=600))
    await made.prepare(1)
    return made


async def live_of(nc: Client, room_id: str) -> list[str]:
    """The subjects of a room's republished events, growing."""
    subjects: list[str] = []

    async def keep(message: Msg) -> None:
        subjects.append(message.subject)

    await nc.subscribe(f"live.{room_id}.*", cb=keep)
    await nc.flush()
    return subjects


async def test_what_is_written_is_read_as_one(nc: Client, store: JetStreamStore) -> None:
    room_id = new_room_id()
    live = await live_of(nc, room_id)
    assert await store.load(room_id) == NOTHING
    people = {key * 16: room_pb2.Participant(id=key * 16, name=key) for key in "abc"}
    invites = {"i" * 16: room_pb2.Invite(id="i" * 16, label="room")}
    first = commit(Change(head(room_id, 2), dict(people), invites, (chat(1), chat(2))), 0)
    sequence = await store.commit(room_id, first)
    loaded = await store.load(room_id)
    assert loaded.room is not None
    assert (loaded.sequence, loaded.batch_id) == (sequence, first.batch_id)
    assert loaded.room.head == head(room_id, 2)
    assert loaded.room.participants == people
    assert loaded.room.invites == invites

    second = commit(Change(head(room_id, 3), {"a" * 16: None}, {}, (chat(3),)), sequence)
    await store.commit(room_id, second)
    loaded = await store.load(room_id)
    assert loaded.room is not None
    assert set(loaded.room.participants) == {"b" * 16, "c" * 16}
    await nc.flush()
    assert live == [f"live.{room_id}.{number}" for number in (1, 2, 3)]


async def test_who_comes_second_stores_nothing_and_nobody_hears_of_it(
    nc: Client, store: JetStreamStore
) -> None:
    room_id = new_room_id()
    live = await live_of(nc, room_id)
    sequence = await store.commit(room_id, commit(Change(head(room_id, 1), events=(chat(1),)), 0))
    for expected in (0, sequence - 1, sequence + 1):
        with pytest.raises(StoreConflict):
            await store.commit(
                room_id,
                commit(Change(head(room_id, 2), {"x": room_pb2.Participant()}, events=(chat(2),)), expected),
            )
    loaded = await store.load(room_id)
    assert loaded.room is not None
    assert (loaded.sequence, loaded.room.head.last_event, loaded.room.participants) == (sequence, 1, {})
    await nc.flush()
    assert live == [f"live.{room_id}.1"]


async def test_a_writer_that_dies_within_a_batch_leaves_nothing(nc: Client, store: JetStreamStore) -> None:
    room_id = new_room_id()
    live = await live_of(nc, room_id)
    subjects = subjects_of(room_id, PARTITIONS)
    for number, subject in enumerate((subjects.head, subjects.participant("a"), subjects.event(1)), 1):
        headers = {"Nats-Batch-Id": f"dies-{room_id}", "Nats-Batch-Sequence": str(number)}
        await nc.publish(subject, b"", headers=headers)
    await nc.flush()
    assert await store.load(room_id) == NOTHING
    await store.commit(room_id, commit(Change(head(room_id, 1), events=(chat(1),)), 0))
    await nc.flush()
    assert live == [f"live.{room_id}.1"]


async def test_events_expire_and_chat_stays(store: JetStreamStore) -> None:
    room_id = new_room_id()
    await store.commit(room_id, commit(Change(head(room_id, 3), events=(chat(1), left(2), chat(3))), 0))
    kept = await store.events(room_id, 0, 100)
    assert kept.head == head(room_id, 3)
    assert [event.number for event in kept.events] == [1, 2, 3]
    assert [event.number for event in (await store.events(room_id, 1, 1)).events] == [2]
    async with asyncio.timeout(10):
        while len(kept.events) == 3:
            await asyncio.sleep(0.1)
            kept = await store.events(room_id, 0, 100)
    assert [event.number for event in kept.events] == [1, 3]


async def test_a_room_that_is_not_there_has_no_events(store: JetStreamStore) -> None:
    kept = await store.events(new_room_id(), 0, 100)
    assert (kept.head, kept.events) == (None, [])


async def test_a_room_is_read_whole_while_it_changes(store: JetStreamStore) -> None:
    """Every write keeps the head's occupancy true; a read across two writes would not."""
    room_id = new_room_id()
    ids = [f"{number:016d}" for number in range(40)]
    sequence = await store.commit(room_id, commit(Change(head(room_id, 0)), 0))
    done = False

    async def churn() -> None:
        nonlocal sequence, done
        for turn in range(60):
            some = ids[: 1 + (turn * 7) % 40]
            people = {key: room_pb2.Participant(id=key) if key in some else None for key in ids}
            change = Change(head(room_id, 0, len(some)), people)
            sequence = await store.commit(room_id, commit(change, sequence))
        done = True

    async def read() -> int:
        count = 0
        while not done:
            loaded = await store.load(room_id)
            assert loaded.room is not None
            assert len(loaded.room.participants) == loaded.room.head.occupancy
            count += 1
        return count

    _, first, second = await asyncio.gather(churn(), read(), read())
    assert first + second > 20


async def test_the_feed_gives_each_participant_once_as_stored_last(store: JetStreamStore) -> None:
    rooms = [new_room_id() for _ in range(6)]
    before = {p: await feed(store, p, 1) for p in range(PARTITIONS)}
    start = {p: (seen[-1][0] + 1 if seen else 1) for p, seen in before.items()}
    for room_id in rooms:
        people = {"a" * 16: room_pb2.Participant(id="a" * 16), "b" * 16: room_pb2.Participant(id="b" * 16)}
        sequence = await store.commit(room_id, commit(Change(head(room_id, 0), dict(people)), 0))
        await store.commit(room_id, commit(Change(head(room_id, 0), {"a" * 16: None}), sequence))
    seen = [item for p in range(PARTITIONS) for item in await feed(store, p, start[p])]
    expected = {
        (room_id, key): present for room_id in rooms for key, present in (("a" * 16, False), ("b" * 16, True))
    }
    assert len(seen) == len(expected)
    assert {(room_id, key): present for _, room_id, key, present in seen} == expected
    assert await feed(store, 0, 10**9) == await feed(store, 1, 10**9) == []


async def feed(store: JetStreamStore, partition: int, start: int) -> list[tuple[int, str, str, bool]]:
    return [
        (item.sequence, item.room_id, item.participant_id, item.participant is not None)
        for item in await store.participants_from(partition, start, 1000)
    ]


async def test_many_rooms_are_written_at_once(store: JetStreamStore) -> None:
    rooms = [new_room_id() for _ in range(150)]
    await asyncio.gather(
        *(store.commit(room_id, commit(Change(head(room_id, 1), events=(chat(1),)), 0)) for room_id in rooms)
    )
    loaded = await asyncio.gather(*(store.load(room_id) for room_id in rooms))
    assert all(item.room is not None for item in loaded)


async def test_what_was_stored_outlives_the_server(store: JetStreamStore, nats_server: NatsServer) -> None:
    room_id = new_room_id()
    written = commit(Change(head(room_id, 1), events=(chat(1),)), 0)
    sequence = await store.commit(room_id, written)
    nats_server.kill()
    with pytest.raises(StoreUnavailable):
        await store.load(room_id)
    nats_server.start()
    loaded = await load_when_back(store, room_id)
    assert (loaded.sequence, loaded.batch_id) == (sequence, written.batch_id)
    await store.prepare(1)


async def load_when_back(store: JetStreamStore, room_id: str) -> Loaded:
    async with asyncio.timeout(20):
        while True:
            try:
                return await store.load(room_id)
            except StoreUnavailable:
                await asyncio.sleep(0.1)


async def test_another_number_of_partitions_is_refused(nc: Client, store: JetStreamStore) -> None:
    await store.prepare(1)
    with pytest.raises(SettingsError, match="SALON_ROOMS_PARTITIONS: is 4, and the streams were made for 2"):
        await JetStreamStore(nc, 4, Lifetimes()).prepare(1)


async def test_a_store_with_too_many_open_batches_says_so(tmp_path: Path) -> None:
    limits = "limits: { batch: { max_inflight_per_stream: 2, max_inflight_total: 10 } }"
    with NatsServer(f'jetstream: {{ store_dir: "{tmp_path}", {limits} }}') as server:
        nc = await nats.connect(server.url, name="test")
        try:
            store = JetStreamStore(nc, 1, Lifetimes())
            await store.prepare(1)
            for number in range(2):
                headers = {"Nats-Batch-Id": f"open-{number}", "Nats-Batch-Sequence": "1"}
                await nc.publish(f"room.0.open-{number}.head", b"", headers=headers)
            room_id = new_room_id()
            with pytest.raises(StoreUnavailable):
                await store.commit(room_id, commit(Change(head(room_id, 1), events=(chat(1),)), 0))
            assert await store.load(room_id) == NOTHING
        finally:
            await nc.close()
