import pytest
from salon.rooms.v1 import room_pb2
from salon_client.core.outcomes import Next, after_error, after_leaving
from salon_common.errors import Code


@pytest.mark.parametrize("resuming", [True, False])
@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.ABORTED, Code.INTERNAL])
def test_passing_troubles_are_tried_again(code: Code, resuming: bool) -> None:
    assert after_error(code, resuming=resuming) is Next.RETRY


@pytest.mark.parametrize("code", [Code.NOT_FOUND, Code.UNAUTHENTICATED])
def test_participant_that_is_gone_enters_anew_by_the_link(code: Code) -> None:
    assert after_error(code, resuming=True) is Next.REJOIN
    assert after_error(code, resuming=False) is Next.GIVE_UP


def test_full_room_ends_a_first_join_and_a_rate_limit_only_delays_a_resume() -> None:
    assert after_error(Code.RESOURCE_EXHAUSTED, resuming=False) is Next.GIVE_UP
    assert after_error(Code.RESOURCE_EXHAUSTED, resuming=True) is Next.RETRY


@pytest.mark.parametrize("code", [Code.PERMISSION_DENIED, Code.FAILED_PRECONDITION, Code.INVALID_ARGUMENT])
def test_refusals_are_final(code: Code) -> None:
    assert after_error(code, resuming=True) is Next.GIVE_UP


def test_only_the_lost_come_back() -> None:
    assert after_leaving(room_pb2.LEAVE_REASON_LOST) is Next.REJOIN
    for reason in (room_pb2.LEAVE_REASON_LEFT, room_pb2.LEAVE_REASON_REMOVED, room_pb2.LEAVE_REASON_ENDED):
        assert after_leaving(reason) is Next.GIVE_UP
