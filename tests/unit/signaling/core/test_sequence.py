"""Order out of disorder, in bounded space."""

from hypothesis import given
from hypothesis import strategies as st
from salon_signaling.core.sequence import MAX_EARLY, EventSequence
from unit.signaling.events import chat


def test_events_are_released_in_order() -> None:
    sequence = EventSequence(4)
    sequence.insert(chat(6))
    assert list(sequence.release()) == []
    assert sequence.behind
    sequence.insert(chat(5))
    assert [event.number for event in sequence.release()] == [5, 6]
    assert sequence.last == 6
    assert not sequence.behind


def test_duplicates_are_dropped() -> None:
    sequence = EventSequence(4)
    for number in (5, 5, 4, 3):
        sequence.insert(chat(number))
    assert [event.number for event in sequence.release()] == [5]
    sequence.insert(chat(5))
    assert list(sequence.release()) == []


def test_what_exists_but_was_not_seen_is_missing() -> None:
    sequence = EventSequence(4)
    sequence.expect(3)
    assert not sequence.behind
    sequence.expect(5)
    assert sequence.behind


def test_early_events_are_bounded_and_the_next_one_always_has_room() -> None:
    sequence = EventSequence(0)
    for number in range(2, MAX_EARLY + 100):
        sequence.insert(chat(number))
    sequence.insert(chat(1))
    assert [event.number for event in sequence.release()] == list(range(1, MAX_EARLY + 2))
    assert sequence.behind


def test_a_snapshot_skips_and_lets_later_events_follow() -> None:
    sequence = EventSequence(4)
    sequence.insert(chat(8))
    sequence.insert(chat(11))
    assert sequence.skip_to(10)
    assert [event.number for event in sequence.release()] == [11]


def test_a_snapshot_never_steps_back() -> None:
    sequence = EventSequence(4)
    assert not sequence.skip_to(4)
    assert sequence.last == 4


@given(st.integers(0, 50), st.lists(st.integers(1, 100), max_size=300))
def test_released_numbers_are_contiguous_for_any_arrival(start: int, arrivals: list[int]) -> None:
    sequence = EventSequence(start)
    released = []
    for number in arrivals:
        sequence.insert(chat(number))
        released += [event.number for event in sequence.release()]
    assert released == list(range(start + 1, start + 1 + len(released)))
    missing = {number for number in range(start + 1, max(arrivals, default=0) + 1) if number not in arrivals}
    assert sequence.last == (min(missing) - 1 if missing else max([start, *arrivals]))
