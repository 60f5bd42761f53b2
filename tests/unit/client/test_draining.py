from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_client.core.draining import OVERDUE_SECONDS, UNSEEN_SECONDS, Drain, DrainWatch, Left

DRAINING = presence_pb2.NODE_MODE_DRAINING
ACTIVE = presence_pb2.NODE_MODE_ACTIVE
ALIVE = nodes_pb2.NODE_HEALTH_ALIVE
DEAD = nodes_pb2.NODE_HEALTH_DEAD
NOW = 1_000.0
DEADLINE = 1_120


def node(
    people: int,
    rooms: int = 0,
    *,
    placed: int = 0,
    mode: "presence_pb2.NodeMode.ValueType" = DRAINING,
    health: "nodes_pb2.NodeHealth.ValueType" = ALIVE,
    boot: str = "b1",
) -> nodes_pb2.NodeStatus:
    status = nodes_pb2.NodeStatus(
        node_id="media-1",
        boot_id=boot,
        mode=mode,
        health=health,
        participants=people,
        placed=placed,
        rooms=rooms,
    )
    status.drain_deadline.FromSeconds(DEADLINE)
    return status


def other() -> nodes_pb2.NodeStatus:
    return nodes_pb2.NodeStatus(node_id="media-2", boot_id="b2", mode=ACTIVE, health=ALIVE)


def watching(people: int = 5, rooms: int = 2) -> DrainWatch:
    return DrainWatch(node(people, rooms), NOW)


def test_it_goes_on_until_people_sessions_and_rooms_are_gone() -> None:
    watch = watching()
    assert watch.left == Left(5, 2, 120.0)
    assert watch.look([node(3, 1), other()], NOW + 10) is Drain.GOING_ON
    assert watch.left == Left(3, 1, 110.0)
    assert watch.look([node(1, 0)], NOW + 11) is Drain.GOING_ON, "somebody's old session is still up"
    assert watch.look([node(0, 0, placed=1)], NOW + 11) is Drain.GOING_ON, (
        "somebody is still on the way there"
    )
    assert watch.look([node(0, 1)], NOW + 11) is Drain.GOING_ON
    assert watch.look([node(0, 0)], NOW + 12) is Drain.EMPTY


def test_node_that_does_not_show_its_mode_yet_is_waited_for() -> None:
    watch = watching(0, 0)
    assert watch.look([node(0, 0, mode=ACTIVE)], NOW + 1) is Drain.GOING_ON
    assert watch.look([node(0, 0)], NOW + 2) is Drain.EMPTY


def test_other_orders_end_it() -> None:
    watch = watching()
    assert watch.look([node(5, 2, mode=ACTIVE)], NOW + UNSEEN_SECONDS) is Drain.STOPPED


def test_gone_dead_or_restarted_is_not_empty() -> None:
    assert watching().look([other()], NOW + 1) is Drain.DIED
    assert watching().look([node(5, 2, health=DEAD)], NOW + 1) is Drain.DIED
    assert watching().look([node(0, 0, boot="b9")], NOW + 1) is Drain.DIED


def test_people_whom_the_deadline_ended_are_counted() -> None:
    watch = watching()
    assert watch.look([node(3, 1)], DEADLINE - 1) is Drain.GOING_ON
    assert watch.look([node(0, 0)], DEADLINE + 1) is Drain.CUT
    assert watch.cut == 3
    late = watching()
    assert late.look([node(3, 1)], DEADLINE - 1) is Drain.GOING_ON
    assert late.look([], DEADLINE + 1) is Drain.CUT, "a node that was told to stop is gone then"


def test_it_ends_even_if_the_node_keeps_people_after_the_deadline() -> None:
    watch = watching()
    assert watch.look([node(5, 2)], DEADLINE + 1) is Drain.GOING_ON
    assert watch.look([node(5, 2)], DEADLINE + OVERDUE_SECONDS) is Drain.CUT


looks = st.lists(
    st.tuples(
        st.floats(0.1, 30),
        st.builds(
            node,
            st.integers(0, 3),
            st.integers(0, 2),
            mode=st.sampled_from([DRAINING, DRAINING, ACTIVE]),
            health=st.sampled_from([ALIVE, ALIVE, ALIVE, DEAD]),
        ),
    ),
    max_size=20,
)


@given(looks)
def test_empty_is_only_said_of_a_node_that_says_so_and_cut_nobody(
    steps: list[tuple[float, nodes_pb2.NodeStatus]],
) -> None:
    watch, now = watching(), NOW
    for later, status in steps:
        now += later
        before = watch.left.people
        how = watch.look([status], now)
        if how is Drain.EMPTY:
            assert (status.mode, status.participants, status.placed, status.rooms) == (DRAINING, 0, 0, 0)
            assert now < DEADLINE or watch.cut == 0
        if how is Drain.CUT and watch.cut:
            assert now >= DEADLINE
            assert before > 0
        if how is not Drain.GOING_ON:
            return
    if now >= DEADLINE + OVERDUE_SECONDS:
        assert not steps or watch.look([node(1, 1)], now) is not Drain.GOING_ON
