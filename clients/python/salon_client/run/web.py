"""The web server of an all-in-one run: the built web app, its configuration, and tokens of the demo app.

An ASGI application. Only for one machine: a real deployment serves the same files from any web server, and its app's
backend signs the tokens.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from salon_client.run.static import File, StaticSite

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

NAME_CHARACTERS = 64


@dataclass(frozen=True)
class Answer:
    """A response before it meets ASGI."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class WebApp:
    """Answers GET and HEAD."""

    def __init__(
        self,
        site: StaticSite,
        config: Callable[[], Mapping[str, Any]],
        demo_token: Callable[[str], str],
    ) -> None:
        self._site = site
        self._config = config
        self._demo_token = demo_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry."""
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        answer = self.answer(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers)
        fields = {"content-length": str(len(answer.body)), **self._security_headers(), **answer.headers}
        raw = [(name.encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        """Decide what a request gets."""
        if method not in ("GET", "HEAD"):
            return _text(405, "only GET and HEAD", {"allow": "GET, HEAD"})
        if path == "/config.json":
            return _json(self._config())
        if path == "/demo/token":
            return self._token(query)
        # A room's page and the start page are one: the app reads its own path.
        file = self._site.page() if path == "/" or path.startswith("/r/") else self._site.find(path)
        return _text(404, "not found") if file is None else _file(file, headers)

    def _token(self, query: str) -> Answer:
        try:
            name = parse_qs(query, max_num_fields=8).get("name", [""])[0].strip()
        except ValueError:
            name = ""
        if not 1 <= len(name) <= NAME_CHARACTERS or not name.isprintable():
            return _text(400, f"name: must be 1-{NAME_CHARACTERS} characters, no control characters")
        return _json({"token": self._demo_token(name)})

    def _security_headers(self) -> Mapping[str, str]:
        return security_headers(self._config().get("signaling", []))


def security_headers(signaling: Sequence[str]) -> Mapping[str, str]:
    """What every answer carries: the page may talk to itself and to signaling, and to nobody else."""
    connect = " ".join(["'self'", *(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in signaling)])
    policy = {
        "default-src": "'self'",
        "connect-src": connect,
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob: mediastream:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "permissions-policy": "camera=(self), microphone=(self), display-capture=(self)",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
    }


def _file(file: File, headers: Mapping[str, str]) -> Answer:
    fields = {"content-type": file.content_type, "cache-control": file.cache_control, "etag": file.etag}
    if headers.get("if-none-match") == file.etag:
        return Answer(304, b"", fields)
    if file.compressed is None:
        return Answer(200, file.body, fields)
    fields["vary"] = "accept-encoding"
    if "gzip" in headers.get("accept-encoding", ""):
        return Answer(200, file.compressed, fields | {"content-encoding": "gzip"})
    return Answer(200, file.body, fields)


def _json(value: Mapping[str, Any]) -> Answer:
    return Answer(
        200, json.dumps(value).encode(), {"content-type": "application/json", "cache-control": "no-store"}
    )


def _text(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    fields = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
    return Answer(status, f"{text}\n".encode(), fields | dict(headers or {}))
