"""Two tries at most, and the right one is told of each failure."""

import pytest
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError, invalid
from salon_signaling.core.join_plan import Admit, Admitted, AdmitTimes, JoinPlan, Refused, Replace

FIRST = room_pb2.ParticipantPlace(node_id="node-1", boot_id="a", epoch=3)
SECOND = room_pb2.ParticipantPlace(node_id="node-2", boot_id="b", epoch=4)
GONE = SalonError(Code.UNAVAILABLE, "nobody answers")


def plan(*, fresh: bool = False) -> JoinPlan:
    return JoinPlan(FIRST, AdmitTimes(first=0.5, second=2.0), fresh=fresh)


def test_the_chosen_node_admits() -> None:
    join = plan()
    assert join.start() == Admit(FIRST, 0.5)
    assert join.handle_answer("v=0") == Admitted(FIRST, "v=0")


def test_a_place_that_was_chosen_because_another_failed_is_given_more_time_at_once() -> None:
    join = plan(fresh=True)
    assert join.start() == Admit(FIRST, 2.0)
    assert join.handle_admit_failed(GONE) == Replace(FIRST)


def test_a_node_that_says_nothing_is_told_from_one_that_refuses() -> None:
    join = plan()
    join.start()
    late = SalonError(Code.DEADLINE_EXCEEDED, "no answer in time")
    assert join.handle_admit_failed(late, unanswered=True) == Replace(FIRST, unanswered=True)
    join.handle_replaced(SECOND)
    assert isinstance(join.handle_admit_failed(late, unanswered=True), Refused)


@pytest.mark.parametrize(
    "code", [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.FAILED_PRECONDITION, Code.RESOURCE_EXHAUSTED]
)
def test_another_node_is_asked_for_and_given_more_time(code: Code) -> None:
    join = plan()
    join.start()
    assert join.handle_admit_failed(SalonError(code, "cannot")) == Replace(FIRST)
    assert join.handle_replaced(SECOND) == Admit(SECOND, 2.0)
    assert join.handle_answer("v=0") == Admitted(SECOND, "v=0")


def test_the_second_node_is_the_last() -> None:
    join = plan()
    join.start()
    join.handle_admit_failed(GONE)
    join.handle_replaced(SECOND)
    step = join.handle_admit_failed(GONE)
    assert isinstance(step, Refused)
    assert step.error.code == Code.UNAVAILABLE
    assert "try again" in step.error.message


def test_a_bad_offer_is_the_clients_matter() -> None:
    join = plan()
    join.start()
    bad = invalid("offer", "line 3 is odd")
    assert join.handle_admit_failed(bad) == Refused(bad)


def test_a_nodes_own_fault_is_not_passed_on_to_another_node() -> None:
    join = plan()
    join.start()
    step = join.handle_admit_failed(SalonError(Code.INTERNAL, "error 42"))
    assert isinstance(step, Refused)
    assert step.error.code == Code.UNAVAILABLE


@pytest.mark.parametrize("code", [Code.NOT_FOUND, Code.FAILED_PRECONDITION])
def test_who_is_out_meanwhile_is_told_so(code: Code) -> None:
    join = plan()
    join.start()
    join.handle_admit_failed(GONE)
    out = SalonError(code, "no such participant")
    assert join.handle_replace_failed(out) == Refused(out)


def test_without_another_node_the_join_is_unavailable() -> None:
    join = plan()
    join.start()
    join.handle_admit_failed(GONE)
    step = join.handle_replace_failed(SalonError(Code.DEADLINE_EXCEEDED, "late"))
    assert isinstance(step, Refused)
    assert step.error.code == Code.UNAVAILABLE
