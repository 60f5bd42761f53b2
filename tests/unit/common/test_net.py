"""Addresses to listen on."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import SettingsError
from salon_common.net import listen_tcp, parse_bind


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
