"""The probe, against real sockets on loopback that behave as dead, frozen, restarted and hostile processes do."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from salon_common.health import HealthServer
from salon_rooms.core.suspicion import PROBE_SECONDS, ProbeOutcome
from salon_rooms.probe import probe

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server that does as told with each connection; its address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(answer: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return handle


async def test_a_node_that_lives_answers_by_its_name() -> None:
    server = HealthServer("127.0.0.1:0", boot_id="b1")
    address = f"127.0.0.1:{await server.start()}"
    try:
        assert await probe(address, "b1") is ProbeOutcome.ANSWERED
        assert await probe(address, "b2") is ProbeOutcome.OTHER_BOOT
    finally:
        await server.stop()
    assert await probe(address, "b1") is ProbeOutcome.REFUSED


async def test_a_frozen_process_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        began = asyncio.get_running_loop().time()
        assert await probe(f"127.0.0.1:{frozen.getsockname()[1]}", "b1") is ProbeOutcome.SILENT
        assert PROBE_SECONDS <= asyncio.get_running_loop().time() - began < PROBE_SECONDS + 0.3


async def test_a_reset_is_a_refusal() -> None:
    async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with serving(reset) as address:
        assert await probe(address, "b1") is ProbeOutcome.REFUSED


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nSALON-BOOT-ID:  b1\r\n\r\nalive", ProbeOutcome.ANSWERED),
        (b"HTTP/1.1 200 OK\r\nsalon-boot-id: b7\r\n\r\n", ProbeOutcome.OTHER_BOOT),
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", ProbeOutcome.SILENT),
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n", ProbeOutcome.SILENT),
        (b"", ProbeOutcome.SILENT),
        (b"\xff\xfe\r\n\r\n", ProbeOutcome.SILENT),
        (b"salon-boot-id: b1\r\n\r\n", ProbeOutcome.SILENT),
        (b"x" * 100_000, ProbeOutcome.SILENT),
        (b"y: " + b"x" * 100_000 + b"\r\n\r\n", ProbeOutcome.SILENT),
    ],
)
async def test_answers_that_are_odd_prove_nothing(answer: bytes, outcome: ProbeOutcome) -> None:
    async with serving(saying(answer)) as address:
        assert await probe(address, "b1") is outcome


async def test_an_answer_that_drips_in_is_waited_for_no_longer() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)

    async with serving(drip) as address:
        async with asyncio.timeout(PROBE_SECONDS + 0.3):
            assert await probe(address, "b1") is ProbeOutcome.SILENT


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "localhost:80", "example.org:80", "127.0.0.1:0", "127.0.0.1:99999", "[::1", ":1"],
)
async def test_what_is_no_address_is_not_connected_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(host: str, port: int, **_options: int) -> None:
        assert (host, port) == ("127.0.0.1", 0)
        raise OSError

    monkeypatch.setattr(asyncio, "open_connection", connect)
    assert await probe(address, "b1") is ProbeOutcome.SILENT


async def test_a_connection_that_meets_itself_is_a_refusal() -> None:
    """The kernel may give our end the very port that is asked for; what is read then is what was written."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        reader, writer = await asyncio.open_connection(sock=sock.dup())

        async def connect(_host: str, _port: int, **_options: int) -> object:
            return reader, writer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "open_connection", connect)
            assert await probe("127.0.0.1:9", "b1") is ProbeOutcome.REFUSED
