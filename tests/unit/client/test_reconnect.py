import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_client.core.reconnect import Attempt, Backoff, Reconnector

addresses = st.lists(st.text("abc:1", min_size=1), min_size=1, max_size=5, unique=True)
random = st.floats(0, 1, exclude_max=True)


def test_first_attempt_is_at_once() -> None:
    assert Reconnector(["a", "b"]).next_attempt(0.99) == Attempt("a", 0.0)


def test_starts_where_told_and_wraps_around() -> None:
    reconnector = Reconnector(["a", "b"], start=3)
    assert reconnector.address == "b"
    reconnector.failed()
    assert reconnector.address == "a"


def test_refuses_to_have_no_address() -> None:
    with pytest.raises(ValueError, match="address"):
        Reconnector([])


@given(addresses, random)
def test_after_a_break_every_address_is_tried_once_with_short_delays(names: list[str], drawn: float) -> None:
    backoff = Backoff()
    reconnector = Reconnector(names, backoff)
    tried = []
    for _ in names:
        reconnector.failed()
        attempt = reconnector.next_attempt(drawn)
        assert attempt.delay <= backoff.spread
        tried.append(attempt.address)
    assert sorted(tried) == sorted(names)


@given(addresses, st.integers(0, 200), random)
def test_delays_never_pass_the_limit(names: list[str], failures: int, drawn: float) -> None:
    backoff = Backoff(limit=3.0)
    reconnector = Reconnector(names, backoff)
    for _ in range(failures):
        reconnector.failed()
    assert reconnector.failures == failures
    assert 0 <= reconnector.next_attempt(drawn).delay <= backoff.limit


def test_delays_grow_until_the_limit() -> None:
    reconnector = Reconnector(["a"], Backoff(spread=0.1, base=1.0, limit=5.0))
    delays = []
    for _ in range(6):
        reconnector.failed()
        delays.append(reconnector.next_attempt(0.5).delay)
    assert delays == [0.05, 1.0, 2.0, 2.5, 2.5, 2.5]


def test_success_starts_over() -> None:
    reconnector = Reconnector(["a", "b"])
    for _ in range(9):
        reconnector.failed()
    reconnector.succeeded()
    assert reconnector.next_attempt(0.9).delay == 0.0
