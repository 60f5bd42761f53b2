"""One order of streams everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import Code, SalonError
from salon_signaling.core.claim import StreamClaim, parse_claim
from unit.signaling.events import OTHER, claim

CLAIMS = st.builds(
    claim,
    session=st.integers(0, 2**63),
    opened=st.integers(0, 2**50),
    stream=st.text("0123456789abcdef", min_size=16, max_size=16),
)


@given(CLAIMS)
def test_text_form_goes_round(one: StreamClaim) -> None:
    assert parse_claim(one.encode()) == one


@given(CLAIMS, CLAIMS)
def test_of_two_streams_exactly_one_yields(one: StreamClaim, other: StreamClaim) -> None:
    assert [one.yields_to(other), other.yields_to(one)].count(True) == (0 if one == other else 1)


def test_a_later_session_wins_over_a_later_clock() -> None:
    assert claim(session=1, opened=2000).yields_to(claim(session=2, opened=1000))


def test_a_later_stream_of_the_same_session_wins() -> None:
    assert claim(opened=1000).yields_to(claim(opened=1001))


def test_others_do_not_matter() -> None:
    assert not claim().yields_to(claim(participant=OTHER, session=9))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_claim_or_an_invalid_argument(data: bytes) -> None:
    try:
        parse_claim(data)
    except SalonError as error:
        assert error.code == Code.INVALID_ARGUMENT  # noqa: PT017


@pytest.mark.parametrize("text", [b"", b"nobody 1 2 " + b"0" * 16, b"aaaaaaaaaaaaaaaa 1 2 xyz"])
def test_bad_claims(text: bytes) -> None:
    with pytest.raises(SalonError, match=r"claim|participant_id"):
        parse_claim(text)
