"""What stands for a caller's address in rate limits: an IPv4 address, or an IPv6 /64, since a host owns all of that.

Peers come as gRPC names them: `ipv4:192.0.2.1:5000`, `ipv6:[2001:db8::1]:5000` (brackets may be percent-encoded) or `unix:`.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote

UNKNOWN = "unknown"
"""Callers without a readable address share one limit."""


def limit_key(peer: str, forwarded_for: Sequence[str] = (), *, trusted_proxies: int = 0) -> str:
    """The caller's key.

    Behind `trusted_proxies` reverse proxies the address is the one that the outermost of them added to
    `x-forwarded-for`; what stands left of it came from the caller and is not believed.
    """
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    if trusted_proxies and len(hops) >= trusted_proxies:
        return _key(hops[-trusted_proxies])
    return _key(_host(unquote(peer)))


def _host(peer: str) -> str:
    scheme, _, rest = peer.partition(":")
    if scheme not in ("ipv4", "ipv6"):
        rest = peer
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest.rpartition(":")[0] if rest.count(":") == 1 else rest


def _key(host: str) -> str:
    try:
        address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)
