"""What stands for a caller's address in rate limits: an IPv4 address, or an IPv6 /64, since a host owns all of that.

Peers come as gRPC names them: `ipv4:192.0.2.1:5000`, `ipv6:[2001:db8::1]:5000` (brackets may be percent-encoded) or `unix:`.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote

Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""Callers without a readable address share one limit."""


def limit_key(peer: str, forwarded_for: Sequence[str] = (), trusted_proxies: Sequence[Network] = ()) -> str:
    """The caller's key.

    A proxy that is trusted names the one it was called by in `x-forwarded-for`; so the address is the rightmost
    that is no trusted proxy. What stands left of it came from the caller and is not believed.
    """
    address = _address(_host(unquote(peer)))
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    while hops and address is not None and any(address in network for network in trusted_proxies):
        address = _address(hops.pop())
    if address is None:
        return UNKNOWN
    return str(address if isinstance(address, IPv4Address) else IPv6Network((address, 64), strict=False))


def _host(peer: str) -> str:
    scheme, _, rest = peer.partition(":")
    if scheme not in ("ipv4", "ipv6"):
        rest = peer
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest.rpartition(":")[0] if rest.count(":") == 1 else rest


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
