"""A replica's parts over fakes, in simulated time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from salon.signaling.v1 import signaling_pb2
from salon_common.clock import ManualClock
from salon_common.tokens import AppRegistry, SessionTokens
from salon_signaling.admission import Admission
from salon_signaling.auth import Authority
from salon_signaling.chores import Chores
from salon_signaling.core.join_plan import AdmitTimes
from salon_signaling.core.presence import PresenceLedger, Sender
from salon_signaling.core.stream import StreamTimes
from salon_signaling.entry import Entry
from salon_signaling.join import JoinParts, Joins
from salon_signaling.live import LiveRooms
from salon_signaling.media_client import MediaClient
from salon_signaling.replays import SharedReplays
from salon_signaling.rooms_client import RoomsClient
from unit.signaling.fakes import FakeNats, FakeNode, FakeRooms, LocalChannel


@dataclass
class Replica:
    """One replica and what it talks to."""

    nats: FakeNats
    rooms: FakeRooms
    nodes: dict[str, FakeNode]
    clock: ManualClock
    parts: JoinParts
    joins: Joins

    @asynccontextmanager
    async def stream(self, entry: Entry) -> AsyncIterator["ReadableStream"]:
        """An open stream, closed as when the client goes away."""
        messages = self.joins.open(entry)
        try:
            yield ReadableStream(messages)
        finally:
            await messages.aclose()
            await self.parts.chores.finish()


class ReadableStream:
    """Reads what a client would."""

    def __init__(self, messages: AsyncIterator[signaling_pb2.JoinResponse]) -> None:
        self._messages = messages

    async def next(self) -> signaling_pb2.JoinResponse:
        """The next message; the test fails when there is none soon."""
        async with asyncio.timeout(5):
            return await anext(self._messages)

    async def welcome(self) -> signaling_pb2.Welcome:
        message = await self.next()
        assert message.WhichOneof("body") == "welcome"
        return message.welcome

    async def event_number(self) -> int:
        message = await self.next()
        assert message.WhichOneof("body") == "event"
        return message.event.number

    async def ended(self) -> bool:
        """Whether the stream ends without a further message."""
        try:
            await self.next()
        except StopAsyncIteration:
            return True
        return False


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def authority(clock: ManualClock) -> Authority:
    return Authority(AppRegistry(()), SessionTokens([b"k" * 32]), clock)


@pytest.fixture
def replica(clock: ManualClock, authority: Authority) -> Iterator[Replica]:
    nats = FakeNats()
    rooms = FakeRooms(nats.publish)
    nodes = {"node-1": FakeNode(), "node-2": FakeNode()}
    rooms_client = RoomsClient(lambda _region: LocalChannel(rooms).channel(), region="local", timeout=0.2)
    media_client = MediaClient(lambda node: LocalChannel(nodes[node]).channel())
    chores = Chores()
    parts = JoinParts(
        rooms=rooms_client,
        admission=Admission(rooms_client, media_client, AdmitTimes(first=0.05, second=0.2), chores),
        live=LiveRooms(nats.client()),
        replays=SharedReplays(rooms_client),
        ledger=PresenceLedger(Sender("signaling-1", "boot")),
        authority=authority,
        chores=chores,
        clock=clock,
        times=StreamTimes(),
    )
    yield Replica(nats, rooms, nodes, clock, parts, Joins(parts))
    assert not nats.subscriptions, "a stream has left a subscription behind"
