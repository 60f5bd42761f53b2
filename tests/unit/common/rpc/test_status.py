"""The table of codes, and status messages as header text."""

import grpc
from connectrpc.code import Code as ConnectCode
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import Code
from salon_common.rpc import status


def test_the_table_is_complete_both_ways() -> None:
    assert [status.from_grpc(status.to_grpc(code)) for code in Code] == list(Code)
    assert {status.to_grpc(code) for code in Code} == set(grpc.StatusCode)
    assert {status.to_connect(code) for code in Code if code is not Code.OK} == set(ConnectCode)


def test_names_agree() -> None:
    for code in Code:
        assert status.to_grpc(code).name == code.name
        if code is not Code.OK:
            assert status.to_connect(code).name == code.name.replace("CANCELLED", "CANCELED")


@given(st.text(max_size=300))
def test_a_message_survives_a_header(text: str) -> None:
    encoded = status.encode_message(text)
    assert encoded == encoded.strip()
    assert all(0x21 <= ord(character) <= 0x7E for character in encoded)
    assert status.decode_message(encoded) == text


def test_plain_words_stay_readable() -> None:
    assert status.encode_message("Grüße: 100%, a/b?\n") == "Gr%C3%BC%C3%9Fe:%20100%25,%20a/b?%0A"


def test_a_long_message_is_cut() -> None:
    assert len(status.decode_message(status.encode_message("é" * 5000))) == status.MAX_STATUS_MESSAGE


def test_what_is_not_unicode_is_replaced() -> None:
    assert status.decode_message("%FF%zz%") == "�%zz%"
    assert status.decode_message(status.encode_message("\ud800")) == "?"
