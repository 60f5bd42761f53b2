"""Every limit at its edge, and the field in every refusal."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError
from salon_signaling.core import fields


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (fields.check_name, "A"),
        (fields.check_name, "é" * 64),
        (fields.check_name, "👩‍👩‍👧 Family"),
        (fields.check_title, ""),
        (fields.check_title, "x" * 120),
        (fields.check_label, "x" * 64),
        (fields.check_text, "x" * 2000),
        (fields.check_text, "two\nlines\tand a tab"),
        (fields.check_secret, "x" * 22),
    ],
)
def test_good_values_pass_unchanged(check: Callable[[str], str], value: str) -> None:
    assert check(value) == value


@pytest.mark.parametrize(
    ("check", "value", "field"),
    [
        (fields.check_name, "", "name"),
        (fields.check_name, "   ", "name"),
        (fields.check_name, "x" * 65, "name"),
        (fields.check_name, "a\nb", "name"),
        (fields.check_name, "a\u202eb", "name"),
        (fields.check_name, "a\u2028b", "name"),
        (fields.check_title, "x" * 121, "title"),
        (fields.check_title, "a\x00b", "title"),
        (fields.check_label, "x" * 65, "label"),
        (fields.check_text, " \n ", "text"),
        (fields.check_text, "x" * 2001, "text"),
        (fields.check_text, "bell\x07", "text"),
        (fields.check_secret, "x" * 65, "invite_secret"),
    ],
)
def test_bad_values_name_the_field(check: Callable[[str], str], value: str, field: str) -> None:
    with pytest.raises(SalonError, match=f"^{field}: ") as caught:
        check(value)
    assert caught.value.code == Code.INVALID_ARGUMENT


def test_names_are_trimmed() -> None:
    assert fields.check_name("  Ada ") == "Ada"


def test_offers_are_limited_in_bytes() -> None:
    limit = fields.MAX_OFFER_BYTES
    assert fields.check_offer("x" * limit)
    assert fields.check_offer("") == ""
    with pytest.raises(SalonError, match="offer: must be at most 128 KiB"):
        fields.check_offer("é" * (limit // 2 + 1))


def test_tokens_are_limited() -> None:
    assert fields.check_token("app_token", "x" * 4096)
    with pytest.raises(SalonError, match="app_token: must be at most 4 KiB"):
        fields.check_token("app_token", "x" * 4097)
    with pytest.raises(SalonError, match="session_token: must be given"):
        fields.check_token("session_token", "")


def test_sources_are_known_and_each_once() -> None:
    camera, microphone = room_pb2.SOURCE_KIND_CAMERA, room_pb2.SOURCE_KIND_MICROPHONE
    assert fields.check_sources([camera, microphone, camera]) == [microphone, camera]
    with pytest.raises(SalonError, match="active: "):
        fields.check_sources([room_pb2.SOURCE_KIND_UNSPECIFIED])
    with pytest.raises(SalonError, match="active: must be at most 4"):
        fields.check_sources([camera] * 5)


@given(st.text(max_size=100))
def test_any_name_is_printable_and_short_or_refused(text: str) -> None:
    try:
        name = fields.check_name(text)
    except SalonError:
        return
    assert 1 <= len(name) <= 64
    assert not any(ord(c) < 32 for c in name)
