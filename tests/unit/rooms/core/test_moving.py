"""Which rooms leave a node next: the plans, and whole drains and reliefs played through."""

import random
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from salon_rooms.core.moving import (
    COOL,
    HOT,
    HOT_SECONDS,
    PAUSE_SECONDS,
    SHARE,
    STILL_COOL,
    WAVE_SECONDS,
    Drain,
    NodeLoad,
    Rebalance,
    Relief,
)
from salon_rooms.core.placement import NodeRef

NEVER = float("inf")
ROOMS = st.dictionaries(st.integers(0, 99).map(lambda n: f"r{n:02}"), st.integers(1, 50), max_size=20)


class TestDrain:
    def test_one_room_at_a_time_when_each_is_more_than_a_tenth(self) -> None:
        drain = Drain()
        rooms = {"r1": 3, "r2": 5, "r3": 3}
        assert drain.next_rooms(rooms, 0, NEVER) == ["r2"]
        del rooms["r2"]
        assert drain.next_rooms(rooms, 5, NEVER) == []
        assert drain.next_rooms(rooms, 1, NEVER) == []
        assert drain.next_rooms(rooms, 0, NEVER) == ["r1"]

    def test_several_while_they_are_a_tenth_together(self) -> None:
        rooms = {f"r{number:02}": 1 for number in range(40)}
        assert Drain().next_rooms(rooms, 0, NEVER) == ["r00", "r01", "r02", "r03"]
        assert Drain().next_rooms(rooms, 3, NEVER) == ["r00"]

    def test_a_tenth_is_of_those_who_were_there_first(self) -> None:
        drain = Drain()
        drain.next_rooms({f"r{number:02}": 1 for number in range(40)}, 0, NEVER)
        assert len(drain.next_rooms({f"r{number:02}": 1 for number in range(10)}, 0, NEVER)) == 4

    def test_all_go_when_the_deadline_is_near(self) -> None:
        rooms = {f"r{number:02}": 2 for number in range(10)}
        assert len(Drain().next_rooms(rooms, 2, WAVE_SECONDS)) == 10
        assert len(Drain().next_rooms(rooms, 0, 2 * WAVE_SECONDS)) == 5
        assert len(Drain().next_rooms(rooms, 0, -1.0)) == 10

    def test_an_empty_node_needs_nothing(self) -> None:
        assert Drain().next_rooms({}, 3, NEVER) == []

    @given(ROOMS, st.randoms(use_true_random=False), st.none() | st.floats(0.0, 120.0))
    def test_a_drain_keeps_its_limit_and_ends(
        self, rooms: dict[str, int], chance: random.Random, seconds: float | None
    ) -> None:
        """People arrive within a wave; the drain is looked at twice a second."""
        drain, people = Drain(), sum(rooms.values())
        largest = max(rooms.values(), default=0)
        under_way: dict[str, tuple[int, float]] = {}
        now, deadline = 0.0, NEVER if seconds is None else seconds
        while rooms or under_way:
            under_way = {room: (n, at) for room, (n, at) in under_way.items() if at > now}
            told = sum(n for n, _ in under_way.values())
            for room in drain.next_rooms(rooms, told, deadline - now):
                under_way[room] = (rooms.pop(room), now + chance.uniform(0.1, WAVE_SECONDS - 0.5))
            told = sum(n for n, _ in under_way.values())
            if deadline == NEVER:
                assert told <= max(SHARE * people, largest)
            if deadline - now <= WAVE_SECONDS:
                assert not rooms, "whoever is left goes in time to arrive before the deadline"
            now += 0.5
            assert now < 20 * WAVE_SECONDS + 1, "it always ends"


def load(name: str, stress: float, *, takes_rooms: bool = True) -> NodeLoad:
    return NodeLoad(NodeRef(name, "b1"), stress, takes_rooms)


class Plan:
    """A rebalance, looked at each second."""

    def __init__(self, loads: list[NodeLoad], rooms: Mapping[str, int]) -> None:
        self.loads = loads
        self.rooms = dict(rooms)
        self.rebalance = Rebalance()
        self.own = True
        self.now = 100.0

    def run(self, seconds: float) -> list[Relief]:
        found: list[Relief] = []
        end = self.now + seconds
        while self.now < end:
            found += self.rebalance.plan(self.loads, lambda _: self.rooms, lambda _: self.own, self.now)
            self.now += 1.0
        return found


ROOMS_OF_TEN = {f"r{number}": 2 for number in range(10)}


class TestRebalance:
    def test_a_hot_node_gives_one_room_after_a_while_and_then_waits(self) -> None:
        plan = Plan([load("n1", 0.88), load("n2", 0.3), load("n3", 0.5)], ROOMS_OF_TEN)
        assert plan.run(HOT_SECONDS) == []
        assert plan.run(PAUSE_SECONDS) == [Relief("r0", NodeRef("n1", "b1"), NodeRef("n2", "b1"))]
        assert len(plan.run(PAUSE_SECONDS)) == 1

    def test_a_short_peak_moves_nobody(self) -> None:
        plan = Plan([load("n1", 0.9), load("n2", 0.3)], ROOMS_OF_TEN)
        plan.run(HOT_SECONDS - 1)
        plan.loads[0] = load("n1", HOT)
        plan.run(1)
        plan.loads[0] = load("n1", 0.9)
        assert plan.run(HOT_SECONDS) == []

    def test_another_replicas_node_is_left_to_it(self) -> None:
        plan = Plan([load("n1", 0.9), load("n2", 0.3)], ROOMS_OF_TEN)
        plan.own = False
        assert plan.run(60) == []

    def test_without_a_cool_node_that_takes_rooms_nobody_moves(self) -> None:
        for other in (load("n2", COOL), load("n2", 0.1, takes_rooms=False)):
            assert Plan([load("n1", 0.9), other], ROOMS_OF_TEN).run(60) == []

    def test_what_would_make_the_other_hot_stays(self) -> None:
        assert Plan([load("n1", 0.9), load("n2", 0.3)], {"r1": 20}).run(60) == []
        assert Plan([load("n1", 0.9), load("n2", 0.3)], {}).run(60) == []

    def test_the_smallest_that_helps_goes_and_else_the_largest_that_may(self) -> None:
        rooms = {"big": 60, "nine": 9, "five": 5, "one": 1, "rest": 25}
        assert Plan([load("n1", 0.88), load("n2", 0.3)], rooms).run(8)[0].room_id == "nine"
        assert Plan([load("n1", 0.851), load("n2", 0.3)], rooms | {"rest": 5}).run(8)[0].room_id == "five"
        assert Plan([load("n1", 1.5), load("n2", 0.3)], rooms).run(8)[0].room_id == "nine"

    @given(
        st.lists(st.tuples(st.floats(0.0, 1.5), st.booleans()), min_size=1, max_size=6),
        st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(1, 20), max_size=10),
    )
    def test_rooms_go_from_hot_to_cool_and_leave_them_cool(
        self, nodes: list[tuple[float, bool]], rooms: dict[str, int]
    ) -> None:
        loads = [load(f"n{n}", stress, takes_rooms=takes) for n, (stress, takes) in enumerate(nodes)]
        by_node = {item.node: item for item in loads}
        for relief in Plan(loads, rooms).run(HOT_SECONDS + 1):
            source, target = by_node[relief.node], by_node[relief.to]
            share = source.stress * rooms[relief.room_id] / sum(rooms.values())
            assert source.stress > HOT
            assert target.takes_rooms
            assert target.stress < COOL
            assert target.stress + share <= STILL_COOL < source.stress
            assert rooms[relief.room_id] <= max(SHARE * sum(rooms.values()), min(rooms.values()))

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(1, 8), min_size=8, max_size=30), st.floats(0.86, 1.4))
    def test_relief_ends_and_does_not_flap(self, sizes: list[int], stress: float) -> None:
        """Stress follows the people; what was moved is never brought back."""
        total = sum(sizes)
        n1, n2 = NodeRef("n1", "b1"), NodeRef("n2", "b1")
        where = {f"r{number:02}": n1 for number in range(len(sizes))}
        size = dict(zip(where, sizes, strict=True))
        rebalance, moves = Rebalance(), 0

        def people(node: NodeRef) -> int:
            return sum(count for room, count in size.items() if where[room] == node)

        for second in range(0, 600, 2):
            loads = [NodeLoad(node, stress * people(node) / total, takes_rooms=True) for node in (n1, n2)]
            for relief in rebalance.plan(
                loads,
                lambda node: {room: count for room, count in size.items() if where[room] == node},
                lambda _: True,
                float(second),
            ):
                assert (relief.node, relief.to) == (n1, n2)
                where[relief.room_id] = relief.to
                moves += 1
        assert (
            stress * people(n1) / total <= HOT
            or stress * people(n2) / total > STILL_COOL - stress * 8 / total
        )
        assert moves <= len(sizes)
