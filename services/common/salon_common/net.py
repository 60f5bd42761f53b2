"""Addresses to listen on: `host:port` as operators write it, and sockets whose failures say what to do."""

import os
import socket

from salon_common.errors import SettingsError

UNACKNOWLEDGED_MS = 10_000
"""A peer that acknowledges nothing for so long is gone (RFC 5482): accepted connections inherit it. Without it, a phone
that lost its network would keep its stream for a quarter of an hour."""


def parse_bind(text: str) -> tuple[str, int]:
    """Split `host:port`; IPv6 hosts stand in brackets. Raises ValueError."""
    host, separator, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        separator = ""
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("must be host:port with a port of 0-65535, as in 127.0.0.1:8080 or [::]:8080")
    return host, int(port)


def listen_tcp(bind: str, purpose: str) -> socket.socket:
    """A listening TCP socket. Raises SettingsError that names `purpose`, such as "health", and the address.

    The protocol is given by name because asyncio sets TCP_NODELAY only where it stands: without, an answer's body waits
    40 ms for the acknowledgement of its head.
    """
    host, port = parse_bind(bind)
    sock = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        raise cannot_listen(purpose, bind, error) from error
    return sock


def cannot_listen(purpose: str, bind: str, error: Exception) -> SettingsError:
    """What to tell an operator whose address is taken or not of this host."""
    errno = getattr(error, "errno", None)
    reason = os.strerror(errno) if errno else str(error)
    return SettingsError(f"{purpose}: cannot listen on {bind} ({reason}): free the port or choose another")
