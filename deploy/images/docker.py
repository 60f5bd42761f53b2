"""The Docker engine that builds: the one that answers, or else Debian's, started under .run/docker.

Owns that engine's start and end. It touches nothing of the machine's network: it has no bridge and no firewall rules, so
its builds and containers use the host's network.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".run" / "docker"
SOCKET = STATE / "docker.sock"
PID_FILE = STATE / "dockerd.pid"
LOG = STATE / "dockerd.log"

START_SECONDS = 60.0
# From this version on the client leaves BuildKit to its plugin buildx, which may not be there.
_BUILDX_VERSION = 23


class ImagesError(Exception):
    """What keeps images from being built, in words for whoever asked for them."""


@dataclass(frozen=True)
class Docker:
    """A client with an engine that answers it."""

    client: str
    host: str
    """The engine's address as in DOCKER_HOST; empty for the client's own default."""

    @property
    def own(self) -> bool:
        """Whether it is the engine under .run/docker."""
        return self.host == f"unix://{SOCKET}"

    def output(self, *arguments: str) -> str | None:
        """What a command prints; None if it fails."""
        done = subprocess.run(
            [self.client, *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    def run(self, *arguments: str) -> bool:
        """A command whose progress is shown; whether it succeeded."""
        return subprocess.run([self.client, *arguments], env=self._environment, check=False).returncode == 0

    def build(self, arguments: Sequence[str]) -> bool:
        """`docker build` by BuildKit, with the host's network where the engine has no other."""
        network = [] if "bridge" in self._networks() else ["--network=host"]
        plugin = ["buildx", "build", "--load"] if self._has_buildx() else ["build"]
        return self.run(*plugin, *network, *arguments)

    def import_image(self, name: str, tar: Sequence[str]) -> None:
        """An image of one layer from what a tar command writes."""
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as archive:
            subprocess.run(
                [self.client, "import", "-", name], env=self._environment, stdin=archive.stdout, check=True
            )
        if archive.returncode != 0:
            raise ImagesError(f"{' '.join(tar)} failed")

    def builds(self) -> bool:
        """Whether this client can ask for BuildKit, and the engine answers."""
        if self.output("info") is None:
            return False
        version = self.output("version", "--format", "{{.Client.Version}}") or "0"
        return self._has_buildx() or int(version.partition(".")[0]) < _BUILDX_VERSION

    def _networks(self) -> list[str]:
        return (self.output("network", "ls", "--format", "{{.Name}}") or "").split()

    def _has_buildx(self) -> bool:
        return self.output("buildx", "version") is not None

    @property
    def _environment(self) -> dict[str, str]:
        chosen = {"DOCKER_HOST": self.host} if self.host else {}
        return os.environ | {"DOCKER_BUILDKIT": "1"} | chosen


def connect() -> Docker:
    """An engine that answers; if there is none, Debian's is installed and started. Raises ImagesError."""
    if found := find():
        return found
    start()
    if found := find():
        return found
    raise ImagesError(f"the engine does not answer; its log: {LOG}")


def find() -> Docker | None:
    """The engine that the environment names, else the one under .run/docker."""
    own = [f"unix://{SOCKET}"] if SOCKET.exists() else []
    # A second client may be there: one of Debian's beside a newer one without buildx.
    clients = [each for each in (shutil.which("docker"), "/usr/bin/docker") if each and Path(each).exists()]
    candidates = (Docker(client, host) for host in ["", *own] for client in dict.fromkeys(clients))
    return next((each for each in candidates if each.builds()), None)


def start() -> None:
    """Start Debian's engine, and wait until it answers. Raises ImagesError."""
    if os.geteuid() != 0:
        raise ImagesError(
            "no Docker engine answers; start one, or run this as root on Debian to have one started"
        )
    install("dockerd", "docker.io")
    STATE.mkdir(parents=True, exist_ok=True)
    command = ["dockerd", f"--host=unix://{SOCKET}", f"--data-root={STATE / 'data'}"]
    command += [f"--exec-root={STATE / 'exec'}", f"--pidfile={PID_FILE}"]
    command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    say(f"starting an engine; its log: {LOG}")
    with LOG.open("wb") as log:
        engine = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    end = time.monotonic() + START_SECONDS
    while not (SOCKET.exists() and find()):
        if engine.poll() is not None:
            raise ImagesError(f"dockerd ended; its log: {LOG}")
        if time.monotonic() > end:
            raise ImagesError(f"dockerd does not answer after {START_SECONDS:.0f} s; its log: {LOG}")
        time.sleep(0.2)


def stop() -> None:
    """End the engine under .run/docker, if it runs."""
    try:
        pid = int(PID_FILE.read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ValueError):
        return
    if name != "dockerd":
        return
    os.kill(pid, signal.SIGTERM)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.1)
    say("the engine has ended")


def install(program: str, package: str) -> None:
    """Have a program from Debian's packages. Raises ImagesError."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ImagesError(f"{program} is missing; on Debian: apt-get install {package}")
    say(f"installing {package} by apt")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    subprocess.run([*apt, "update"], env=environment, check=False)
    arguments = ["install", "-y", "--no-install-recommends", package]
    done = subprocess.run([*apt, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise ImagesError(f"{package} cannot be installed by apt")


def say(text: str) -> None:
    """A line for who waits."""
    print(f"images: {text}", file=sys.stderr, flush=True)
