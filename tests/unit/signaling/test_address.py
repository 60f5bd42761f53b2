"""Peers of each transport, and proxies that are or are not believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon_signaling.core.address import UNKNOWN, limit_key


@pytest.mark.parametrize(
    ("peer", "key"),
    [
        ("ipv4:192.0.2.1:5000", "192.0.2.1"),
        ("ipv6:[2001:db8:1:2:3::9]:5000", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2::9%5D:5000", "2001:db8:1:2::/64"),
        ("ipv6:%5B::1%5D:5000", "::/64"),
        ("ipv6:[::ffff:192.0.2.1]:5000", "192.0.2.1"),
        ("ipv6:[fe80::1%25eth0]:5000", "fe80::/64"),
        ("192.0.2.1:5000", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unix:", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_peers(peer: str, key: str) -> None:
    assert limit_key(peer) == key


def test_forwarded_addresses_count_only_behind_proxies() -> None:
    peer, forwarded = "ipv4:10.0.0.1:80", ["203.0.113.9, 198.51.100.7", "192.0.2.5"]
    assert limit_key(peer, forwarded) == "10.0.0.1"
    assert limit_key(peer, forwarded, trusted_proxies=1) == "192.0.2.5"
    assert limit_key(peer, forwarded, trusted_proxies=2) == "198.51.100.7"
    assert limit_key(peer, ["1.2.3.4"], trusted_proxies=2) == "10.0.0.1"
    assert limit_key(peer, [], trusted_proxies=1) == "10.0.0.1"


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=3), st.integers(0, 3))
def test_any_text_has_a_key(peer: str, forwarded: list[str], proxies: int) -> None:
    assert limit_key(peer, forwarded, trusted_proxies=proxies)
