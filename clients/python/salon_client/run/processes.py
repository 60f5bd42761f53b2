"""One child process with a name: its log file, its readiness, its ports, and its certain end.

Owns nothing about what the process is. Output goes straight to the log file, never through a pipe: a runner that is slow
or gone cannot block a service, and readiness is read from the file. Ports that a process chose at its first start are
asked for again at later ones, so that clients find a restarted service where it was.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from salon_common.errors import Code, SalonError

Ports = Mapping[str, int]

_GUARD = Path(__file__).with_name("guard.py")
_POLL_SECONDS = 0.01
_READY_BYTES = 1 << 20


@dataclass(frozen=True)
class Program:
    """What to start, given the ports of its last run (empty at the first)."""

    name: str
    """Unique in a stack, such as `rooms-1`; also the name of its log file."""
    command: Callable[[Ports], Sequence[str]]
    """The program and its arguments."""
    environment: Callable[[Ports], Mapping[str, str]]
    """What is set beside the runner's own environment."""
    ready: Callable[[str], Ports | None]
    """The ports, once the output so far says that the process serves."""

    def within(self, enter: Callable[[Sequence[str]], Sequence[str]]) -> "Program":
        """The same program, started by another command made of its own."""
        return replace(self, command=lambda ports: enter(self.command(ports)))


class ManagedProcess:
    """A program that can be started, killed and started again."""

    def __init__(self, program: Program, logs: Path, *, ready_timeout: float = 30.0) -> None:
        self.name = program.name
        self.log_path = logs / f"{program.name}.log"
        self.ports: Ports = {}
        self._program = program
        self._ready_timeout = ready_timeout
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The running process, or None."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> Ports:
        """Start and wait until ready. Raises SalonError that quotes the log's end; nothing is left running then."""
        assert not self.running, f"{self.name} runs already"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            offset = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_GUARD), str(os.getpid())),
                *self._program.command(self.ports),
                env=_inherited_environment() | dict(self._program.environment(self.ports)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(self._ready_timeout):
                self.ports = await self._ready_ports(offset)
        except TimeoutError:
            await self.kill()
            raise self._failed(f"was not ready within {self._ready_timeout:g} s", offset) from None
        except BaseException:
            await self.kill()
            raise
        return self.ports

    async def wait(self) -> int:
        """Wait until the process has ended: its exit code, negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, grace: float) -> None:
        """End the process and all it started: SIGTERM, then SIGKILL after `grace` seconds."""
        if self.running and grace > 0:
            self.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self.wait()
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL to the whole process group, and wait until it is gone."""
        if self._process is not None:
            self.send_signal(signal.SIGKILL)
            await self._process.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the whole process group; no effect on a process that has ended."""
        if self._process is not None:
            # The group outlives its leader while a child of it lives, so the leader's end does not matter here.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def last_lines(self, count: int = 8) -> str:
        """The end of the log, for messages to people."""
        with contextlib.suppress(OSError):
            text = _read_from(self.log_path, max(0, self.log_path.stat().st_size - 8192))
            return "\n".join(text.splitlines()[-count:])
        return ""

    async def _ready_ports(self, offset: int) -> Ports:
        assert self._process is not None
        while True:
            ended = self._process.returncode
            ports = self._program.ready(_read_from(self.log_path, offset))
            if ports is not None:
                return ports
            if ended is not None:
                raise self._failed(f"ended with exit code {ended} before it was ready", offset)
            await asyncio.sleep(_POLL_SECONDS)

    def _failed(self, what: str, offset: int) -> SalonError:
        said = "\n".join(_read_from(self.log_path, offset).splitlines()[-8:])
        return SalonError(
            Code.UNAVAILABLE, f"{self.name} {what}; the end of {self.log_path}:\n{said or '(empty)'}"
        )


def _inherited_environment() -> dict[str, str]:
    """The runner's environment without settings of services: a stray one would reach every service of that kind."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SALON_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _read_from(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(_READY_BYTES).decode(errors="replace")
