"""The Connect mount as browsers and strangers meet it: CORS, and requests that no client of ours would send."""

import asyncio
import http.client
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from contract.probe import SERVICE, new_servicer, registry_of
from salon_common.rpc import MAX_MESSAGE, WebMount, connect_app

PREVIEW = f"/{SERVICE}/PreviewRoom"
JOIN = f"/{SERVICE}/Join"
ECHO = json.dumps({"roomId": "echo", "inviteSecret": "hello"})


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Web:
    """The mount's port, and raw requests to it."""

    port: int

    async def ask(
        self, method: str, path: str, body: bytes | str = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        def ask() -> Answer:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
            connection.close()
            return answer

        return await asyncio.to_thread(ask)

    async def send(self, data: bytes) -> bytes:
        """Raw bytes, and all that comes back."""
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(data)
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer


@pytest.fixture
async def web(request: pytest.FixtureRequest) -> AsyncIterator[Web]:
    origins = getattr(request, "param", ["https://app.example"])
    mount = WebMount(connect_app(registry_of(new_servicer()), allow_origins=origins), "127.0.0.1:0")
    yield Web(await mount.start())
    await mount.stop()


JSON = {"content-type": "application/json"}


async def test_json_by_hand(web: Web) -> None:
    answer = await web.ask("POST", PREVIEW, ECHO, JSON)
    assert (answer.status, json.loads(answer.body)) == (200, {"room": {"title": "hello"}})


async def test_a_status_is_json_with_its_http_code(web: Web) -> None:
    answer = await web.ask(
        "POST", PREVIEW, json.dumps({"roomId": "fail", "inviteSecret": "NOT_FOUND no such room"}), JSON
    )
    assert (answer.status, json.loads(answer.body)) == (404, {"code": "not_found", "message": "no such room"})


async def test_a_preflight_from_an_allowed_origin(web: Web) -> None:
    headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = await web.ask("OPTIONS", JOIN, headers=headers)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "POST"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {
        "authorization",
        "content-type",
        "connect-protocol-version",
        "connect-timeout-ms",
        "x-grpc-web",
        "grpc-timeout",
    } <= {*allowed}
    assert answer.headers["vary"] == "origin"
    assert "access-control-allow-credentials" not in answer.headers


async def test_other_origins_are_given_nothing(web: Web) -> None:
    for method in ("OPTIONS", "POST"):
        answer = await web.ask(method, PREVIEW, ECHO, JSON | {"origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "origin" in answer.headers.get_all("vary", [])


async def test_an_answer_is_marked_for_an_allowed_origin(web: Web) -> None:
    answer = await web.ask("POST", PREVIEW, ECHO, JSON | {"origin": "https://app.example"})
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "grpc-status" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("web", [["*"]], indirect=True)
async def test_a_star_allows_every_origin(web: Web) -> None:
    answer = await web.ask("POST", PREVIEW, ECHO, JSON | {"origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "https://any.example"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/", "", JSON, 404),
        ("POST", f"/{SERVICE}/Nothing", "", JSON, 404),
        ("GET", PREVIEW, "", {}, 405),
        ("DELETE", PREVIEW, "", {}, 405),
        ("POST", PREVIEW, "x", {"content-type": "text/html"}, 415),
        ("POST", PREVIEW, "x", {}, 415),
        ("POST", PREVIEW, "not json", JSON, 400),
        ("POST", PREVIEW, "[" * 100_000, JSON, 400),
        ("POST", PREVIEW, b"\xff" * 50, {"content-type": "application/proto"}, 400),
        ("POST", PREVIEW, ECHO, JSON | {"content-encoding": "gzip"}, 501),
        ("POST", PREVIEW, ECHO, JSON | {"connect-timeout-ms": "soon"}, 400),
        ("POST", PREVIEW, ECHO, JSON | {"connect-protocol-version": "7"}, 400),
        ("POST", PREVIEW, ECHO, JSON | {"x-data-bin": "****"}, 400),
        ("POST", JOIN, b"\x00\x00\x00\x00\x05ab", {"content-type": "application/connect+proto"}, 200),
        ("POST", JOIN, b"\x00\xff\xff\xff\xff", {"content-type": "application/connect+proto"}, 200),
        ("POST", JOIN, b"", {"content-type": "application/connect+proto"}, 200),
        ("POST", PREVIEW, b"\x09\x00\x00\x00\x00", {"content-type": "application/grpc-web+proto"}, 200),
        ("POST", PREVIEW, b"", {"content-type": "application/grpc"}, 415),
    ],
)
async def test_odd_requests_are_answered_and_nothing_is_logged(
    web: Web,
    method: str,
    path: str,
    body: bytes | str,
    headers: dict[str, str],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await web.ask(method, path, body, headers)
    assert answer.status == status
    assert caplog.records == []
    assert (await web.ask("POST", PREVIEW, ECHO, JSON)).status == 200


async def test_headers_that_are_not_text_are_refused(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        head = f"POST {PREVIEW} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n".encode()
        answer = await web.send(head + b"x-odd: \xff\xfe\r\ncontent-length: 2\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert caplog.records == []


async def test_a_body_without_a_length_is_cut_at_the_limit(web: Web) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = f"POST {PREVIEW} HTTP/1.1\r\nhost: x\r\ncontent-type: application/proto\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    answer = await web.send(head + chunk * 17)
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert f"the limit is {MAX_MESSAGE}".encode() in answer


async def test_json_may_be_longer_than_the_message_it_stands_for(web: Web) -> None:
    text = "\u00e9" * (MAX_MESSAGE // 2 - 100)
    body = json.dumps({"roomId": "echo", "inviteSecret": text}, ensure_ascii=False).encode() + b" " * 1000
    assert (await web.ask("POST", PREVIEW, body, JSON)).status == 200


async def test_connections_are_bounded() -> None:
    mount = WebMount(
        connect_app(registry_of(new_servicer()), allow_origins=[]), "127.0.0.1:0", max_connections=2
    )
    web = Web(await mount.start())
    _, writer = await asyncio.open_connection("127.0.0.1", web.port)
    answer = await web.ask("POST", PREVIEW, ECHO, JSON)
    writer.close()
    await writer.wait_closed()
    await mount.stop()
    assert answer.status == 503
