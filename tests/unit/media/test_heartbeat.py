import asyncio
from typing import cast

import nats.errors
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from nats.aio.client import Client
from salon.rooms.v1 import presence_pb2
from salon_common.clock import ManualClock
from salon_media.core.mode import Mode, Purpose, draining
from salon_media.core.node_state import NodeState
from salon_media.core.presence import PresenceReports
from salon_media.core.stress import StressMeter
from salon_media.heartbeat import Heartbeat, NodeIdentity, Publisher, Vouching
from unit.media.test_node_state import admit

IDENTITY = NodeIdentity("media-1", "boot", "eu", "192.0.2.1:8080")


class FakeNats:
    """Takes what is published, while it is connected."""

    def __init__(self) -> None:
        self.is_connected = True
        self.breaks = False
        self.published: list[tuple[str, bytes]] = []
        self.arrived = asyncio.Event()

    async def publish(self, subject: str, payload: bytes) -> None:
        self.published.append((subject, payload))
        self.arrived.set()

    async def flush(self, timeout: float) -> None:
        if self.breaks:
            raise nats.errors.ConnectionClosedError


@pytest.fixture
def server() -> FakeNats:
    return FakeNats()


@pytest.fixture
def state() -> NodeState:
    return NodeState("boot", 10)


def publisher(server: FakeNats) -> Publisher:
    return Publisher(cast("Client", server))


async def test_a_beat_says_how_the_node_is(server: FakeNats, state: NodeState) -> None:
    admit(state)
    state.set_mode(draining(0.0, 60.5))
    clock = ManualClock()
    heartbeat = Heartbeat(
        IDENTITY, state, StressMeter(10), asyncio.Event(), publisher(server), clock, cpu_seconds=lambda: 0.0
    )
    await heartbeat.beat()
    await heartbeat.beat()
    subjects = [subject for subject, _ in server.published]
    assert subjects == ["beat.eu.media.media-1"] * 2
    assert presence_pb2.NodeHeartbeat.FromString(server.published[1][1]) == presence_pb2.NodeHeartbeat(
        node_id="media-1",
        boot_id="boot",
        region="eu",
        stress=0.1,
        participants=1,
        mode=presence_pb2.NODE_MODE_DRAINING,
        drain_deadline=Timestamp(seconds=int(clock.wall()) + 60, nanos=500_000_000),
        health_address="192.0.2.1:8080",
        metrics_address="192.0.2.1:8080",
        sequence=2,
    )


async def test_a_new_mode_is_told_without_waiting_for_the_next_beat(
    server: FakeNats, state: NodeState
) -> None:
    changed = asyncio.Event()
    heartbeat = Heartbeat(IDENTITY, state, StressMeter(10), changed, publisher(server), ManualClock())
    async with asyncio.timeout(0.9):  # less than the time between two beats
        running = asyncio.create_task(heartbeat.run())
        await server.arrived.wait()
        server.arrived.clear()
        state.set_mode(Mode(Purpose.CORDONED))
        changed.set()
        await server.arrived.wait()
    running.cancel()
    beats = [presence_pb2.NodeHeartbeat.FromString(payload) for _, payload in server.published]
    assert [beat.mode for beat in beats] == [
        presence_pb2.NODE_MODE_ACTIVE,
        presence_pb2.NODE_MODE_CORDONED,
    ]


async def test_without_nats_nothing_is_kept_but_what_presence_has_to_say(
    server: FakeNats, state: NodeState
) -> None:
    clock = ManualClock()
    presence = PresenceReports("media-1", "boot")
    vouching = Vouching(IDENTITY, state, presence, asyncio.Event(), publisher(server), clock)
    presence.note(admit(state).entry)
    server.is_connected = False
    await vouching.publish_due()
    assert server.published == []
    server.is_connected = True
    await vouching.publish_due()
    assert server.published == []
    clock.advance(1.0)
    await vouching.publish_due()
    reports = [presence_pb2.PresenceReport.FromString(payload) for _, payload in server.published]
    assert [(report.complete, len(report.entries)) for report in reports] == [(False, 1), (True, 1)]
    assert server.published[0][0] == "vouch.eu.media.media-1"


async def test_a_connection_that_breaks_while_publishing_counts_as_lost(server: FakeNats) -> None:
    server.breaks = True
    assert await publisher(server).publish("x", b"") is False


async def test_a_change_is_published_without_waiting_for_the_next_report(
    server: FakeNats, state: NodeState
) -> None:
    changed = asyncio.Event()
    presence = PresenceReports("media-1", "boot")
    vouching = Vouching(IDENTITY, state, presence, changed, publisher(server), ManualClock())
    running = asyncio.create_task(vouching.run())
    await asyncio.wait_for(server.arrived.wait(), 5)
    server.arrived.clear()
    presence.note_gone(admit(state).entry)
    changed.set()
    await asyncio.wait_for(server.arrived.wait(), 5)
    running.cancel()
    report = presence_pb2.PresenceReport.FromString(server.published[-1][1])
    assert [entry.status for entry in report.entries] == [presence_pb2.PRESENCE_STATUS_GONE]
