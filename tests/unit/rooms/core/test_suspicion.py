"""The verdict on a node, by what is known of it: the table of docs/recovery.md, line by line."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_rooms.core.placement import FORGOTTEN_AFTER, Directory, NodeRef
from salon_rooms.core.suspicion import (
    ASKS_WITHIN,
    DEAD_AFTER,
    INTRODUCE_AGAIN,
    LATE_AFTER,
    OVERDUE_AFTER,
    PROBE_SECONDS,
    UNDER_WAY,
    Evidence,
    Health,
    ProbeOutcome,
)
from unit.rooms.kit import beat, random_bytes

ALIVE = nodes_pb2.NODE_HEALTH_ALIVE
SUSPECTED = nodes_pb2.NODE_HEALTH_SUSPECTED
ISOLATED = nodes_pb2.NODE_HEALTH_ISOLATED
DEAD = nodes_pb2.NODE_HEALTH_DEAD
REFUSED, OTHER_BOOT = ProbeOutcome.REFUSED, ProbeOutcome.OTHER_BOOT
ANSWERED, SILENT = ProbeOutcome.ANSWERED, ProbeOutcome.SILENT

STEP = 0.1
NODES = st.sampled_from(["n1", "n2"])
NODE = NodeRef("n1", "b1")


class Watched:
    """Node n1 as one replica sees it, among others that beat all the time. Probes come out as `outcome` says."""

    def __init__(self, *, others: int = 1, address: str = "192.0.2.1:9000", introduced: bool = True) -> None:
        self.nodes = Directory(0.0)
        self.now = 100.0
        self.beats = True
        self.outcome = ANSWERED
        self.others = [f"other{number}" for number in range(others)]
        self.address = address
        self.boot = NODE.boot_id
        self.sequence = itertools.count(1)
        self.probes: list[float] = []
        self.verdicts: list[tuple[Health, Evidence]] = []
        self.nodes.tick(self.now)
        self.beat_all()
        if introduced:
            self.settle()

    @property
    def health(self) -> Health:
        return self.nodes.health(NODE, self.now)

    @property
    def evidence(self) -> Evidence:
        return self.verdicts[-1][1]

    def beat_all(self) -> None:
        self.next_beat = self.now + 1.0
        for other in self.others:
            self.nodes.handle_beat(beat(other, sequence=next(self.sequence)), self.now)
        if self.beats:
            self.beat()

    def beat(self, boot: str = "") -> None:
        heartbeat = beat("n1", boot or self.boot, sequence=next(self.sequence), health_address=self.address)
        self.nodes.handle_beat(heartbeat, self.now)

    def settle(self) -> None:
        """Probes that are wanted are made; a silent one takes its time."""
        for wanted in self.nodes.poll_probes(self.now):
            assert wanted.address == self.address
            self.probes.append(self.now)
            if self.outcome is SILENT:
                self.now += PROBE_SECONDS
            self.nodes.handle_probe(wanted.ref, self.outcome, self.now)
        self.verdicts += [
            (verdict.health, verdict.evidence)
            for verdict in self.nodes.take_verdicts()
            if verdict.ref == NODE
        ]

    def step(self) -> None:
        self.now += STEP
        if self.now >= self.next_beat:
            self.beat_all()
        self.nodes.tick(self.now)
        self.settle()

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end - STEP / 2:
            self.step()

    def wait_for(self, health: Health, seconds: float = 10.0) -> float:
        """Until the verdict; how long it took."""
        began = self.now
        while self.health != health:
            assert self.now - began < seconds
            self.step()
        return self.now - began

    def disconnect(self) -> None:
        self.nodes.handle_disconnect(NODE, self.now)
        self.settle()

    def ask(self, asker: str = "ada") -> None:
        self.doubt(presence_pb2.DOUBT_REASON_UNHEARD, asker)

    def doubt(self, reason: presence_pb2.DoubtReason.ValueType, asker: str = "") -> None:
        self.nodes.handle_doubt(
            presence_pb2.NodeDoubt(node_id="n1", boot_id="b1", reason=reason, asker=asker), self.now
        )
        self.settle()

    def freeze(self, outcome: ProbeOutcome = SILENT) -> None:
        self.beats, self.outcome = False, outcome


class TestBeats:
    def test_who_beats_is_alive_and_is_probed_once_to_know_its_address(self) -> None:
        here = Watched()
        here.wait(30.0)
        assert here.health == ALIVE
        assert here.probes == [100.0]
        assert here.verdicts == []

    def test_one_that_is_overdue_is_probed_and_when_it_answers_waited_for(self) -> None:
        here = Watched()
        here.freeze(ANSWERED)
        here.wait(LATE_AFTER - STEP)
        assert here.health == ALIVE
        here.wait(STEP)
        assert (here.health, here.evidence) == (SUSPECTED, Evidence.OVERDUE)
        assert here.nodes.answers(NODE, here.now)
        assert len(here.probes) == 2
        here.beat()
        assert here.health == ALIVE

    def test_one_that_answers_and_beats_no_more_is_isolated_and_never_dead(self) -> None:
        here = Watched()
        here.freeze(ANSWERED)
        here.wait(DEAD_AFTER + STEP)
        assert (here.health, here.evidence) == (ISOLATED, Evidence.ONLY_ANSWERS)
        before = len(here.probes)
        here.wait(400.0)
        assert here.health == ISOLATED
        assert 380 <= len(here.probes) - before <= 400
        assert here.nodes.is_alive(NODE, here.now)
        assert here.nodes.alive(here.now) == {"other0": False}
        assert {here.nodes.choose(here.now, random_bytes(8)) for _ in range(20)} == {NodeRef("other0", "b1")}
        here.beat()
        assert here.health == ALIVE

    def test_an_isolated_one_that_falls_silent_has_three_seconds_from_its_last_answer(self) -> None:
        here = Watched()
        here.freeze(ANSWERED)
        here.wait_for(ISOLATED)
        here.outcome = SILENT
        here.wait(1.5)
        assert here.health == SUSPECTED
        assert not here.nodes.answers(NODE, here.now)
        here.outcome = ANSWERED
        here.wait(1.0)
        assert here.health == ISOLATED
        here.outcome = SILENT
        assert DEAD_AFTER - 1.0 <= here.wait_for(DEAD) <= DEAD_AFTER + 1.5

    def test_silence_condemns_after_three_seconds_without_a_beat(self) -> None:
        here = Watched()
        here.freeze()
        assert DEAD_AFTER <= here.wait_for(DEAD) <= DEAD_AFTER + PROBE_SECONDS + STEP
        assert [health for health, _ in here.verdicts] == [SUSPECTED, DEAD]
        assert here.evidence == Evidence.SILENT
        assert here.nodes.gone() == set()
        gaps = [later - sooner for sooner, later in itertools.pairwise(here.probes[1:])]
        assert gaps
        assert all(PROBE_SECONDS <= gap <= PROBE_SECONDS + 2 * STEP for gap in gaps)

    def test_silence_condemns_nobody_while_nobody_else_is_heard(self) -> None:
        here = Watched(others=0)
        here.freeze()
        here.wait(60.0)
        assert here.health == ALIVE
        assert here.nodes.choose(here.now, random_bytes(8)) is None
        here.ask("ada")
        here.ask("bob")
        here.wait(60.0)
        assert here.health == SUSPECTED
        assert len(here.probes) < 80
        here.nodes.handle_beat(beat("late"), here.now)
        assert here.wait_for(DEAD) <= 1.5

    def test_a_beat_clears_even_the_dead(self) -> None:
        here = Watched()
        here.freeze()
        here.wait_for(DEAD)
        assert here.nodes.dead(here.now) == [NODE]
        here.beat()
        here.settle()
        assert (here.health, here.evidence) == (ALIVE, Evidence.BEATS)
        assert here.nodes.dead(here.now) == []

    def test_a_beat_that_was_under_way_when_its_process_died_clears_nothing(self) -> None:
        here = Watched()
        here.freeze(REFUSED)
        here.disconnect()
        here.now += UNDER_WAY - STEP
        here.beat()
        assert here.health == DEAD
        here.now += 2 * STEP
        here.beat()
        assert here.health == ALIVE

    def test_the_dead_are_probed_no_more_and_forgotten_in_the_end(self) -> None:
        here = Watched()
        here.freeze(REFUSED)
        here.disconnect()
        probes = len(here.probes)
        here.wait(FORGOTTEN_AFTER - 1.0)
        assert here.nodes.dead(here.now) == [NODE]
        assert [b.node_id for b, _ in here.nodes.beats(here.now)] == ["n1", "other0"]
        here.wait(2.0)
        assert len(here.probes) == probes
        assert here.nodes.dead(here.now) == []
        assert [b.node_id for b, _ in here.nodes.beats(here.now)] == ["other0"]
        assert not here.nodes.is_alive(NODE, here.now)


class TestDisconnect:
    def test_a_closed_health_port_condemns_at_once(self) -> None:
        here = Watched()
        here.freeze(REFUSED)
        here.disconnect()
        assert here.verdicts == [(SUSPECTED, Evidence.DISCONNECTED), (DEAD, Evidence.REFUSED)]
        assert not here.nodes.is_alive(NODE, here.now)
        assert here.nodes.dead(here.now) == [NODE]
        assert here.nodes.gone() == {"n1"}

    def test_another_process_at_the_health_port_condemns_at_once(self) -> None:
        here = Watched()
        here.freeze(OTHER_BOOT)
        here.disconnect()
        assert (here.health, here.evidence) == (DEAD, Evidence.OTHER_BOOT)

    def test_one_that_answers_and_beats_is_cleared(self) -> None:
        here = Watched()
        here.disconnect()
        assert here.verdicts == [(SUSPECTED, Evidence.DISCONNECTED), (ALIVE, Evidence.ANSWERED)]

    def test_of_an_unknown_or_former_incarnation_it_says_nothing(self) -> None:
        here = Watched()
        for ref in (NodeRef("n1", "b0"), NodeRef("n9", "b1")):
            here.nodes.handle_disconnect(ref, here.now)
            here.nodes.handle_probe(ref, REFUSED, here.now)
        here.settle()
        assert here.health == ALIVE
        assert here.verdicts == []

    def test_an_answer_to_a_probe_from_before_does_not_settle_it(self) -> None:
        here = Watched(introduced=False)
        (wanted,) = here.nodes.poll_probes(here.now)
        here.now += 0.001
        here.nodes.handle_disconnect(NODE, here.now)
        assert here.nodes.poll_probes(here.now) == []
        here.nodes.handle_probe(wanted.ref, ANSWERED, here.now)
        assert here.health == SUSPECTED
        assert here.nodes.is_probed(NODE, here.now)
        here.freeze(REFUSED)
        here.settle()
        assert here.health == DEAD


class TestRestart:
    def test_another_incarnation_condemns_the_former(self) -> None:
        here = Watched()
        here.beat("b2")
        here.settle()
        assert here.verdicts == [(DEAD, Evidence.RESTARTED)]
        assert here.nodes.dead(here.now) == [NODE]
        assert here.nodes.is_alive(NodeRef("n1", "b2"), here.now)
        here.beat("b1")
        assert not here.nodes.is_alive(NODE, here.now)
        assert here.nodes.is_alive(NodeRef("n1", "b2"), here.now)

    def test_who_was_dead_before_is_not_condemned_again(self) -> None:
        here = Watched()
        here.freeze(REFUSED)
        here.disconnect()
        here.outcome = ANSWERED
        here.beat("b2")
        here.settle()
        assert [health for health, _ in here.verdicts] == [SUSPECTED, DEAD]
        assert here.nodes.dead(here.now) == [NODE]

    def test_many_restarts_are_remembered_within_bounds(self) -> None:
        here = Watched()
        for number in range(2, 40):
            here.beat(f"b{number}")
        dead = {ref.boot_id for ref in here.nodes.dead(here.now)}
        assert dead == {f"b{number}" for number in range(23, 39)}
        here.wait(1.0)


class TestAsks:
    def test_one_asker_condemns_nobody(self) -> None:
        here = Watched()
        here.freeze()
        here.wait(1.0)
        here.ask("ada")
        here.ask("ada")
        here.wait(0.3)
        assert here.health == SUSPECTED
        assert not here.nodes.answers(NODE, here.now)

    def test_two_askers_condemn_a_silent_node_long_before_its_heartbeats_do(self) -> None:
        here = Watched()
        here.freeze()
        here.wait(1.1)
        here.ask("ada")
        here.ask("bob")
        assert here.wait_for(DEAD) <= 0.2
        assert here.evidence == Evidence.SILENT_AND_UNHEARD

    def test_two_askers_do_not_condemn_a_node_that_answers(self) -> None:
        here = Watched()
        for number in range(20):
            here.ask(f"asker{number}")
            here.wait(0.2)
        assert here.health == ALIVE

    def test_nor_a_silent_one_that_beats(self) -> None:
        here = Watched()
        here.outcome = SILENT
        for number in range(20):
            here.ask(f"asker{number}")
            here.wait(0.2)
        assert DEAD not in [health for health, _ in here.verdicts]
        here.wait(2.0)
        assert here.health == ALIVE

    def test_two_that_come_far_apart_do_not_condemn(self) -> None:
        here = Watched(others=0)
        here.freeze()
        here.ask("ada")
        here.wait(ASKS_WITHIN + 1.0)
        here.ask("bob")
        here.nodes.handle_beat(beat("other"), here.now)
        here.nodes.handle_own_outage(here.now)
        here.nodes.tick(here.now)
        assert here.health == SUSPECTED

    def test_an_answer_a_moment_ago_answers_the_next_who_ask(self) -> None:
        here = Watched()
        here.now += 1.0
        for _ in range(50):
            here.ask()
            here.now += 0.001
        assert len(here.probes) == 2

    def test_a_call_without_an_answer_makes_a_probe_and_is_no_ask(self) -> None:
        here = Watched()
        here.freeze()
        here.wait(1.1)
        here.ask("ada")
        here.doubt(presence_pb2.DOUBT_REASON_UNANSWERED, "bob")
        here.wait(0.3)
        assert here.health == SUSPECTED
        here.doubt(presence_pb2.DOUBT_REASON_UNSPECIFIED, "eve")
        here.outcome = REFUSED
        here.doubt(presence_pb2.DOUBT_REASON_UNANSWERED)
        here.wait(PROBE_SECONDS)
        assert here.evidence == Evidence.REFUSED

    def test_doubts_and_late_outcomes_leave_the_dead_as_they_are(self) -> None:
        here = Watched()
        here.now += 1.0
        here.nodes.handle_disconnect(NODE, here.now)
        (wanted,) = here.nodes.poll_probes(here.now)
        here.beats = False
        here.now += 5.0
        for other in here.others:
            here.nodes.handle_beat(beat(other, sequence=99), here.now)
        here.nodes.handle_probe(wanted.ref, REFUSED, here.now)
        here.nodes.handle_probe(wanted.ref, ANSWERED, here.now)
        here.ask()
        here.disconnect()
        assert here.health == DEAD
        assert not here.nodes.is_probed(NODE, here.now)

    def test_an_isolated_node_is_probed_at_once_when_somebody_asks(self) -> None:
        here = Watched()
        here.freeze(ANSWERED)
        here.wait_for(ISOLATED)
        here.wait(0.6)
        before = len(here.probes)
        here.ask()
        assert len(here.probes) == before + 1


class TestAddress:
    """An address that has never answered may be wrong: its refusal proves nothing."""

    @pytest.mark.parametrize("outcome", [REFUSED, OTHER_BOOT, SILENT])
    def test_a_restart_of_nats_condemns_nobody_by_a_wrong_address(self, outcome: ProbeOutcome) -> None:
        here = Watched(introduced=False)
        here.outcome = outcome
        here.settle()
        here.disconnect()
        here.wait(5.0)
        assert here.health == ALIVE
        assert DEAD not in [health for health, _ in here.verdicts]

    @pytest.mark.parametrize("address", ["", "192.0.2.1:9000"])
    def test_heartbeats_alone_judge_such_a_node(self, address: str) -> None:
        here = Watched(address=address, introduced=False)
        here.outcome = REFUSED
        here.wait(5.0)
        here.ask("ada")
        here.ask("bob")
        here.wait(1.0)
        assert here.health == ALIVE
        here.beats = False
        assert DEAD_AFTER - 1.0 <= here.wait_for(DEAD) <= DEAD_AFTER + STEP
        assert len(here.probes) == bool(address)

    def test_it_is_tried_again_after_a_while(self) -> None:
        here = Watched(introduced=False)
        here.outcome = REFUSED
        here.wait(INTRODUCE_AGAIN)
        assert len(here.probes) == 1
        here.outcome = ANSWERED
        here.wait(1.0)
        assert len(here.probes) == 2
        here.wait(30.0)
        assert len(here.probes) == 2
        here.freeze(REFUSED)
        here.disconnect()
        assert here.health == DEAD

    def test_the_suspected_are_probed_before_strangers(self) -> None:
        nodes = Directory(0.0)
        for number in range(100):
            nodes.handle_beat(beat(f"n{number}", health_address="192.0.2.1:1"), 100.0)
        first = nodes.poll_probes(100.0, limit=10)
        assert len(first) == 10
        nodes.handle_probe(first[0].ref, ANSWERED, 100.0)
        nodes.handle_disconnect(first[0].ref, 100.0)
        assert [wanted.ref for wanted in nodes.poll_probes(100.0, limit=1)] == [first[0].ref]
        assert len(nodes.poll_probes(100.0, limit=1000)) == 90
        assert nodes.poll_probes(100.0, limit=0) == []


class TestOutage:
    def test_a_restart_of_nats_moves_nobody(self) -> None:
        """All disconnect, and all beat again within a few seconds."""
        nodes = Directory(0.0)
        nodes.tick(100.0)
        refs = [NodeRef(f"n{number}", "b1") for number in range(30)]
        beats = [beat(ref.node_id, health_address="192.0.2.1:1") for ref in refs]
        for each in beats:
            nodes.handle_beat(each, 100.0)
        for wanted in nodes.poll_probes(100.0):
            nodes.handle_probe(wanted.ref, ANSWERED, 100.0)
        for ref in refs:
            nodes.handle_disconnect(ref, 100.5)
        now = 100.5
        for step in range(60):
            now += 0.1
            if step < 20:
                nodes.handle_own_outage(now)
            nodes.tick(now)
            for wanted in nodes.poll_probes(now):
                nodes.handle_probe(wanted.ref, ANSWERED, now)
            if step >= 30 and step % 10 == 0:
                for ref in refs:
                    nodes.handle_beat(beat(ref.node_id, sequence=step), now)
            assert all(nodes.is_alive(ref, now) for ref in refs)
        assert DEAD not in [verdict.health for verdict in nodes.take_verdicts()]
        assert len(nodes.alive(now)) == 30

    def test_after_an_own_outage_the_silent_have_three_more_seconds(self) -> None:
        here = Watched()
        here.freeze()
        for _ in range(100):
            here.now += STEP
            here.nodes.handle_own_outage(here.now)
            here.nodes.tick(here.now)
            here.settle()
        assert here.health == ALIVE
        here.beat_all()
        assert DEAD_AFTER <= here.wait_for(DEAD) <= DEAD_AFTER + 1.0

    def test_a_replica_that_stood_still_itself_judges_nobody_by_it(self) -> None:
        here = Watched()
        here.now += 20.0
        here.nodes.handle_beat(beat("other0", sequence=1000), here.now)
        here.nodes.tick(here.now)
        assert here.health == ALIVE
        here.wait(1.0)
        assert here.verdicts == []

    def test_an_isolated_node_is_not_cleared_by_our_outage(self) -> None:
        here = Watched()
        here.freeze(ANSWERED)
        here.wait_for(ISOLATED)
        here.nodes.handle_own_outage(here.now)
        here.wait(1.2)
        assert here.health == ISOLATED


def test_in_need_one_that_is_only_suspected_is_chosen() -> None:
    here = Watched(others=0)
    here.now += 0.5
    here.nodes.handle_disconnect(NODE, here.now)
    assert here.health == SUSPECTED
    assert here.nodes.choose(here.now, random_bytes(8)) == NODE
    here.freeze()
    here.settle()
    assert here.nodes.choose(here.now, random_bytes(8)) is None


def test_modes_and_deadlines_are_told() -> None:
    nodes = Directory(0.0)
    draining = beat("d", draining=True)
    draining.drain_deadline.FromMilliseconds(1_700_000_000_500)
    for each in (beat("a"), draining, beat("e", draining=True), beat("c", mode=0)):
        nodes.handle_beat(each, 100.0)
    assert nodes.draining(100.0) == [(NodeRef("d", "b1"), 1_700_000_000.5), (NodeRef("e", "b1"), 0.0)]
    assert nodes.mode(NodeRef("a", "b1")) == presence_pb2.NODE_MODE_ACTIVE
    assert nodes.mode(NodeRef("c", "b1")) == presence_pb2.NODE_MODE_ACTIVE
    assert nodes.mode(NodeRef("d", "b1")) == presence_pb2.NODE_MODE_DRAINING
    assert nodes.mode(NodeRef("d", "b2")) == presence_pb2.NODE_MODE_UNSPECIFIED
    assert nodes.alive(100.0) == {"a": False, "c": False, "d": True, "e": True}


class NodesMachine(RuleBasedStateMachine):
    """Whatever happens: who beats in time or answers is condemned by proof alone, and verdicts tell of each change."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = Directory(0.0)
        self.now = 100.0
        self.sequence = itertools.count(1)
        self.boots = {"n1": 1, "n2": 1}
        self.under_way: list[NodeRef] = []
        self.signs: dict[NodeRef, float] = {}
        self.proved: set[NodeRef] = set()
        self.told: dict[NodeRef, Health] = {}

    def ref(self, node: str) -> NodeRef:
        return NodeRef(node, f"b{self.boots[node]}")

    @rule(node=NODES)
    def beat(self, node: str) -> None:
        ref = self.ref(node)
        heartbeat = beat(node, ref.boot_id, sequence=next(self.sequence), health_address="192.0.2.1:1")
        self.nodes.handle_beat(heartbeat, self.now)
        self.signs[ref] = self.now

    @rule(node=NODES)
    def restart(self, node: str) -> None:
        self.proved.add(self.ref(node))
        self.boots[node] += 1
        self.beat(node)

    @rule(node=NODES)
    def disconnect(self, node: str) -> None:
        self.nodes.handle_disconnect(self.ref(node), self.now)

    @rule(node=NODES, asker=st.sampled_from(["ada", "bob"]))
    def ask(self, node: str, asker: str) -> None:
        ref, reason = self.ref(node), presence_pb2.DOUBT_REASON_UNHEARD
        doubt = presence_pb2.NodeDoubt(node_id=node, boot_id=ref.boot_id, reason=reason, asker=asker)
        self.nodes.handle_doubt(doubt, self.now)

    @rule()
    def begin_probes(self) -> None:
        self.under_way += [wanted.ref for wanted in self.nodes.poll_probes(self.now)]
        assert len(self.under_way) == len(set(self.under_way))

    @rule(outcome=st.sampled_from(ProbeOutcome))
    def end_probe(self, outcome: ProbeOutcome) -> None:
        if not self.under_way:
            return
        ref = self.under_way.pop(0)
        if outcome is ANSWERED:
            self.signs[ref] = self.now
        if outcome in (REFUSED, OTHER_BOOT):
            self.proved.add(ref)
        self.nodes.handle_probe(ref, outcome, self.now)

    @rule()
    def outage(self) -> None:
        self.nodes.handle_own_outage(self.now)

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 2.0, 5.0]))
    def time_passes(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            self.nodes.tick(self.now)

    @invariant()
    def verdicts_are_just_and_tell_each_change(self) -> None:
        for verdict in self.nodes.take_verdicts():
            assert self.told.get(verdict.ref, ALIVE) != verdict.health
            self.told[verdict.ref] = verdict.health
            if verdict.health == DEAD and verdict.ref not in self.proved:
                assert self.now - self.signs[verdict.ref] > OVERDUE_AFTER
        for known, health in self.nodes.beats(self.now):
            ref = NodeRef(known.node_id, known.boot_id)
            assert self.told.get(ref, ALIVE) == health == self.nodes.health(ref, self.now)
            assert self.nodes.is_alive(ref, self.now) == (health != DEAD)
            assert (ref in self.nodes.dead(self.now)) == (health == DEAD)

    @invariant()
    def who_is_chosen_may_be_well(self) -> None:
        chosen = self.nodes.choose(self.now, random_bytes(8))
        assert chosen is None or self.nodes.answers(chosen, self.now)


TestNodes = NodesMachine.TestCase
TestNodes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
