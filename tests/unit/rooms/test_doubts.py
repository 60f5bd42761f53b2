"""The shell around the verdicts: which probes it makes, what it passes on, and whom it tells."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from nats.aio.client import Client
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_common.clock import ManualClock
from salon_rooms import doubts as doubts_module
from salon_rooms import metrics
from salon_rooms.core.placement import PROBES_AT_ONCE, Directory, NodeRef
from salon_rooms.core.suspicion import ProbeOutcome
from salon_rooms.doubts import Doubts
from unit.rooms.fake_nats import FakeNats
from unit.rooms.kit import beat

NODE = NodeRef("n1", "b1")
PATTERN = "doubt.local.*"


class Fixture:
    """One node that has answered once, and probes that wait until the test lets them end."""

    def __init__(self) -> None:
        self.nats = FakeNats()
        self.clock = ManualClock(now=100.0)
        self.nodes = Directory(0.0)
        self.dead: list[NodeRef] = []
        self.probed: list[tuple[str, str]] = []
        self.under_way = 0
        self.outcome: ProbeOutcome | None = ProbeOutcome.ANSWERED
        self.ended = asyncio.Event()
        self.doubts = Doubts(
            cast("Client", self.nats),
            "local",
            self.nodes,
            self.clock,
            on_dead=self.dead.append,
            prober=self.probe,
        )

    async def probe(self, address: str, boot_id: str) -> ProbeOutcome:
        self.probed.append((address, boot_id))
        self.under_way += 1
        await self.ended.wait()
        self.under_way -= 1
        if self.outcome is None:
            raise RuntimeError("a fault")
        return self.outcome

    def end_probes(self, outcome: ProbeOutcome | None) -> None:
        self.outcome = outcome
        self.ended.set()

    async def turn(self, turns: int = 10) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    def hear(self, node: str = "n1", boot: str = "b1", sequence: int = 1) -> None:
        heartbeat = beat(node, boot, sequence=sequence, health_address="192.0.2.1:9000")
        self.nodes.handle_beat(heartbeat, self.clock.now())

    async def run(self) -> None:
        """Judge once by the clock."""
        running = asyncio.create_task(self.doubts.run())
        await self.turn()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def health(self) -> nodes_pb2.NodeHealth.ValueType:
        return self.nodes.health(NODE, self.clock.now())


@pytest.fixture
async def here() -> AsyncIterator[Fixture]:
    made = Fixture()
    made.hear()
    await made.doubts.start()
    made.end_probes(ProbeOutcome.ANSWERED)
    await made.run()
    assert made.probed == [("192.0.2.1:9000", "b1")]
    made.probed.clear()
    made.ended.clear()
    made.clock.advance(0.5)
    yield made
    await made.doubts.stop()
    assert made.nats.callbacks == {}


async def test_a_killed_node_is_told_of_at_once(here: Fixture) -> None:
    here.doubts.handle_disconnect(NODE)
    await here.turn()
    assert here.probed == [("192.0.2.1:9000", "b1")]
    here.end_probes(ProbeOutcome.REFUSED)
    await here.turn()
    assert here.dead == [NODE]


async def test_who_asks_waits_for_the_probe_and_the_others_are_told(here: Fixture) -> None:
    asking = asyncio.create_task(here.doubts.ask(NODE, "ada"))
    await here.turn()
    assert not asking.done()
    ((subject, data),) = here.nats.published
    assert subject == "doubt.local.n1"
    doubt = presence_pb2.NodeDoubt.FromString(data)
    assert (doubt.node_id, doubt.boot_id, doubt.asker) == ("n1", "b1", "ada")
    assert doubt.reason == presence_pb2.DOUBT_REASON_UNHEARD
    here.end_probes(ProbeOutcome.ANSWERED)
    await here.turn()
    assert asking.done()
    assert here.health() == nodes_pb2.NODE_HEALTH_ALIVE
    assert here.dead == []


async def test_who_asks_about_the_dead_does_not_wait(here: Fixture) -> None:
    here.end_probes(ProbeOutcome.REFUSED)
    await here.doubts.handle_unanswered(NODE)
    assert here.dead == [NODE]
    before = len(here.nats.published)
    for ref in (NODE, NodeRef("n1", "b0")):
        await here.doubts.ask(ref, "ada")
    assert len(here.nats.published) == before


async def test_who_asks_about_the_silent_does_not_wait(here: Fixture) -> None:
    first = asyncio.create_task(here.doubts.ask(NODE, "ada"))
    await here.turn()
    here.end_probes(ProbeOutcome.SILENT)
    await here.turn()
    assert first.done()
    asking = asyncio.create_task(here.doubts.ask(NODE, "bob"))
    await here.turn()
    assert asking.done()
    assert not here.nodes.answers(NODE, here.clock.now())


async def test_nobody_waits_for_a_probe_for_ever(here: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts_module, "ASK_SECONDS", 0.02)
    await here.doubts.ask(NODE, "ada")
    assert here.health() == nodes_pb2.NODE_HEALTH_SUSPECTED


async def test_an_answer_a_moment_ago_is_answer_enough(here: Fixture) -> None:
    here.end_probes(ProbeOutcome.ANSWERED)
    await here.doubts.ask(NODE, "ada")
    await here.doubts.ask(NODE, "bob")
    assert len(here.probed) == 1


async def test_the_others_doubts_are_heard(here: Fixture) -> None:
    doubt = presence_pb2.NodeDoubt(
        node_id="n1", boot_id="b1", reason=presence_pb2.DOUBT_REASON_UNHEARD, asker="bob"
    )
    await here.nats.deliver(PATTERN, "doubt.local.n1", doubt.SerializeToString())
    await here.turn()
    assert len(here.probed) == 1
    assert here.nats.published == []


@pytest.mark.parametrize(
    ("subject", "data"),
    [
        ("doubt.local.n1", b"\xff"),
        (
            "doubt.local.n2",
            presence_pb2.NodeDoubt(
                node_id="n1", boot_id="b1", reason=presence_pb2.DOUBT_REASON_UNHEARD
            ).SerializeToString(),
        ),
        (
            "doubt.local.n1",
            presence_pb2.NodeDoubt(
                node_id="n1", boot_id="b1", reason=presence_pb2.DOUBT_REASON_UNHEARD, asker="x" * 129
            ).SerializeToString(),
        ),
    ],
)
async def test_what_is_no_doubt_is_counted(here: Fixture, subject: str, data: bytes) -> None:
    before = metrics.BAD_MESSAGES.labels("doubt")._value.get()
    await here.nats.deliver(PATTERN, subject, data)
    await here.turn()
    assert here.probed == []
    assert metrics.BAD_MESSAGES.labels("doubt")._value.get() == before + 1


async def test_while_nats_is_away_nobody_is_doubted_or_judged(here: Fixture) -> None:
    here.hear("n2")
    here.nats.is_connected = False
    for _ in range(50):
        here.clock.advance(0.2)
        await here.run()
    assert here.health() == nodes_pb2.NODE_HEALTH_ALIVE
    here.end_probes(ProbeOutcome.ANSWERED)
    await here.doubts.ask(NODE, "ada")
    assert here.nats.published == []


async def test_a_probe_that_fails_is_made_again(here: Fixture) -> None:
    here.doubts.handle_disconnect(NODE)
    here.end_probes(None)
    await here.turn()
    assert len(here.probed) == 1
    here.outcome = ProbeOutcome.REFUSED
    here.clock.advance(0.4)
    await here.run()
    assert here.dead == [NODE]


async def test_a_fault_in_what_follows_does_not_end_the_judging(here: Fixture) -> None:
    def fail(ref: NodeRef) -> None:
        raise RuntimeError(ref.node_id)

    here.doubts._on_dead = fail
    here.hear(boot="b2")
    await here.run()
    here.doubts._on_dead = here.dead.append
    here.hear(boot="b3")
    await here.run()
    assert here.dead == [NodeRef("n1", "b2")]


async def test_a_storm_of_disconnects_makes_a_bounded_number_of_probes_at_once(here: Fixture) -> None:
    refs = [NodeRef(f"m{number}", "b1") for number in range(3 * PROBES_AT_ONCE)]
    for ref in refs:
        here.hear(ref.node_id)
        here.doubts.handle_disconnect(ref)
    await here.turn()
    assert here.under_way == PROBES_AT_ONCE
    here.end_probes(ProbeOutcome.ANSWERED)
    await here.turn(100)
    assert len(here.probed) >= len(refs)
    assert here.dead == []
    assert len(here.nodes.alive(here.clock.now())) == len(refs) + 1


async def test_after_the_stop_nothing_is_probed(here: Fixture) -> None:
    here.doubts.handle_disconnect(NODE)
    await here.doubts.stop()
    await here.turn()
    assert here.probed == []
