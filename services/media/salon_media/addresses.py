"""Where others reach this node: clients by UDP, rooms and Prometheus at its health port. Found from the host where it is not set."""

import socket

from salon_common.errors import SettingsError
from salon_common.net import join_address, own_address, parse_bind

from salon_media.config import MediaSettings

_EVERYWHERE = {
    "0.0.0.0": (socket.AF_INET,),  # noqa: S104 - compared, not bound
    "::": (socket.AF_INET, socket.AF_INET6),
}


def client_addresses(settings: MediaSettings) -> list[str]:
    """The IP addresses for clients, the best first. Raises SettingsError when the host shows none."""
    if settings.advertise:
        return settings.advertise
    host, _ = parse_bind(settings.udp_bind)
    found = _own_addresses(host)
    if not found:
        raise SettingsError(
            "SALON_MEDIA_ADVERTISE: this host has no route to others: say where clients reach it"
        )
    return found


def probe_address(settings: MediaSettings, health_port: int) -> str:
    """`host:port` of the health port within the region: where it listens, or the host's own address if it listens everywhere.

    What is advertised to clients does not matter here: that may be an address in front of a firewall.
    """
    host, _ = parse_bind(settings.health_bind)
    found = _own_addresses(host) or client_addresses(settings)
    return join_address(found[0], health_port)


def _own_addresses(host: str) -> list[str]:
    families = _EVERYWHERE.get(host)
    if families is None:
        return [host]
    return [address for family in families if (address := own_address(family))]
