from salon_media.core.stress import StressMeter


def test_participants_count_before_cpu_is_known() -> None:
    assert StressMeter(10).measure(cpu_seconds=100.0, participants=5, now=0.0) == 0.5


def test_cpu_counts_smoothly_and_beyond_one() -> None:
    meter = StressMeter(10)
    meter.measure(cpu_seconds=0.0, participants=0, now=0.0)
    first = meter.measure(cpu_seconds=2.0, participants=0, now=1.0)
    assert 0.5 < first < 1
    later = [
        meter.measure(cpu_seconds=2.0 * second, participants=0, now=float(second)) for second in range(2, 30)
    ]
    assert later == sorted(later)
    assert 1.9 < later[-1] <= 2


def test_a_clock_that_stands_still_changes_nothing() -> None:
    meter = StressMeter(10)
    meter.measure(cpu_seconds=0.0, participants=1, now=1.0)
    assert meter.measure(cpu_seconds=5.0, participants=1, now=1.0) == 0.1
