"""A whole Salon on one machine: NATS, rooms, signaling, media nodes and the web app, as processes of their own.

Owns their order, their ports and their end. `salon run` shows it to people; tests kill and restart its parts by name:
`nats`, `rooms-1`, `signaling-2`, `media-1` and so on, or freeze them, or cut the links of media nodes. The web server runs in this process.
"""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from salon_common.errors import Code, SalonError
from salon_common.ids import RoomId
from salon_common.nats_access import NatsAccess
from salon_common.web import WebMount

from salon_client.api import SignalingApi
from salon_client.link import Link
from salon_client.nodes import RUN_FILE, Where, write_run_file
from salon_client.run import nats_server
from salon_client.run.addresses import LOOPBACK, require_free_port
from salon_client.run.apps import DEMO_APP, Keys, ensure_keys
from salon_client.run.isolation import IsolatedHost, make_host
from salon_client.run.lock import lock_directory
from salon_client.run.processes import ManagedProcess, Program
from salon_client.run.services import REGION, Context, media_program, rooms_program, signaling_program
from salon_client.run.static import StaticSite
from salon_client.run.web import WebApp

__all__ = ["Link", "Stack"]

NO_SETTINGS: Mapping[str, Mapping[str, str]] = {}

_RESTART_SECONDS = 0.5
_RESTART_LIMIT_SECONDS = 10.0


class Stack:
    """The running whole: `async with Stack(directory=…) as stack`."""

    def __init__(
        self,
        *,
        directory: Path,
        rooms: int = 2,
        signaling: int = 2,
        media: int = 2,
        web: bool = True,
        web_port: int = 0,
        web_root: Path | None = None,
        advertise: Sequence[str] = (LOOPBACK,),
        keep: bool = False,
        restart_crashed: bool = False,
        grace: float = 0.0,
        settings: Mapping[str, Mapping[str, str]] = NO_SETTINGS,
        isolate: Sequence[str] = (),
        on_news: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Nothing runs yet.

        `directory` gets keys, logs and JetStream, the latter two of this run alone unless `keep`. `web_root` is the built web app; None looks for
        `web/app/dist` around this file. `advertise` are the addresses at which clients reach the media nodes. `grace` is how long a part may take
        to end after SIGTERM; 0 kills at once, as tests want it. `settings` is more environment by kind of service: `{"rooms":
        {"SALON_ROOMS_…": "…"}}`. `isolate` names media nodes that get a link of their own, which `cut` cuts; it needs root. `on_news` is told when a part ends by itself, and when `restart_crashed` has started it again.
        """
        self.counts = {"rooms": rooms, "signaling": signaling, "media": media}
        self.advertise = tuple(advertise)
        self.on_news = on_news
        self.directory = directory.resolve()
        self._serve_web = web
        self._web_port = web_port
        self._web_root = web_root
        self._keep = keep
        self._restart_crashed = restart_crashed
        self._grace = grace
        self._settings = settings
        self._isolate = isolate
        self._isolated: dict[str, IsolatedHost] = {}
        self._processes: dict[str, ManagedProcess] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._web: WebMount | None = None
        self._keys: Keys | None = None
        self._lock: IO[bytes] | None = None

    async def __aenter__(self) -> "Stack":
        try:
            await self._start_all()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # ---- where things are

    @property
    def web_origin(self) -> str:
        """Where the web app is served."""
        return f"http://localhost:{self._web_port}"

    @property
    def signaling_grpc(self) -> list[str]:
        """The gRPC addresses of the signaling replicas."""
        return [f"localhost:{process.ports['grpc']}" for process in self._of_kind("signaling")]

    @property
    def signaling_web(self) -> list[str]:
        """The Connect addresses of the signaling replicas."""
        return [f"http://localhost:{process.ports['web']}" for process in self._of_kind("signaling")]

    @property
    def nats_url(self) -> str:
        """The NATS server."""
        return f"nats://{self._nats_host}:{self._processes[nats_server.NAME].ports['nats']}"

    def nats_access(self, user: str) -> NatsAccess:
        """For connecting to the NATS server as one of its users, such as `operator`."""
        return NatsAccess(self.nats_url, user, self.keys.nats[user])

    @property
    def keys(self) -> Keys:
        """The demo app's keys."""
        assert self._keys is not None, "the stack is not started"
        return self._keys

    @property
    def names(self) -> Sequence[str]:
        """The processes, in the order of their start."""
        return tuple(self._processes)

    def pid(self, name: str) -> int:
        """The process of a part. Raises SalonError when it does not run."""
        pid = self._process(name).pid
        if pid is None:
            raise SalonError(Code.FAILED_PRECONDITION, f"{name} is not running")
        return pid

    def log_path(self, name: str) -> Path:
        """The log file of a part."""
        return self._process(name).log_path

    def ports(self, name: str) -> Mapping[str, int]:
        """The ports that a part said it serves: `grpc`, `web`, `health`, `udp`, `nats`."""
        return self._process(name).ports

    def health_address(self, name: str) -> str:
        """Where a part answers /livez, /readyz and /metrics."""
        host = self._isolated[name].inside if name in self._isolated else LOOPBACK
        return f"{host}:{self.ports(name)['health']}"

    # ---- what can be done with it

    async def create_room(self, title: str = "", *, name: str = "Host") -> Link:
        """Make a room as a new user of the demo app."""
        async with SignalingApi(self.signaling_grpc) as api:
            made = await api.create_room(self.keys.app_token(name), title)
        return Link(self.web_origin, RoomId(made.room.id), made.invite_secret, made.host_secret)

    async def kill(self, name: str) -> None:
        """SIGKILL one part; it stays down until `start`."""
        await self._unwatch(name)
        await self._process(name).kill()

    async def terminate(self, name: str, grace: float = 10.0) -> None:
        """End one part in an orderly way; it stays down until `start`."""
        await self._unwatch(name)
        await self._process(name).stop(grace)

    async def start(self, name: str) -> None:
        """Start one part again, at the ports it had."""
        process = self._process(name)
        await process.start()
        self._watch(process)

    def freeze(self, name: str) -> None:
        """SIGSTOP one part: it keeps its sockets, and does nothing."""
        self._process(name).send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT one part that was frozen."""
        self._process(name).send_signal(signal.SIGCONT)

    def cut(self, name: str) -> None:
        """Let nothing more pass to or from an isolated node; nobody is told."""
        self._isolated[name].cut()

    def mend(self, name: str) -> None:
        """Undo `cut`."""
        self._isolated[name].mend()

    async def stop(self) -> None:
        """End everything: first what clients talk to, NATS last. Safe to call twice."""
        await asyncio.gather(*(self._unwatch(name) for name in tuple(self._watchers)))
        if self._web is not None:
            web, self._web = self._web, None
            await web.stop()
        await self._end_processes(self._grace)
        while self._isolated:
            self._isolated.popitem()[1].remove()
        if self._lock is not None:
            (self.directory / RUN_FILE).unlink(missing_ok=True)
            self._lock.close()

    def hurry(self) -> None:
        """Kill what still runs, while `stop` waits for it."""
        for process in self._processes.values():
            process.send_signal(signal.SIGKILL)

    async def _end_processes(self, grace: float) -> None:
        if grace == 0:
            await asyncio.gather(*(process.kill() for process in self._processes.values()))
            return
        for kind in ("signaling", "media", "rooms", nats_server.NAME):
            await asyncio.gather(*(process.stop(grace) for process in self._of_kind(kind)))

    # ---- starting

    async def _start_all(self) -> None:
        if self._serve_web and self._web_port:
            require_free_port(LOOPBACK, self._web_port, "--port")
        self._prepare_directory()
        self._keys = ensure_keys(self.directory / "keys")
        if self._serve_web:
            self._web = WebMount(self._web_app(), f"{LOOPBACK}:{self._web_port}")
            self._web_port = await self._web.start()
        for name in self._isolate:
            self._isolated[name] = make_host()
        nats = nats_server.nats_program(self.directory / "nats", self._keys.nats, self._nats_host)
        await self._start_programs([nats])
        context = Context(
            nats_url=self.nats_url,
            nats_passwords=self._keys.nats,
            session_key_file=self._keys.session_key,
            link_key_file=self._keys.link_key,
            apps_file=self._keys.apps,
            web_origins=[self.web_origin, f"http://127.0.0.1:{self._web_port}"],
            advertise=self.advertise,
            extra=self._settings,
            hosts={name: host.inside for name, host in self._isolated.items()},
        )
        # Nodes and replicas find each other by NATS, in whatever order they come.
        await self._start_programs(
            [
                *(rooms_program(context, number + 1) for number in range(self.counts["rooms"])),
                *(signaling_program(context, number + 1) for number in range(self.counts["signaling"])),
                *(self._place(media_program(context, number + 1)) for number in range(self.counts["media"])),
            ]
        )
        write_run_file(self.directory, Where(self.nats_access("operator"), REGION))

    @property
    def _nats_host(self) -> str:
        """Loopback, unless a node cannot reach that."""
        return next(iter(self._isolated.values())).outside if self._isolated else LOOPBACK

    def _place(self, program: Program) -> Program:
        host = self._isolated.get(program.name)
        return program.within(host.enter) if host else program

    def _prepare_directory(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock = lock_directory(self.directory)
        jetstream = self.directory / "nats" / "jetstream"
        if not self._keep:
            shutil.rmtree(jetstream, ignore_errors=True)
            shutil.rmtree(self._logs, ignore_errors=True)
        for each in (jetstream, self._logs):
            each.mkdir(parents=True, exist_ok=True)

    async def _start_programs(self, programs: Sequence[Program]) -> None:
        for program in programs:
            self._processes[program.name] = ManagedProcess(program, self._logs)
        starting = [asyncio.create_task(self.start(program.name)) for program in programs]
        try:
            await asyncio.gather(*starting)
        finally:
            # One failure ends the starting of the others; `stop` then ends what runs.
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    @property
    def _logs(self) -> Path:
        return self.directory / "logs"

    def _web_app(self) -> WebApp:
        def config() -> Mapping[str, Any]:
            demo = {"token": "/demo/token", "app": DEMO_APP}
            return {"signaling": self.signaling_web, "grpc": self.signaling_grpc, "demo": demo}

        return WebApp(StaticSite(self._web_root or find_web_root()), config, self.keys.app_token)

    # ---- watching

    def _watch(self, process: ManagedProcess) -> None:
        self._watchers[process.name] = asyncio.create_task(self._supervise(process))

    async def _unwatch(self, name: str) -> None:
        watcher = self._watchers.pop(name, None)
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def _supervise(self, process: ManagedProcess) -> None:
        """Say when a part ends by itself, and start it again if asked to, ever more slowly while it fails."""
        delay = _RESTART_SECONDS
        while True:
            code = await process.wait()
            self.on_news(f"{process.name} ended with exit code {code}; its log: {process.log_path}")
            if not self._restart_crashed:
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, _RESTART_LIMIT_SECONDS)
            with contextlib.suppress(SalonError):
                await process.start()
                self.on_news(f"{process.name} was started again")

    def _of_kind(self, kind: str) -> list[ManagedProcess]:
        return [process for name, process in self._processes.items() if name.partition("-")[0] == kind]

    def _process(self, name: str) -> ManagedProcess:
        if name not in self._processes:
            raise SalonError(
                Code.NOT_FOUND, f"no part is called {name!r}: there are {', '.join(self._processes)}"
            )
        return self._processes[name]


def find_web_root() -> Path:
    """Where the built web app is in a checkout: looked for upward from this file, then from the working directory."""
    for parent in (*Path(__file__).resolve().parents, Path.cwd(), *Path.cwd().parents):
        if (parent / "web" / "app").is_dir():
            return parent / "web" / "app" / "dist"
    return Path.cwd() / "web" / "app" / "dist"
