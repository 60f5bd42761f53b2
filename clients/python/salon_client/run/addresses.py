"""Addresses of this machine: the ones media is advertised at, and whether a port is free."""

import errno
import socket
from collections.abc import Sequence

from salon_common.errors import Code, SalonError
from salon_common.net import own_address

LOOPBACK = "127.0.0.1"


def default_advertised() -> Sequence[str]:
    """Loopback, and the address this machine would send from if it has a way out."""
    outward = own_address()
    return [LOOPBACK] if outward is None or outward == LOOPBACK else [LOOPBACK, outward]


def require_free_port(host: str, port: int, option: str) -> None:
    """Raises SalonError that names the port and the option when something else listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            problem = f"port {port} cannot be used on {host} ({error.strerror})"
            if error.errno == errno.EADDRINUSE:
                problem = f"port {port} is in use"
            raise SalonError(Code.FAILED_PRECONDITION, f"{problem}: choose another with {option}") from None
