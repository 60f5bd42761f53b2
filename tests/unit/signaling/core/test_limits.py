"""Token buckets in simulated time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import Code, SalonError
from salon_signaling.core.limits import Rate, RateLimit


def limit(per_second: float = 1, burst: float = 3, max_keys: int = 100) -> RateLimit:
    return RateLimit(Rate(per_second, burst), what="joins from your address", max_keys=max_keys)


def test_a_burst_then_the_rate() -> None:
    joins = limit()
    for _ in range(3):
        joins.take("a", 0.0)
    with pytest.raises(SalonError, match="too many joins from your address: try again in 1 s") as caught:
        joins.take("a", 0.5)
    assert caught.value.code == Code.RESOURCE_EXHAUSTED
    joins.take("a", 1.0)


def test_keys_are_apart() -> None:
    joins = limit(burst=1)
    joins.take("a", 0.0)
    joins.take("b", 0.0)


def test_check_takes_nothing_and_charge_refuses_nothing() -> None:
    failures = limit(burst=2)
    for _ in range(5):
        failures.check("a", 0.0)
    for _ in range(5):
        failures.charge("a", 0.0)
    with pytest.raises(SalonError):
        failures.check("a", 0.0)
    failures.check("a", 1.0)


def test_the_table_is_bounded_and_forgets_the_oldest() -> None:
    joins = limit(per_second=0.001, burst=1, max_keys=2)
    for key in ("a", "b", "c"):
        joins.take(key, 0.0)
    assert len(joins) == 2
    joins.take("a", 0.0)
    with pytest.raises(SalonError):
        joins.take("c", 0.0)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 3)), max_size=60))
def test_never_more_than_burst_and_rate_allow(calls: list[tuple[float, float]]) -> None:
    joins = limit(per_second=2, burst=5)
    now, taken = 0.0, 0.0
    for pause, cost in calls:
        now += pause
        try:
            joins.take("a", now, cost)
        except SalonError:
            continue
        taken += cost
    assert taken <= 5 + 2 * now + 1e-6
