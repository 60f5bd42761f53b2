"""A real relay, by the overlay's configuration: who it leads on, and to whom it does not."""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint
from deploy.relay_server import PASSWORD, USER, Relay, address_of_this_machine, running_relay
from support.certificates import make_certificates

pytestmark = pytest.mark.stack

FORBIDDEN = 403
OTHERS = ["127.0.0.1", "10.96.0.1", "169.254.169.254", "198.51.100.7", "224.0.0.1"]
"""The relay's own machine, a cluster's API, a cloud's metadata, the internet, a group."""


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    address = address_of_this_machine()
    with running_relay(tmp_path / "relay", address, f"{address}-{address}") as relay:
        yield relay


class Box(asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.failed: asyncio.Queue[Exception] = asyncio.Queue()
        self.ended = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.came.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.failed.put_nowait(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


@asynccontextmanager
async def relayed(
    relay: Relay, tls: ssl.SSLContext | None = None, password: str = PASSWORD
) -> AsyncIterator[tuple[Any, Box]]:
    """A place at the relay."""
    port = relay.tls if tls else relay.tcp
    transport, box = await create_turn_endpoint(
        Box, (relay.address, port), USER, password, ssl=tls, transport="tcp"
    )
    try:
        yield transport, box
    finally:
        transport.close()
        await asyncio.wait_for(box.ended.wait(), 10)


@asynccontextmanager
async def peer(address: str) -> AsyncIterator[tuple[int, Box]]:
    """Somebody who stands for a media node: the port, and what came."""
    loop = asyncio.get_running_loop()
    transport, box = await loop.create_datagram_endpoint(Box, local_addr=(address, 0))
    try:
        yield transport.get_extra_info("sockname")[1], box
    finally:
        transport.close()
        await box.ended.wait()


async def soon(queue: "asyncio.Queue[Any]") -> Any:
    """The next of them."""
    async with asyncio.timeout(10):
        return await queue.get()


@pytest.mark.parametrize("by", ["tcp", "tls"])
async def test_it_leads_on_to_media_nodes(relay: Relay, by: str) -> None:
    tls = ssl.create_default_context(cafile=relay.directory / "ca.crt") if by == "tls" else None
    async with peer(relay.address) as (port, box), relayed(relay, tls) as (transport, _):
        transport.sendto(b"picture", (relay.address, port))
        data, (address, _) = await soon(box.came)
        assert (data, address) == (b"picture", relay.address)


@pytest.mark.parametrize("address", OTHERS)
async def test_it_leads_nowhere_else(relay: Relay, address: str) -> None:
    async with relayed(relay) as (transport, box):
        transport.sendto(b"anything", (address, 40_000))
        error = await soon(box.failed)
        assert isinstance(error, TransactionFailed)
        assert error.response.error_code == FORBIDDEN


async def test_who_does_not_know_the_password_gets_no_place(relay: Relay) -> None:
    with pytest.raises(TransactionFailed, match="401"):
        async with relayed(relay, password="another"):
            pass


async def test_nothing_is_heard_by_udp(relay: Relay) -> None:
    """Whoever can come by UDP needs no relay, and nobody can make it answer others by a forged address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((relay.address, relay.tcp))


async def test_a_renewed_certificate_is_taken_without_ending_a_call(relay: Relay) -> None:
    """What the pod's reloader sends is SIGUSR2."""
    before = ssl.create_default_context(cafile=relay.directory / "ca.crt")
    async with peer(relay.address) as (port, box), relayed(relay, before) as (transport, _):
        renewed = make_certificates(relay.directory, relay.address)
        relay.process.send_signal(signal.SIGUSR2)
        after = ssl.create_default_context(cafile=renewed.ca)
        async with asyncio.timeout(10):
            while not await _greets(relay, after):  # noqa: ASYNC110 - it can only be asked
                await asyncio.sleep(0.05)
        transport.sendto(b"still there", (relay.address, port))
        assert (await soon(box.came))[0] == b"still there"


async def _greets(relay: Relay, trusted: ssl.SSLContext) -> bool:
    """Whether its certificate is one of that authority."""
    try:
        _, writer = await asyncio.open_connection(relay.address, relay.tls, ssl=trusted)
    except ssl.SSLCertVerificationError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
