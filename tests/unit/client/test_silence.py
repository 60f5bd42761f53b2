from hypothesis import given
from hypothesis import strategies as st
from salon_client.core.silence import LOOK_SECONDS, SILENCE_SECONDS, SilenceWatch


def test_no_growth_for_the_limit_is_silence() -> None:
    watch = SilenceWatch(0.0)
    assert not watch.look(10, 0.0)
    looks = [watch.look(10, each * LOOK_SECONDS) for each in range(1, 20)]
    # From the last growth on: a look more when the sum of tenths stays just below.
    assert looks.index(True) + 1 in (10, 11)
    assert round(SILENCE_SECONDS / LOOK_SECONDS) == 10


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0.05, 30)), min_size=1, max_size=40))
def test_growth_is_never_silence(steps: list[tuple[int, float]]) -> None:
    watch = SilenceWatch(0.0)
    count, now = 0, 0.0
    for step, later in steps:
        count, now = count + step, now + later
        assert not watch.look(count, now)


def test_time_in_which_this_process_stood_still_does_not_count() -> None:
    watch = SilenceWatch(0.0)
    watch.look(10, 0.0)
    assert not watch.look(10, 60.0)
    assert not watch.look(10, 60.1)
    assert any(watch.look(10, 60.1 + each * LOOK_SECONDS) for each in range(1, 10))


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=30))
def test_silence_is_never_called_before_the_limit(steps: list[float]) -> None:
    watch = SilenceWatch(0.0)
    watch.look(10, 0.0)
    now = 0.0
    for step in steps:
        now += step
        assert not (watch.look(10, now) and now < SILENCE_SECONDS)


def test_nothing_at_all_is_silence_too() -> None:
    watch = SilenceWatch(0.0)
    assert any(watch.look(0, index * LOOK_SECONDS) for index in range(1, 15))
