"""Addresses to listen on: `host:port` as operators write it, and sockets whose failures say what to do."""

import os
import socket

from salon_common.errors import SettingsError


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
    """A listening TCP socket. Raises SettingsError that names `purpose`, such as "health", and the address."""
    host, port = parse_bind(bind)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise cannot_listen(purpose, bind, error) from error


def cannot_listen(purpose: str, bind: str, error: Exception) -> SettingsError:
    """What to tell an operator whose address is taken or not of this host."""
    errno = getattr(error, "errno", None)
    reason = os.strerror(errno) if errno else str(error)
    return SettingsError(f"{purpose}: cannot listen on {bind} ({reason}): free the port or choose another")
