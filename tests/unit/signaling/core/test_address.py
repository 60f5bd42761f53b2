"""Peers of each transport, and proxies that are or are not believed."""

from ipaddress import ip_network

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


def test_forwarded_addresses_count_only_from_trusted_proxies() -> None:
    peer, forwarded = "ipv4:10.0.0.1:80", ["203.0.113.9, 198.51.100.7", "10.0.0.2"]
    outer, both = [ip_network("10.0.0.1")], [ip_network("10.0.0.0/8")]
    assert limit_key(peer, forwarded) == "10.0.0.1"
    assert limit_key(peer, forwarded, outer) == "10.0.0.2"
    assert limit_key(peer, forwarded, both) == "198.51.100.7"
    assert limit_key(peer, [], both) == "10.0.0.1"
    assert limit_key("ipv4:192.0.2.1:80", forwarded, both) == "192.0.2.1"
    assert limit_key(peer, ["no address"], both) == UNKNOWN


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_has_a_key(peer: str, forwarded: list[str]) -> None:
    assert limit_key(peer, forwarded, [ip_network("0.0.0.0/0")])
