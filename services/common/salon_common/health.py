"""What orchestrators and Prometheus ask, on a port and on a Unix socket: /livez, /readyz and /metrics.

Alive means that the loop turns, whatever NATS does: restarting a process mends no broker. Ready means that every named
check holds; whether NATS is there is only told beside them, for all replicas lose it together, and a service without
ready replicas could not even say why.
"""

import json
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from salon_common.errors import SettingsError
from salon_common.net import PortRange, listen_tcp, listen_unix
from salon_common.web import WebMount

_log = logging.getLogger(__name__)

BOOT_ID_HEADER = b"salon-boot-id"
Check = Callable[[], bool]
_Answer = tuple[int, str, bytes]


class HealthServer:
    """Serves health and metrics on its own port, and whatever else a service tells its surroundings.

    With a `boot_id` each answer names the incarnation that gave it, so that whoever asks at a port knows whether the process
    that had it still does.
    """

    def __init__(
        self, bind: str, boot_id: str = "", *, ports: PortRange | None = None, unix: Path | None = None
    ) -> None:
        """`ports` are those to take one of, where `bind` names none; `unix` is a socket that answers the same."""
        self._identity = [(BOOT_ID_HEADER, boot_id.encode())] if boot_id else []
        self._checks: dict[str, Check] = {}
        self._information: dict[str, Check] = {}
        self._routes: dict[str, Callable[[], object]] = {}
        self._bind = bind
        self._ports = ports
        self._unix = unix
        self._web = WebMount(self._app, self._listen, purpose="health", grace=1)

    def add_check(self, name: str, check: Check) -> None:
        """Readiness asks `check` too. A check must not block; one that raises counts as failed."""
        self._checks[name] = check

    def add_information(self, name: str, check: Check) -> None:
        """Readiness tells how `check` is, and does not depend on it."""
        self._information[name] = check

    def add_route(self, path: str, answer: Callable[[], object]) -> None:
        """GET `path` is answered with what `answer` returns, as JSON. It must not block."""
        self._routes[path] = answer

    def readiness(self) -> dict[str, bool]:
        """Every check and whether it holds."""
        return {name: _holds(name, check) for name, check in self._checks.items()}

    async def start(self) -> int:
        """Listen; returns the port. Raises SettingsError when the address cannot be had."""
        return await self._web.start()

    async def stop(self) -> None:
        """Close the port."""
        await self._web.stop()
        if self._unix is not None:
            self._unix.unlink(missing_ok=True)

    def _listen(self) -> list[socket.socket]:
        listening = [listen_tcp(self._bind, "health", self._ports)]
        if self._unix is not None:
            try:
                listening.append(listen_unix(self._unix, "health"))
            except SettingsError:
                listening[0].close()
                raise
        return listening

    def _answer(self, method: str, path: str, accept: str) -> _Answer:
        if method not in ("GET", "HEAD"):
            return 405, "text/plain", b"only GET\n"
        match path:
            case "/livez":
                return 200, "text/plain", b"alive\n"
            case "/readyz":
                return self._readyz()
            case "/metrics":
                encode, content_type = choose_encoder(accept)
                return 200, content_type, encode(REGISTRY)
            case _ if path in self._routes:
                return 200, "application/json", json.dumps(self._routes[path]()).encode()
            case _:
                known = ("/livez", "/readyz", "/metrics", *self._routes)
                return 404, "text/plain", f"there are {', '.join(known)}\n".encode()

    def _readyz(self) -> _Answer:
        checks = self.readiness()
        ready = all(checks.values())
        told = {name: _holds(name, check) for name, check in self._information.items()}
        body = {"ready": ready, "checks": checks, "information": told}
        return 200 if ready else 503, "application/json", json.dumps(body).encode()

    async def _app(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        # OpenMetrics carries exemplars; Prometheus asks for it.
        accept = next((value for key, value in scope["headers"] if key == b"accept"), b"")
        status, content_type, body = self._answer(scope["method"], scope["path"], accept.decode("latin-1"))
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            *self._identity,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _holds(name: str, check: Check) -> bool:
    try:
        return bool(check())
    except Exception:  # noqa: BLE001 - a check is anybody's code; one that fails is an answer
        _log.exception("the check of readiness failed to run", extra={"check": name})
        return False
