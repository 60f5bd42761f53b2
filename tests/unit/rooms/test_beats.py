"""What beats and reports do, and what bad ones do not."""

import asyncio
from collections.abc import Iterable
from typing import cast

import pytest
from nats.aio.client import Client
from salon.rooms.v1 import presence_pb2
from salon_common.clock import ManualClock
from salon_rooms import beats as beats_module
from salon_rooms.beats import Beats
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.presence import HeardParticipant, PresenceTracker
from salon_rooms.core.replicas import Replicas
from unit.rooms.fake_nats import FakeNats
from unit.rooms.kit import ROOM_ID, beat


class Fixture:
    def __init__(self) -> None:
        self.nats = FakeNats()
        self.clock = ManualClock(now=100.0)
        self.nodes = Directory(0.0)
        self.replicas = Replicas("r1")
        self.tracker = PresenceTracker(0.0)
        self.heard: list[HeardParticipant] = []
        self.beats = Beats(
            cast("Client", self.nats),
            "local",
            "r1",
            self.nodes,
            self.replicas,
            self.tracker,
            self.clock,
            self.look_into,
        )

    def look_into(self, heard: Iterable[HeardParticipant]) -> None:
        self.heard += heard


@pytest.fixture
async def here() -> Fixture:
    made = Fixture()
    await made.beats.start()
    return made


def report(sender: str = "n1", voucher: presence_pb2.Voucher.ValueType = presence_pb2.VOUCHER_MEDIA) -> bytes:
    entry = presence_pb2.PresenceEntry(
        room_id=ROOM_ID,
        participant_id="a" * 16,
        session_number=1,
        status=presence_pb2.PRESENCE_STATUS_CONNECTED,
    )
    return presence_pb2.PresenceReport(
        voucher=voucher, sender_id=sender, boot_id="b1", entries=[entry]
    ).SerializeToString()


async def test_nodes_replicas_and_reports_are_heard(here: Fixture) -> None:
    assert not here.beats.node_heard.is_set()
    await here.nats.deliver("beat.local.media.*", "beat.local.media.n1", beat("n1").SerializeToString())
    replica = presence_pb2.ReplicaHeartbeat(replica_id="r2").SerializeToString()
    await here.nats.deliver("beat.local.rooms.*", "beat.local.rooms.r2", replica)
    await here.nats.deliver("vouch.local.*.*", "vouch.local.media.n1", report())
    assert here.beats.node_heard.is_set()
    assert here.nodes.alive(100.0) == {"n1": False}
    assert here.replicas.alive(100.0) == ["r1", "r2"]
    assert here.heard == [HeardParticipant(ROOM_ID, "a" * 16, 1, NodeRef("n1", "b1"))]


@pytest.mark.parametrize(
    ("pattern", "subject", "data"),
    [
        ("beat.local.media.*", "beat.local.media.n1", b"\xff"),
        ("beat.local.media.*", "beat.local.media.n2", beat("n1").SerializeToString()),
        ("beat.local.media.*", "beat.local.media.n1", b""),
        ("beat.local.rooms.*", "beat.local.rooms.r2", b"\x08"),
        ("beat.local.rooms.*", "beat.local.rooms.r3", b"\x0a\x02r2"),
        ("vouch.local.*.*", "vouch.local.media.n1", b"\xff"),
        ("vouch.local.*.*", "vouch.local.media.n2", report("n1")),
        ("vouch.local.*.*", "vouch.local.signaling.n1", report("n1")),
        ("vouch.local.*.*", "vouch.local.else.n1", report("n1")),
    ],
)
async def test_what_is_no_message_or_from_somebody_else_is_dropped(
    here: Fixture, pattern: str, subject: str, data: bytes
) -> None:
    await here.nats.deliver(pattern, subject, data)
    assert here.nodes.alive(100.0) == {}
    assert here.replicas.alive(100.0) == ["r1"]
    assert here.heard == []


async def run_beats(here: Fixture, times: int) -> None:
    """Let the beating go round."""
    running = asyncio.create_task(here.beats.run())
    for _ in range(2 * times):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_replica_beats_while_connected_and_says_when_it_leaves(
    here: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beats_module, "BEAT_SECONDS", 0.0)
    await run_beats(here, 3)
    assert {subject for subject, _ in here.nats.published} == {"beat.local.rooms.r1"}
    here.nats.is_connected, before = False, len(here.nats.published)
    await run_beats(here, 3)
    assert len(here.nats.published) == before
    here.nats.is_connected = True
    await here.beats.leave()
    last = presence_pb2.ReplicaHeartbeat.FromString(here.nats.published[-1][1])
    assert (last.replica_id, last.leaving) == ("r1", True)
    assert here.nats.callbacks == {}


async def test_after_a_reconnect_nobody_is_called_dead_at_once(here: Fixture) -> None:
    here.nodes.handle_beat(beat("n1"), 100.0)
    here.clock.advance(60.0)
    assert here.nodes.alive(here.clock.now()) == {}
    here.nats.stats["reconnects"] += 1
    await run_beats(here, 1)
    assert here.nodes.alive(here.clock.now()) == {"n1": False}
