import math

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from salon.media.v1 import media_pb2
from salon.rooms.v1 import presence_pb2
from salon_common.errors import Code, SalonError
from salon_media.core.mode import (
    ACTIVE,
    MAX_DRAIN_SECONDS,
    Mode,
    Purpose,
    deadline_of,
    draining,
    read_mode,
)

NOW, WALL = 50.0, 1_700_000_000.0
DRAINING = presence_pb2.NODE_MODE_DRAINING


def asked(
    mode: "presence_pb2.NodeMode.ValueType" = DRAINING,
    *,
    boot_id: str = "boot",
    deadline: Timestamp | None = None,
) -> Mode:
    request = media_pb2.SetModeRequest(boot_id=boot_id, mode=mode, deadline=deadline)
    return read_mode(request, "boot", NOW, WALL)


def at(seconds: float) -> Timestamp:
    millis = round(seconds * 1000)
    return Timestamp(seconds=millis // 1000, nanos=millis % 1000 * 1_000_000)


def test_modes_without_a_deadline() -> None:
    assert asked(presence_pb2.NODE_MODE_ACTIVE, deadline=at(WALL + 5)) == ACTIVE
    cordoned = asked(presence_pb2.NODE_MODE_CORDONED)
    assert cordoned.purpose is Purpose.CORDONED
    assert not cordoned.is_over(1e12)
    assert deadline_of(cordoned, NOW, WALL) is None


def test_draining_has_a_deadline_that_a_clock_that_is_set_does_not_move() -> None:
    mode = asked(deadline=at(WALL + 60))
    assert mode == draining(NOW, 60.0)
    assert not mode.is_over(NOW + 59.9)
    assert mode.is_over(NOW + 60)
    assert (mode.seconds_left(NOW + 45), mode.seconds_left(NOW + 61)) == (15.0, 0.0)
    assert deadline_of(mode, NOW + 10, WALL + 10) == at(WALL + 60)
    assert deadline_of(mode, NOW + 10, WALL + 3610) == at(WALL + 3660)


@pytest.mark.parametrize("ahead", [-1.0, 0.0, MAX_DRAIN_SECONDS + 1])
def test_a_deadline_lies_ahead_by_a_day_at_most(ahead: float) -> None:
    with pytest.raises(SalonError, match="deadline: must lie ahead, by a day at most") as caught:
        asked(deadline=at(WALL + ahead))
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_draining_without_a_deadline_is_refused() -> None:
    with pytest.raises(SalonError, match="deadline: must be given for draining"):
        asked()


@pytest.mark.parametrize("mode", [presence_pb2.NODE_MODE_UNSPECIFIED, 9])
def test_an_unknown_mode_is_refused(mode: "presence_pb2.NodeMode.ValueType") -> None:
    with pytest.raises(SalonError, match="mode: must be"):
        asked(mode)


def test_another_incarnation_is_not_told() -> None:
    with pytest.raises(SalonError, match="boot_id") as caught:
        asked(presence_pb2.NODE_MODE_ACTIVE, boot_id="before")
    assert caught.value.code is Code.FAILED_PRECONDITION


@given(st.integers(-(2**60), 2**60), st.integers(0, 999_999_999))
def test_no_timestamp_breaks_the_reading(seconds: int, nanos: int) -> None:
    try:
        mode = asked(deadline=Timestamp(seconds=seconds, nanos=nanos))
    except SalonError:
        return
    assert math.isfinite(mode.deadline)
    assert NOW < mode.deadline <= NOW + MAX_DRAIN_SECONDS
