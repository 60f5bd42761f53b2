"""Addresses to listen on: `host:port` as operators write it, ranges of ports, and sockets whose failures say what to do."""

import contextlib
import os
import random
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from salon_common.errors import SettingsError

UNACKNOWLEDGED_MS = 10_000
"""A peer that acknowledges nothing for so long is gone (RFC 5482): accepted connections inherit it. Without it, a phone
that lost its network would keep its stream for a quarter of an hour."""


_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses of documentation: only the way there is asked for."""

Bound = TypeVar("Bound")


@dataclass(frozen=True)
class PortRange:
    """Ports that several processes of a host share: each takes what is free."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    @classmethod
    def parse(cls, text: str) -> "PortRange":
        """Read `first-last`. Raises ValueError."""
        found = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]) <= 65535:
            raise ValueError("must be first-last with ports of 1-65535, as in 40000-40099")
        return cls(int(found[1]), int(found[2]))

    def ordered(self, start: int) -> Sequence[int]:
        """All ports, from the `start`-th on and around: who starts elsewhere seldom meets another."""
        ports = range(self.first, self.last + 1)
        start %= len(ports)
        return [*ports[start:], *ports[:start]]

    def bind(self, take: Callable[[int], Bound]) -> Bound:
        """What `take(port)` gives for the first port at which it succeeds. Raises the last one's OSError."""
        *most, last = self.ordered(random.randrange(65536))  # noqa: S311 - spreads processes, hides nothing
        for port in most:
            with contextlib.suppress(OSError):
                return take(port)
        return take(last)


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


def listen_tcp(bind: str, purpose: str, ports: PortRange | None = None) -> socket.socket:
    """A listening TCP socket; with `ports`, on a free one of them. Raises SettingsError that names `purpose`, such as
    "health", and the address.
    """
    host, port = parse_bind(bind)
    try:
        return ports.bind(lambda free: _listen(host, free)) if ports else _listen(host, port)
    except OSError as error:
        raise cannot_listen(purpose, f"{bind} of {ports}" if ports else bind, error) from error


def listen_unix(path: Path, purpose: str) -> socket.socket:
    """A listening Unix socket, in place of one that a former process left. Raises SettingsError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and not _answers(path):
            path.unlink()
        sock.bind(str(path))
        sock.listen(64)
    except OSError as error:
        sock.close()
        raise cannot_listen(purpose, str(path), error) from error
    return sock


def own_address(family: socket.AddressFamily = socket.AF_INET) -> str | None:
    """The address from which this host reaches others, as its routing table has it; None without a route. Sends nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((_ELSEWHERE[family], 9))
        except OSError:
            return None
        return str(sock.getsockname()[0])


def join_address(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    """The protocol is given by name because asyncio sets TCP_NODELAY only where it stands: without, an answer's body waits
    40 ms for the acknowledgement of its head.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock


def _answers(path: Path) -> bool:
    """Whether a process listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(str(path)) == 0


def cannot_listen(purpose: str, bind: str, error: Exception) -> SettingsError:
    """What to tell an operator whose address is taken or not of this host."""
    number = getattr(error, "errno", None)
    reason = os.strerror(number) if number else str(error)
    return SettingsError(f"{purpose}: cannot listen on {bind} ({reason}): free the port or choose another")
