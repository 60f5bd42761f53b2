"""Lets pages of other origins call the Connect mount (Fetch standard, "HTTP-redirects and CORS protocol").

Credentials are bearer tokens in a header, never cookies, so none are allowed to travel along.
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

_Message = MutableMapping[str, Any]
_Send = Callable[[_Message], Awaitable[None]]

_PREFLIGHT = (
    (b"access-control-allow-methods", b"POST"),
    (
        b"access-control-allow-headers",
        b"authorization, connect-protocol-version, connect-timeout-ms, content-type, grpc-timeout, x-grpc-web, x-user-agent",
    ),
    (b"access-control-max-age", b"7200"),
)
_EXPOSED = (
    b"access-control-expose-headers",
    b"grpc-message, grpc-status, grpc-status-details-bin",
)


class Cors:
    """An ASGI app that answers preflights and marks answers for the origins that may read them."""

    def __init__(self, app: Any, allow_origins: Sequence[str]) -> None:
        self._app = app
        self._any = "*" in allow_origins
        self._origins = {origin.encode() for origin in allow_origins}

    async def __call__(
        self, scope: _Message, receive: Callable[[], Awaitable[_Message]], send: _Send
    ) -> None:
        """One request."""
        origin = next((value for key, value in scope.get("headers", ()) if key == b"origin"), None)
        if scope["type"] != "http" or origin is None:
            await self._app(scope, receive, send)
            return
        marks = self._marks(origin)
        if scope["method"] == "OPTIONS":
            await send(
                {
                    "type": "http.response.start",
                    "status": 204,
                    "headers": [*marks, *(_PREFLIGHT if marks[1:] else ())],
                }
            )
            await send({"type": "http.response.body"})
            return

        async def send_marked(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *marks]}
            await send(message)

        await self._app(scope, receive, send_marked)

    def _marks(self, origin: bytes) -> list[tuple[bytes, bytes]]:
        marks = [(b"vary", b"origin")]
        if self._any or origin in self._origins:
            marks += [(b"access-control-allow-origin", origin), _EXPOSED]
        return marks
