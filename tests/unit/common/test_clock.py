"""Clocks: the machine's runs, the manual one stands until moved."""

from salon_common.clock import Clock, ManualClock, SystemClock


def test_the_systems_clock_runs_forward() -> None:
    clock: Clock = SystemClock()
    assert clock.now() <= clock.now()
    assert clock.wall() > 1_700_000_000


def test_the_manual_clock_moves_both_readings() -> None:
    clock = ManualClock(now=5.0, wall=100.0)
    assert (clock.now(), clock.wall()) == (5.0, 100.0)
    clock.advance(2.5)
    assert (clock.now(), clock.wall()) == (7.5, 102.5)
