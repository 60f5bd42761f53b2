"""Asks a node's health port whether its process still lives, and which incarnation it is."""

import asyncio
import ipaddress

from salon_common.net import parse_bind

from salon_rooms.core.suspicion import PROBE_SECONDS, ProbeOutcome

_REQUEST = b"GET /livez HTTP/1.1\r\nHost: salon\r\nConnection: close\r\n\r\n"
_BOOT_ID = "salon-boot-id"
_MAX_HEAD = 4096


async def probe(address: str, boot_id: str) -> ProbeOutcome:
    """Ask once, within 300 ms. `address` is what a heartbeat said: an IP address and a port; names are not resolved."""
    try:
        host, port = parse_bind(address)
        ipaddress.ip_address(host)
    except ValueError:
        return ProbeOutcome.SILENT
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            head = await _ask(host, port)
    except (ConnectionRefusedError, ConnectionResetError):
        return ProbeOutcome.REFUSED
    except (OSError, EOFError, asyncio.LimitOverrunError):
        return ProbeOutcome.SILENT
    answered_by = _header(head, _BOOT_ID)
    if answered_by == boot_id:
        return ProbeOutcome.ANSWERED
    # An answer without a name proves nothing: the server may be refusing one connection too many.
    return ProbeOutcome.OTHER_BOOT if answered_by else ProbeOutcome.SILENT


async def _ask(host: str, port: int) -> bytes:
    """The answer's status line and headers."""
    reader, writer = await asyncio.open_connection(host, port, limit=_MAX_HEAD)
    try:
        # On loopback a connection to a port that nobody has can meet itself, when the kernel picks that port for our end.
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            raise ConnectionRefusedError
        writer.write(_REQUEST)
        return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


def _header(head: bytes, wanted: str) -> str:
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == wanted:
            return value.strip()
    return ""
