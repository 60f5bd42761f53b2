"""Metadata: what is let through, and its text form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import Code, SalonError
from salon_common.rpc import metadata
from salon_common.rpc.limits import MAX_METADATA

KEYS = st.from_regex(r"x-[0-9a-z_.-]{0,10}", fullmatch=True).filter(lambda key: not key.endswith("-bin"))
TEXTS = st.tuples(KEYS, st.text(alphabet=[chr(c) for c in range(0x20, 0x7F)], max_size=20))
BYTES = st.tuples(KEYS.map(lambda key: f"{key}-bin"), st.binary(max_size=20))


@given(st.lists(TEXTS | BYTES, max_size=20))
def test_pairs_survive_their_text_in_order(pairs: list[tuple[str, str | bytes]]) -> None:
    assert metadata.split(metadata.join(metadata.check(pairs))) == tuple(pairs)


@given(st.text(max_size=100))
def test_garbage_is_invalid_or_pairs(text: str) -> None:
    try:
        assert metadata.check(metadata.split(text)) == metadata.split(text)
    except SalonError as error:
        assert error.code is Code.INVALID_ARGUMENT  # noqa: PT017 - pairs by chance are fine too


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Upper", "x"),
        ("", "x"),
        ("a b", "x"),
        ("grpc-status", "0"),
        ("k" * 129, "x"),
        ("k", "line\nbreak"),
        ("k", "ü"),
        ("k", b"bytes"),
        ("k-bin", "text"),
    ],
)
def test_what_grpc_would_refuse_is_refused(key: str, value: str | bytes) -> None:
    with pytest.raises(SalonError, match="metadata: ") as caught:
        metadata.check([(key, value)])
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_too_much_is_refused_both_ways() -> None:
    for attempt in (
        lambda: metadata.join((("k", "x" * MAX_METADATA),)),
        lambda: metadata.split("k=" + "x" * MAX_METADATA),
    ):
        with pytest.raises(
            SalonError, match=f"metadata: {MAX_METADATA + 2} bytes, the limit is {MAX_METADATA}"
        ) as caught:
            attempt()
        assert caught.value.code is Code.RESOURCE_EXHAUSTED
    with pytest.raises(SalonError, match="at most 128 pairs"):
        metadata.split("&".join(["k=v"] * 129))


def test_bytes_in_headers_may_be_joined_padded_or_not() -> None:
    assert metadata.from_text("k-bin", "AAE, AAE=,") == [
        ("k-bin", b"\x00\x01"),
        ("k-bin", b"\x00\x01"),
        ("k-bin", b""),
    ]
    assert metadata.from_text("k", "a, b") == [("k", "a, b")]
    for text in ("A", "ü", "****"):
        with pytest.raises(SalonError, match="not base64"):
            metadata.from_text("k-bin", text)
