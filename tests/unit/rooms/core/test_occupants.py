"""Where everybody is, against a plain account of the same."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from salon_rooms.core.occupants import Occupants
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import LEAVING_SECONDS

N1, N2, NOWHERE = NodeRef("n1", "b1"), NodeRef("n2", "b1"), NodeRef("", "")


def test_people_are_counted_by_room_and_node() -> None:
    occupants = Occupants()
    for room, who in (("r1", "ada"), ("r1", "bob"), ("r2", "eve")):
        occupants.handle_stored(room, who, N1, 0.0, is_present=True)
    assert occupants.rooms_on(N1) == {"r1": 2, "r2": 1}
    assert occupants.people_on(N1) == 3
    assert occupants.nodes() == [N1]
    occupants.handle_out("r1", "ada")
    occupants.handle_out("r1", "ada")
    assert occupants.rooms_on(N1) == {"r1": 1, "r2": 1}
    assert (occupants.people_on(N2), occupants.rooms_on(N2)) == (0, {})


def test_who_is_moved_is_on_the_way_until_present() -> None:
    occupants = Occupants()
    for who in ("ada", "bob", "eve"):
        occupants.handle_stored("r1", who, N1, 0.0, is_present=True)
        occupants.handle_stored("r1", who, N2, 1.0, is_present=False)
    assert occupants.leaving(N1, 1.0) == 3
    occupants.handle_stored("r1", "ada", N2, 2.0, is_present=True)
    occupants.handle_out("r1", "bob")
    assert occupants.leaving(N1, 2.0) == 1
    assert occupants.leaving(N1, 1.0 + LEAVING_SECONDS) == 0
    occupants.handle_stored("r1", "eve", N1, 3.0, is_present=False)
    assert (occupants.leaving(N1, 3.0), occupants.leaving(N2, 3.0)) == (0, 1)


def test_who_has_no_place_is_nowhere() -> None:
    occupants = Occupants()
    occupants.handle_stored("r1", "ada", NOWHERE, 0.0, is_present=False)
    assert occupants.nodes() == []
    occupants.handle_stored("r1", "ada", N1, 1.0, is_present=False)
    assert (occupants.people_on(N1), occupants.leaving(NOWHERE, 1.0)) == (1, 0)


STEPS = st.tuples(
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(["ada", "bob"]),
    st.sampled_from([N1, N2, NOWHERE, None]),
    st.booleans(),
)


@given(st.lists(STEPS, max_size=40))
def test_the_index_is_what_was_stored_last(steps: list[tuple[str, str, NodeRef | None, bool]]) -> None:
    occupants = Occupants()
    stored: dict[tuple[str, str], NodeRef] = {}
    for now, (room, who, node, is_present) in enumerate(steps):
        if node is None:
            occupants.handle_out(room, who)
            stored.pop((room, who), None)
        else:
            occupants.handle_stored(room, who, node, float(now), is_present=is_present)
            stored[room, who] = node
        for ref in (N1, N2):
            assert occupants.rooms_on(ref) == Counter(key[0] for key, at in stored.items() if at == ref)
            assert occupants.leaving(ref, float(now)) <= sum(1 for at in stored.values() if at != ref)
        assert set(occupants.nodes()) == set(stored.values()) - {NOWHERE}
