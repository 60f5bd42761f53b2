"""Subjects and headers of calls on NATS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import Code, SalonError
from salon_common.rpc import nats_wire
from salon_common.rpc.nats_wire import RequestHead

HEADERS = st.dictionaries(
    st.sampled_from(
        [
            nats_wire.STATUS,
            nats_wire.MESSAGE,
            nats_wire.METADATA,
            nats_wire.TIMEOUT,
            nats_wire.CALL_ID,
            nats_wire.CALLER,
        ]
    ),
    st.text(max_size=40) | st.sampled_from(["0", "5", "99", "1S", "ab"]),
)


def test_subjects() -> None:
    assert nats_wire.prefix("eu-west", "salon.rooms.v1.RoomsService", None) == "rpc.eu-west.rooms"
    assert nats_wire.prefix("local", "salon.media.v1.MediaService", "node-1") == "rpc.local.media.node-1"
    assert nats_wire.cancel_subject("rpc.local.rooms", "ab") == "rpc.local.rooms._cancel.ab"


@pytest.mark.parametrize(
    ("region", "node"),
    [("", None), ("*", None), ("local.rooms", None), ("local", ">"), ("local", "_cancel"), ("local", "")],
)
def test_names_cannot_change_a_subjects_shape(region: str, node: str | None) -> None:
    with pytest.raises(SalonError) as caught:
        nats_wire.prefix(region, "salon.rooms.v1.RoomsService", node)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_request_survives_its_headers() -> None:
    head = RequestHead("00ff", 0.5, "signaling-1", (("k", "v"), ("d-bin", b"\x00"), ("k", "w")))
    assert nats_wire.read_request(nats_wire.write_request(head)) == head


def test_a_callers_name_cannot_break_headers() -> None:
    headers = nats_wire.write_request(RequestHead("00", 1, "a\r\nSalon-Status: 0" + "x" * 500))
    assert headers[nats_wire.CALLER].startswith("a__Salon-Status:_0")
    assert len(headers[nats_wire.CALLER]) == 128


@given(st.sampled_from([code for code in Code if code is not Code.OK]), st.text(max_size=50))
def test_a_status_survives_its_headers(code: Code, message: str) -> None:
    error, trailing = nats_wire.read_answer(nats_wire.write_answer(SalonError(code, message), (("k", "v"),)))
    assert error is not None
    assert (error.code, error.message, trailing) == (code, message, (("k", "v"),))


def test_success_has_no_error() -> None:
    assert nats_wire.read_answer(nats_wire.write_answer(None, ())) == (None, ())


@given(HEADERS)
def test_odd_headers_of_a_request_are_the_callers_fault(headers: dict[str, str]) -> None:
    try:
        nats_wire.read_request(headers)
    except SalonError as error:
        assert error.code is Code.INVALID_ARGUMENT  # noqa: PT017 - good headers by chance are fine too


@given(HEADERS)
def test_odd_headers_of_an_answer_are_internal(headers: dict[str, str]) -> None:
    try:
        nats_wire.read_answer(headers)
    except SalonError as error:
        assert error.code is Code.INTERNAL  # noqa: PT017 - good headers by chance are fine too
