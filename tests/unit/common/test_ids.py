"""Ids and secrets: what is made parses, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common import ids
from salon_common.errors import Code, SalonError

PARSERS = [ids.parse_room_id, ids.parse_participant_id, ids.parse_invite_id, ids.parse_request_id]


@given(
    st.binary(min_size=ids.ROOM_ID_BYTES, max_size=20),
    st.sampled_from(["local", "eu-west", "ap-south-2"]),
)
def test_a_room_id_parses_and_knows_its_region(random: bytes, region: str) -> None:
    room = ids.make_room_id(region, random)
    assert ids.parse_room_id(room) == room
    assert ids.region_of(room) == region


@given(st.binary(min_size=ids.ID_BYTES, max_size=20))
def test_a_short_id_parses(random: bytes) -> None:
    text = ids.make_id(random)
    assert ids.parse_participant_id(text) == text
    assert ids.parse_invite_id(text) == text


@given(
    st.binary(min_size=ids.ID_BYTES, max_size=ids.ID_BYTES),
    st.binary(min_size=ids.ID_BYTES, max_size=ids.ID_BYTES),
)
def test_other_bytes_make_another_id(one: bytes, other: bytes) -> None:
    assert (ids.make_id(one) == ids.make_id(other)) == (one == other)


@given(st.text())
def test_whatever_is_not_an_id_is_invalid_and_the_field_is_named(text: str) -> None:
    for parse in PARSERS:
        try:
            assert parse(text, "the_field") == text
        except SalonError as error:
            assert error.code is Code.INVALID_ARGUMENT  # noqa: PT017 - an id by chance is fine too
            assert error.message.startswith("the_field: ")  # noqa: PT017


@pytest.mark.parametrize("text", ["", "a" * 65, "a.b", "A", "a b", "a\n", "ä", "*", ">"])
def test_names_stay_out_of_subjects_syntax(text: str) -> None:
    with pytest.raises(SalonError, match="node: must be"):
        ids.parse_name(text, "node")


def test_a_name_parses() -> None:
    assert ids.parse_name("node-1", "node") == "node-1"


@given(st.binary(min_size=ids.SECRET_BYTES, max_size=ids.SECRET_BYTES))
def test_a_secret_is_hashed_whatever_way_it_came(secret: bytes) -> None:
    text = ids.encode_secret(secret)
    assert len(text) == 22
    assert ids.same_hash(ids.hash_secret(text), ids.hash_secret(text))
    assert not ids.same_hash(ids.hash_secret(text), b"\x00" * 32)


@given(st.text(max_size=30) | st.text(alphabet="AZaz09-_=+/.", min_size=20, max_size=24))
def test_what_cannot_be_a_secret_leads_nowhere(text: str) -> None:
    try:
        assert len(ids.hash_secret(text)) == 32
        assert len(text) == 22
    except SalonError as error:
        assert error.code is Code.NOT_FOUND  # noqa: PT017 - a secret by chance is fine too
