"""Which costs are written to media pods, how often, and that the order they give is the right one."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_rooms.core.scaling import (
    AT_ONCE,
    DEAD_COST,
    DRAINING_COST,
    POD_SECONDS,
    SHARE,
    STEP,
    CostPatch,
    Pod,
    Scaling,
    cost_of,
    is_off,
)

ACTIVE, CORDONED = presence_pb2.NODE_MODE_ACTIVE, presence_pb2.NODE_MODE_CORDONED
DRAINING = presence_pb2.NODE_MODE_DRAINING
ALIVE, DEAD = nodes_pb2.NODE_HEALTH_ALIVE, nodes_pb2.NODE_HEALTH_DEAD


def node(
    name: str,
    participants: int = 0,
    *,
    placed: int = 0,
    mode: presence_pb2.NodeMode.ValueType = ACTIVE,
    health: nodes_pb2.NodeHealth.ValueType = ALIVE,
) -> nodes_pb2.NodeStatus:
    return nodes_pb2.NodeStatus(
        node_id=name, participants=participants, placed=placed, mode=mode, health=health
    )


class TestCost:
    def test_is_the_people_there_and_on_their_way(self) -> None:
        assert cost_of(node("a", 7)) == 7
        assert cost_of(node("a", 7, placed=9)) == 9

    def test_cordoned_nodes_have_people_like_others(self) -> None:
        assert cost_of(node("a", 7, mode=CORDONED)) == 7

    def test_what_is_lost_or_being_emptied_goes_before_an_empty_one(self) -> None:
        drained, dead = cost_of(node("a", 50, mode=DRAINING)), cost_of(node("b", 50, health=DEAD))
        assert (dead, drained) == (DEAD_COST, DRAINING_COST)
        assert dead < drained < cost_of(node("c"))

    def test_a_dead_node_that_was_draining_is_dead(self) -> None:
        assert cost_of(node("a", 50, mode=DRAINING, health=DEAD)) == DEAD_COST


class TestIsOff:
    def test_a_few_people_more_or_less_are_let_be(self) -> None:
        assert not is_off(10, 10 + STEP)
        assert is_off(10, 10 + STEP + 1)
        assert is_off(10, 10 - STEP - 1)

    def test_of_many_people_a_share_is_let_be(self) -> None:
        assert not is_off(200, 200 + round(200 * SHARE))
        assert is_off(200, 200 + round(200 * SHARE) + 1)

    def test_the_last_one_to_leave_and_the_first_to_come_are_told(self) -> None:
        assert is_off(1, 0)
        assert is_off(0, 1)
        assert is_off(0, DRAINING_COST)
        assert not is_off(0, 0)


class TestScaling:
    def test_writes_what_is_off_and_furthest_first(self) -> None:
        pods = [Pod("a", 3), Pod("b", 40), Pod("c", 0)]
        nodes = [node("a", 4), node("b", 10), node("c", 12)]
        assert Scaling().plan(nodes, pods, 0.0) == [CostPatch("b", 10), CostPatch("c", 12)]

    def test_leaves_what_it_does_not_know(self) -> None:
        """A replica that has just started has heard of no node yet: nobody is empty for that."""
        assert Scaling().plan([], [Pod("a", 30)], 0.0) == []
        assert Scaling().plan([node("elsewhere", 9)], [Pod("a", 30)], 0.0) == []

    def test_writes_to_a_pod_seldom(self) -> None:
        scaling = Scaling()
        assert scaling.plan([node("a", 20)], [Pod("a", 0)], 0.0) == [CostPatch("a", 20)]
        assert scaling.plan([node("a", 90)], [Pod("a", 20)], POD_SECONDS - 0.1) == []
        assert scaling.plan([node("a", 90)], [Pod("a", 20)], POD_SECONDS) == [CostPatch("a", 90)]

    def test_writes_few_at_once_and_the_others_next(self) -> None:
        nodes = [node(f"n{number:02}", 10 + number) for number in range(AT_ONCE + 2)]
        pods = [Pod(each.node_id, 0) for each in nodes]
        scaling = Scaling()
        first = scaling.plan(nodes, pods, 0.0)
        assert len(first) == AT_ONCE
        assert {p.pod for p in scaling.plan(nodes, pods, 1.0)} == {"n00", "n01"}

    @given(st.lists(st.tuples(st.integers(-2, 300), st.integers(0, 300)), max_size=40))
    def test_soon_the_pod_that_goes_first_is_nearly_the_emptiest(
        self, found: Sequence[tuple[int, int]]
    ) -> None:
        people = {f"n{number}": count for number, (_, count) in enumerate(found)}
        costs = {f"n{number}": cost for number, (cost, _) in enumerate(found)}
        nodes = [node(name, count) for name, count in people.items()]
        scaling, writes = Scaling(), 0
        for round_ in range(5):
            pods = [Pod(name, cost) for name, cost in costs.items()]
            for patch in scaling.plan(nodes, pods, round_ * POD_SECONDS):
                costs[patch.pod] = patch.cost
                writes += 1
        assert writes <= len(people), "one write each is enough while nobody moves"
        if people:
            first = min(people, key=costs.__getitem__)
            fewest = min(people.values())
            assert people[first] <= fewest + 2 * max(STEP, SHARE * 300)
            assert fewest > 0 or people[first] == 0, "an empty one goes first"
