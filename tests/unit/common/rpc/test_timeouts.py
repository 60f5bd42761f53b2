"""The text form of remaining time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import Code, SalonError
from salon_common.rpc.timeouts import decode_timeout, encode_timeout


@given(st.floats(min_value=0, max_value=1e7))
def test_it_is_never_less_and_hardly_more(seconds: float) -> None:
    text = encode_timeout(seconds)
    assert len(text) <= 9
    assert seconds * (1 - 1e-9) <= decode_timeout(text) <= seconds * (1 + 1e-4) + 1e-6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0u"), (0, "0u"), (0.5, "500000u"), (200, "200000m"), (1e6, "1000000S"), (1e12, "99999999S")],
)
def test_its_unit_fits_eight_digits(seconds: float, text: str) -> None:
    assert encode_timeout(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("2H", 7200), ("3M", 180), ("4S", 4), ("5m", 0.005), ("6u", 6e-6), ("7n", 7e-9)]
)
def test_every_unit_of_grpc_is_read(text: str, seconds: float) -> None:
    assert decode_timeout(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "S", "-5S", "123456789S", "5s", "5 S", "٣S", "5S\n", "0x5S"])
def test_the_rest_is_refused(text: str) -> None:
    with pytest.raises(SalonError, match="timeout: must be") as caught:
        decode_timeout(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
