"""Addresses to listen on."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import SettingsError
from salon_common.net import PortRange, join_address, listen_tcp, own_address, parse_bind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::]:8080", ("::", 8080)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_it_is_split(text: str, expected: tuple[str, int]) -> None:
    assert parse_bind(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "8080", ":8080", "host", "host:", "host:x", "host:-1", "host:65536", "host:٣", "::1:80", "[]:80"],
)
def test_the_rest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be host:port"):
        parse_bind(text)


@given(st.text(max_size=20))
def test_nothing_else_is_raised(text: str) -> None:
    try:
        host, port = parse_bind(text)
    except ValueError:
        return
    assert host
    assert 0 <= port <= 65535


def test_a_busy_port_is_named_with_its_purpose() -> None:
    with listen_tcp("127.0.0.1:0", "web") as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingsError) as caught:
            listen_tcp(bind, "health")
    assert (
        str(caught.value)
        == f"health: cannot listen on {bind} (Address already in use): free the port or choose another"
    )


def test_connections_will_have_no_delay() -> None:
    """asyncio sets TCP_NODELAY only on sockets that name their protocol."""
    with listen_tcp("127.0.0.1:0", "web") as sock:
        assert sock.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("text", ["", "40000", "40000-", "5-4", "0-9", "1-65536", "a-b", "1-2-3", "٣-٤"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be first-last"):
        PortRange.parse(text)


@given(st.integers(1, 65000), st.integers(0, 50), st.integers(0, 10**6))
def test_every_port_of_a_range_has_its_turn(first: int, more: int, start: int) -> None:
    ports = PortRange(first, first + more)
    ordered = ports.ordered(start)
    assert sorted(ordered) == list(range(first, first + more + 1))
    assert ordered[0] == first + start % (more + 1)
    assert PortRange.parse(str(ports)) == ports


def test_the_next_port_is_tried_until_one_is_free() -> None:
    tried: list[int] = []

    def take(port: int) -> int:
        tried.append(port)
        if port != 7:
            raise OSError(98, "Address already in use")
        return port

    assert PortRange(1, 9).bind(take) == 7
    assert len(set(tried)) == len(tried)
    with pytest.raises(OSError, match="in use"):
        PortRange(1, 3).bind(take)


def test_a_full_range_is_named() -> None:
    with listen_tcp("127.0.0.1:0", "web") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"health: cannot listen on 127.0.0.1:0 of {port}-{port} "):
            listen_tcp("127.0.0.1:0", "health", PortRange(port, port))


def test_the_hosts_own_address_can_be_bound() -> None:
    address = own_address()
    assert address is not None, "this test needs a route to somewhere"
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))


def test_addresses_are_joined_with_brackets_where_they_need_them() -> None:
    assert join_address("192.0.2.1", 80) == "192.0.2.1:80"
    assert parse_bind(join_address("2001:db8::1", 80)) == ("2001:db8::1", 80)
