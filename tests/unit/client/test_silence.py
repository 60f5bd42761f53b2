from hypothesis import given
from hypothesis import strategies as st
from salon_client.core.silence import LOOK_SECONDS, SILENCE_SECONDS, SilenceWatch


def test_no_growth_for_the_limit_is_silence() -> None:
    watch = SilenceWatch(0.0)
    assert not watch.look(10, 0.0)
    looks = [watch.look(10, each * LOOK_SECONDS) for each in range(1, 9)]
    assert looks.index(True) + 1 == SILENCE_SECONDS / LOOK_SECONDS


@given(st.lists(st.integers(1, 5), min_size=1, max_size=40))
def test_growth_is_never_silence(steps: list[int]) -> None:
    watch = SilenceWatch(0.0)
    count = 0
    for index, step in enumerate(steps):
        count += step
        assert not watch.look(count, (index + 1) * LOOK_SECONDS)


def test_a_late_look_proves_nothing() -> None:
    watch = SilenceWatch(0.0)
    watch.look(10, 0.0)
    assert not watch.look(10, 60.0)
    assert not watch.look(10, 60.25)


def test_nothing_at_all_is_silence_too() -> None:
    watch = SilenceWatch(0.0)
    assert any(watch.look(0, index * LOOK_SECONDS) for index in range(1, 9))
