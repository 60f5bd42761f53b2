"""The same service for browsers: Connect over HTTP, its CORS, and a page that is closed."""

import asyncio
import json
import struct
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from salon.rooms.v1 import presence_pb2
from salon.signaling.v1 import signaling_pb2
from signaling.world import ORIGIN, World
from unit.signaling.fakes import ROOM, SECRET

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def fake_rooms(world: World) -> None:
    await world.fake_rooms()


PATH = "/salon.signaling.v1.SignalingService/"


class Page:
    """A browser's connection: one HTTP/1.1 request, a chunked answer of Connect envelopes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._body = b""

    async def post(self, method: str, content_type: str, body: bytes) -> tuple[int, dict[str, str]]:
        head = (
            f"POST {PATH}{method} HTTP/1.1\r\nhost: localhost\r\norigin: {ORIGIN}\r\ncontent-type: {content_type}\r\n"
            f"connect-protocol-version: 1\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        return int(status.split()[1]), headers

    async def message(self) -> signaling_pb2.JoinResponse:
        """The next envelope of a stream."""
        async with asyncio.timeout(10):
            flags, length = struct.unpack(">BI", await self._take(5))
            data = await self._take(length)
        assert flags == 0, data
        return signaling_pb2.JoinResponse.FromString(data)

    async def _take(self, count: int) -> bytes:
        while len(self._body) < count:
            size = int(await self._reader.readline(), 16)
            self._body += (await self._reader.readexactly(size + 2))[:-2]
        taken, self._body = self._body[:count], self._body[count:]
        return taken

    async def rest(self) -> bytes:
        """The whole body."""
        while size := int(await self._reader.readline(), 16):
            self._body += (await self._reader.readexactly(size + 2))[:-2]
        return self._body


@asynccontextmanager
async def page(port: int) -> AsyncIterator[Page]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Page(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


def join() -> bytes:
    request = signaling_pb2.JoinRequest(
        room_id=ROOM, request_id=uuid.uuid4().hex, invite_secret=SECRET, name="Ada", offer="v=0"
    ).SerializeToString()
    return struct.pack(">BI", 0, len(request)) + request


async def test_a_page_joins_sees_events_and_is_gone_when_closed(world: World) -> None:
    replica = await world.replica(1)
    async with page(replica.ports["web"]) as browser:
        status, headers = await browser.post("Join", "application/connect+proto", join())
        assert status == 200
        assert headers["access-control-allow-origin"] == ORIGIN
        welcome = (await browser.message()).welcome
        await world.chat("hello")
        assert (await browser.message()).event.chat.text == "hello"
        await world.until_reported(welcome.participant_id, presence_pb2.PRESENCE_STATUS_EXPECTED)
    await world.until_reported(welcome.participant_id, presence_pb2.PRESENCE_STATUS_GONE)


async def test_a_refusal_reads_well_in_a_browser(world: World) -> None:
    replica = await world.replica(1)
    async with page(replica.ports["web"]) as browser:
        body = json.dumps({"roomId": ROOM, "inviteSecret": "x" * 22}).encode()
        status, _ = await browser.post("PreviewRoom", "application/json", body)
        answer = json.loads(await browser.rest())
    assert status == 404
    assert answer == {"code": "not_found", "message": "this link leads nowhere"}
