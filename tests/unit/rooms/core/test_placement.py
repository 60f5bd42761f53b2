"""Who is chosen, and who may be."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import nodes_pb2
from salon_rooms.core.placement import SHOWS_AFTER, Directory, NodeRef
from unit.rooms.kit import beat, random_bytes


def directory(*nodes: str, now: float = 100.0, **fields: Any) -> Directory:
    made = Directory(0.0)
    for node in nodes:
        made.handle_beat(beat(node, **fields), now)
    return made


def test_nobody_is_dead_before_they_had_time_to_beat() -> None:
    nodes = Directory(100.0)
    unknown = NodeRef("n1", "b1")
    assert nodes.is_alive(unknown, 102.9)
    assert nodes.health(unknown, 102.9) == nodes_pb2.NODE_HEALTH_SUSPECTED
    assert nodes.answers(unknown, 102.9)
    assert not nodes.is_alive(unknown, 103.0)
    assert nodes.health(unknown, 103.0) == nodes_pb2.NODE_HEALTH_DEAD
    assert not nodes.answers(unknown, 103.0)
    assert nodes.choose(102.0, random_bytes(8)) is None
    nodes.handle_own_outage(500.0)
    assert nodes.is_alive(unknown, 502.0)


def test_who_does_not_beat_is_not_chosen_and_does_not_count_as_alive() -> None:
    nodes = directory("n1")
    assert nodes.alive(103.0) == {"n1": False}
    assert nodes.alive(103.1) == {}
    assert nodes.choose(103.1, random_bytes(8)) is None
    nodes.handle_own_outage(500.0)
    assert nodes.choose(501.0, random_bytes(8)) == NodeRef("n1", "b1")
    assert nodes.alive(503.1) == {}


def test_late_beats_are_dropped() -> None:
    nodes = Directory(0.0)
    nodes.handle_beat(beat("n1", sequence=5), 100.0)
    nodes.handle_beat(beat("n1", sequence=4), 103.5)
    assert nodes.alive(103.5) == {}
    nodes.handle_beat(beat("n1", "b2", sequence=1), 104.0)
    nodes.handle_beat(beat("n1", "b1", sequence=6), 104.1)
    assert nodes.is_alive(NodeRef("n1", "b2"), 104.1)
    assert not nodes.is_alive(NodeRef("n1", "b1"), 104.1)


def test_the_less_stressed_of_two_is_chosen() -> None:
    nodes = Directory(0.0)
    nodes.handle_beat(beat("busy", stress=0.9), 100.0)
    nodes.handle_beat(beat("idle", stress=0.1), 100.0)
    assert {nodes.choose(100.0, random_bytes(8)) for _ in range(50)} == {NodeRef("idle", "b1")}


def test_what_was_sent_counts_until_it_shows() -> None:
    nodes = Directory(0.0)
    nodes.handle_beat(beat("a", stress=0.50), 100.0)
    nodes.handle_beat(beat("b", stress=0.55), 100.0)
    for _ in range(10):
        nodes.handle_sent("a", 100.0)
    nodes.handle_sent("unknown", 100.0)
    assert nodes.choose(100.0, random_bytes(8)) == NodeRef("b", "b1")
    later = 100.0 + SHOWS_AFTER
    nodes.handle_beat(beat("a", stress=0.50, sequence=2), later)
    nodes.handle_beat(beat("b", stress=0.55, sequence=2), later)
    assert nodes.choose(later, random_bytes(8)) == NodeRef("a", "b1")


def test_joins_at_once_do_not_herd_onto_one_node() -> None:
    nodes = directory("a", "b", "c", "d")
    taken = Counter[str]()
    for _ in range(200):
        chosen = nodes.choose(100.0, random_bytes(8))
        assert chosen is not None
        nodes.handle_sent(chosen.node_id, 100.0)
        taken[chosen.node_id] += 1
    assert min(taken.values()) >= 45


def test_draining_dead_and_avoided_nodes_are_not_chosen() -> None:
    nodes = directory("a", "b", "c")
    nodes.handle_beat(beat("a", draining=True, sequence=2), 100.0)
    nodes.handle_beat(beat("b", sequence=2), 103.0)
    nodes.handle_beat(beat("a", draining=True, sequence=3), 103.0)
    assert {nodes.choose(103.5, random_bytes(8)) for _ in range(20)} == {NodeRef("b", "b1")}
    assert nodes.choose(103.5, random_bytes(8), avoid=NodeRef("b", "b1")) is None
    assert nodes.choose(103.5, random_bytes(8), avoid=NodeRef("b", "b0")) == NodeRef("b", "b1")


def test_a_node_that_drains_no_more_is_chosen_again() -> None:
    nodes = directory("a", draining=True)
    assert nodes.choose(100.0, random_bytes(8)) is None
    nodes.handle_beat(beat("a", sequence=2), 100.1)
    assert nodes.choose(100.1, random_bytes(8)) == NodeRef("a", "b1")


@given(st.integers(1, 40), st.binary(min_size=8, max_size=8), st.data())
def test_any_choice_is_a_node_that_may_be_chosen(count: int, random: bytes, data: st.DataObject) -> None:
    nodes = Directory(0.0)
    may = set()
    for number in range(count):
        draining, dead = data.draw(st.booleans()), data.draw(st.booleans())
        nodes.handle_beat(beat(f"n{number}", draining=draining), 90.0 if dead else 100.0)
        if not draining and not dead:
            may.add(f"n{number}")
    chosen = nodes.choose(100.0, random)
    assert (chosen.node_id in may) if chosen else not may


@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_node_is_chosen_sometimes(count: int) -> None:
    nodes = directory(*(f"n{number}" for number in range(count)))
    seen = {nodes.choose(100.0, random_bytes(8)) for _ in range(60 * count)}
    assert len(seen) == count
