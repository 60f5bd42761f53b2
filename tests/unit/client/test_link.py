import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_client.link import Link, parse_config, parse_link
from salon_common.errors import Code, SalonError
from salon_common.ids import RoomId

ROOM = "local-" + "a2b3c" * 4
SECRET = "A" * 22


def test_reads_what_it_writes() -> None:
    link = Link("http://localhost:8080", RoomId(ROOM), SECRET)
    assert link.url == f"http://localhost:8080/r/{ROOM}#{SECRET}"
    assert parse_link(f"  {link.url}\n") == link


def test_host_link_is_the_same_room_with_another_secret() -> None:
    link = Link("http://localhost:8080", RoomId(ROOM), SECRET, "B" * 22)
    assert link.host_url == f"http://localhost:8080/r/{ROOM}#{'B' * 22}"
    assert Link("http://h", RoomId(ROOM), SECRET).host_url is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "http://"),
        ("ftp://host/r/x#y", "http://"),
        ("http://user@host/r/x#y", "http://"),
        ("http://host:port/r/x#y", "web address"),
        ("http://host/room/x#y", "/r/"),
        (f"http://host/x/r/{ROOM}#y", "/r/"),
        (f"http://host/r/{ROOM}", "after #"),
        ("http://host/r/UPPER#y", "region"),
        ("http://host/" + "a" * 3000, "2048"),
    ],
)
def test_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(SalonError, match=says) as caught:
        parse_link(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith("link: ")


@given(st.text(max_size=100))
def test_any_text_is_a_link_or_an_error(text: str) -> None:
    assert _code_of(lambda: parse_link(text)) in (None, Code.INVALID_ARGUMENT)


def test_config_names_the_replicas() -> None:
    assert parse_config(b'{"grpc": ["localhost:1", "localhost:2"], "signaling": []}') == [
        "localhost:1",
        "localhost:2",
    ]


def test_a_port_alone_is_at_the_sites_host() -> None:
    assert parse_config(b'{"grpc": [":30090", "https://other.org"]}', "rooms.org") == [
        "rooms.org:30090",
        "https://other.org",
    ]


@pytest.mark.parametrize("config", [b"", b"[]", b"{}", b'{"grpc": []}', b'{"grpc": [1]}', b'{"grpc": "x"}'])
def test_config_without_addresses_is_said_to_be_so(config: bytes) -> None:
    with pytest.raises(SalonError, match="native clients"):
        parse_config(config)


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_a_config_or_an_error(value: object) -> None:
    assert _code_of(lambda: parse_config(json.dumps(value).encode())) in (None, Code.UNAVAILABLE)


def _code_of(work: Callable[[], object]) -> Code | None:
    try:
        work()
    except SalonError as error:
        return error.code
    return None
