"""The port that orchestrators and Prometheus ask: /livez, /readyz and /metrics.

Alive means that the loop turns, whatever NATS does: restarting a process mends no broker. Ready means that every named
check holds.
"""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from salon_common.web import WebMount

_log = logging.getLogger(__name__)

BOOT_ID_HEADER = b"salon-boot-id"
Check = Callable[[], bool]
_Answer = tuple[int, str, bytes]


class HealthServer:
    """Serves health and metrics on its own port.

    With a `boot_id` each answer names the incarnation that gave it, so that whoever asks at a port knows whether the process
    that had it still does.
    """

    def __init__(self, bind: str, boot_id: str = "") -> None:
        self._identity = [(BOOT_ID_HEADER, boot_id.encode())] if boot_id else []
        self._checks: dict[str, Check] = {}
        self._web = WebMount(self._app, bind, purpose="health", grace=1)

    def add_check(self, name: str, check: Check) -> None:
        """Readiness asks `check` too. A check must not block; one that raises counts as failed."""
        self._checks[name] = check

    def readiness(self) -> dict[str, bool]:
        """Every check and whether it holds."""
        return {name: _holds(name, check) for name, check in self._checks.items()}

    async def start(self) -> int:
        """Listen; returns the port. Raises SettingsError when the address cannot be had."""
        return await self._web.start()

    async def stop(self) -> None:
        """Close the port."""
        await self._web.stop()

    def _answer(self, method: str, path: str) -> _Answer:
        if method not in ("GET", "HEAD"):
            return 405, "text/plain", b"only GET\n"
        match path:
            case "/livez":
                return 200, "text/plain", b"alive\n"
            case "/readyz":
                checks = self.readiness()
                ready = all(checks.values())
                return (
                    200 if ready else 503,
                    "application/json",
                    json.dumps({"ready": ready, "checks": checks}).encode(),
                )
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
            case _:
                return 404, "text/plain", b"try /livez, /readyz or /metrics\n"

    async def _app(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        status, content_type, body = self._answer(scope["method"], scope["path"])
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
