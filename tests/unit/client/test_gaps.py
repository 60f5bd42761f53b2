import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_client import gaps
from salon_client.core.gaps import Arrivals, Carriers, Gap
from salon_client.gaps import GapMeter

times = st.lists(st.floats(0, 1000), min_size=1, max_size=60).map(sorted)


def test_gap_goes_from_the_last_arrival_before_the_window_to_the_first_in_it() -> None:
    row = Arrivals(0.0)
    row.note(1.0)
    row.mark(5.0)
    row.note(6.0)
    row.note(7.0)
    assert row.longest(7.5) == Gap(5.0, 1.0, 6.0)
    assert row.count == 2


def test_gap_that_lasts_has_no_end() -> None:
    row = Arrivals(0.0)
    row.note(1.0)
    row.note(2.0)
    assert row.longest(9.0) == Gap(7.0, 2.0, None)


def test_without_any_arrival_the_gap_began_with_the_window() -> None:
    row = Arrivals(3.0)
    assert row.longest(4.5) == Gap(1.5, 3.0, None)


def test_former_gaps_are_forgotten_with_the_window() -> None:
    row = Arrivals(0.0)
    for time in (1.0, 8.0, 8.5):
        row.note(time)
    row.mark(9.0)
    row.note(9.1)
    assert row.longest(9.1).seconds == pytest.approx(0.6)


@given(times)
def test_longest_gap_is_the_longest_difference(when: list[float]) -> None:
    row = Arrivals(0.0)
    for time in when:
        row.note(time)
    edges = [0.0, *when, 1000.0]
    assert row.longest(1000.0).seconds == max(b - a for a, b in itertools.pairwise(edges))
    assert sum(row.by_second.values()) == row.count == len(when)


def test_counts_by_second_leave_out_empty_ones() -> None:
    row = Arrivals(0.0)
    for time in (1.1, 1.9, 4.0):
        row.note(time)
    assert row.by_second == {1: 2, 4: 1}


def test_turns_show_two_that_alternate() -> None:
    carriers = Carriers()
    for session in (1, 1, 2, 1, 2, 2):
        carriers.note(session, 0.0)
    assert list(carriers.turns) == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("spans", "overlap"),
    [
        ([(1, 0.0), (1, 3.0), (2, 4.0), (2, 9.0)], 0.0),
        ([(1, 0.0), (2, 2.0), (1, 3.0), (2, 9.0)], 1.0),
        ([(1, 0.0), (2, 2.0), (2, 2.5), (1, 9.0)], 0.5),
        ([(1, 0.0), (2, 1.0), (1, 2.0), (3, 2.5), (2, 6.0), (3, 7.0)], 3.5),
        ([(1, 0.0)], 0.0),
        ([], 0.0),
    ],
)
def test_overlap_is_the_longest_time_of_two_at_once(spans: list[tuple[int, float]], overlap: float) -> None:
    carriers = Carriers()
    for session, now in spans:
        carriers.note(session, now)
    assert carriers.overlap() == overlap
    carriers.mark()
    assert carriers.overlap() == 0.0


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(gaps, "time", made)
    return made


class Observed:
    """In a room's place, and its media's."""

    def __init__(self) -> None:
        self.media = self
        self.observer: Any = None

    def observe(self, observer: Any) -> None:
        self.observer = observer


def test_meter_keeps_sources_apart(clock: Clock) -> None:
    meter = GapMeter(Observed())  # type: ignore[arg-type]
    for now, source in ((101.0, 4), (102.0, 9), (102.5, 4)):
        clock.now = now
        meter.note_packet(1, source)
    clock.now = 103.0
    assert meter.packets(4) == Gap(1.5, 101.0, 102.5)
    assert meter.packets(9) == Gap(1.0, 102.0, None)
    assert meter.packets(77) == Gap(3.0, 100.0, None)
    assert meter.anything().seconds == 1.0
    assert (meter.last_packet(9), meter.last_packet(77)) == (102.0, None)
    assert meter.sources == (4, 9)
    assert meter.count_packets(4) == 2


def test_reports_count_for_the_node_alone(clock: Clock) -> None:
    meter = GapMeter(Observed())  # type: ignore[arg-type]
    for _ in range(10):
        clock.now += 0.2
        meter.note_packet(1, 0)
    assert meter.anything().seconds == pytest.approx(0.2)
    assert meter.sources == ()


def test_frames_tell_by_which_session_they_came(clock: Clock) -> None:
    room = Observed()
    meter = GapMeter(room)  # type: ignore[arg-type]
    assert room.observer is meter
    for now, session in ((101.0, 1), (101.1, 1), (101.2, 2)):
        clock.now = now
        meter.note_packet(session, 4)
        meter.note_frame(session, 4)
    assert meter.frame_turns(4) == (1, 2)
    assert meter.frame_turns(5) == ()
    assert meter.frames_by_second(4) == {101: 3}
    assert meter.last_frame(4) == 101.2
    assert meter.frames(4).seconds == pytest.approx(0.1)
    assert meter.overlap() == 0.0
    assert meter.mark() == 101.2
    assert meter.frame_turns(4) == ()
    assert meter.frames_by_second(4) == {}
