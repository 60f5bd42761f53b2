"""Runs an ASGI app by uvicorn inside the process, beside everything else on the loop."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator, Sequence
from typing import Any

import uvicorn

from salon_common.net import listen_tcp

MAX_CONNECTIONS = 16_384
"""Connections at once; one more is answered 503. By HTTP/1.1 each open stream holds one."""


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to `salon_common.process` and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield

    async def startup(self, sockets: Any = None) -> None:
        """Start to accept."""
        await super().startup(sockets)
        self.up.set()


class WebMount:
    """An ASGI app on a TCP port. Requests' addresses are taken from proxies' headers only when `trusted_proxies` names them."""

    def __init__(
        self,
        app: Any,
        bind: str | Callable[[], Sequence[socket.socket]],
        *,
        purpose: str = "web",
        trusted_proxies: tuple[str, ...] = (),
        max_connections: int = MAX_CONNECTIONS,
        grace: float = 3.0,
    ) -> None:
        """`bind` is an address, or makes the listening sockets, the first of which has the port."""
        self._app = app
        self._bind = bind
        self._purpose = purpose
        self._trusted_proxies = trusted_proxies
        self._max_connections = max_connections
        self._grace = grace
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listen; returns the port. Raises SettingsError when the address cannot be had."""
        bind = self._bind
        sockets = [listen_tcp(bind, self._purpose)] if isinstance(bind, str) else list(bind())
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            interface="asgi3",
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=bool(self._trusted_proxies),
            limit_concurrency=self._max_connections,
            forwarded_allow_ips=list(self._trusted_proxies),
            timeout_graceful_shutdown=max(1, round(self._grace)),
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=sockets), name=f"{self._purpose} server")
        up = asyncio.create_task(self._server.up.wait())
        await asyncio.wait({up, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            up.cancel()
            await self._task
        return int(sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop to accept, let requests finish for the grace, then cancel them."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._server = self._task = None
