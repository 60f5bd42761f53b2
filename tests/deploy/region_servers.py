"""NATS servers on this machine, from the files that a cluster mounts: only addresses and paths differ."""

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.manifests import of_kind
from support.certificates import make_certificates
from support.nats_server import free_port, server_binary

START_SECONDS = 20.0
USERS = ("rooms", "signaling", "media", "operator", "system", "route", "leaf")
PLACES = {"client": "4222", "cluster": "6222", "leaf": "7422", "monitor": "8222"}
"""What each port of the configuration is for."""


def password(user: str) -> str:
    """A test's."""
    return f"k-{user}"


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    directory: Path
    ports: Mapping[str, int]

    def healthy(self) -> bool:
        """Whether it says so itself: every stream is recovered, and a cluster has a leader."""
        return self.says("healthz", '"status":"ok"')

    def says(self, page: str, text: str) -> bool:
        """Whether a page of its monitor has this text."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.ports['monitor']}/{page}", timeout=2
            ) as answer:
                return text in re.sub(r"\s+", "", answer.read().decode())
        except (urllib.error.URLError, OSError):
            return False

    def wait(self, page: str, text: str) -> None:
        """Wait until it says so."""
        give_up = time.monotonic() + START_SECONDS
        while not self.says(page, text):
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"{page} has no {text}:\n{(self.directory / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, in order or as by a crash."""
        self.process.send_signal(number)
        self.process.wait(START_SECONDS)


@contextmanager
def region_server(region: str, directory: Path, hub: Server | None = None) -> Iterator[Server]:
    """One server of a region, for what passes between regions: without equals, and TLS only to the hub, if it has one."""
    ports = _ports()
    make_certificates(directory)
    more = {}
    if hub is not None:
        more["LEAF_HUB"] = f"tls://leaf:{password('leaf')}@127.0.0.1:{hub.ports['leaf']}"
        # The machine's authorities are those that a public certificate is checked by.
        more["SSL_CERT_FILE"] = str(hub.directory / "ca.crt")
    server = _start(region, directory, ports, more, without=("cluster.conf", "tls.conf"))
    try:
        server.wait("healthz", '"status":"ok"')
        if hub is not None:
            server.wait("leafz", '"leafnodes":1')
        yield server
    finally:
        server.end()


@contextmanager
def region_cluster(region: str, directory: Path) -> Iterator[list[Server]]:
    """The three servers of a region, by TLS, without other regions."""
    every = [_ports() for _ in range(3)]
    routes = {
        f"ROUTE_{number}": f"nats-route://route:{password('route')}@127.0.0.1:{ports['cluster']}"
        for number, ports in enumerate(every)
    }
    make_certificates(directory)
    servers = []
    try:
        for number, ports in enumerate(every):
            place = directory / f"nats-{number}"
            place.mkdir()
            for name in ("ca.crt", "tls.crt", "tls.key"):
                (place / name).write_bytes((directory / name).read_bytes())
            servers.append(_start(region, place, ports, routes, without=("leaf.conf",)))
        for server in servers:
            server.wait("healthz", '"status":"ok"')
        yield servers
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.end()


def _ports() -> dict[str, int]:
    return {name: free_port() for name in PLACES}


def _start(
    region: str,
    directory: Path,
    ports: Mapping[str, int],
    more: Mapping[str, str],
    without: Sequence[str],
) -> Server:
    """Start with the files of the overlay's ConfigMap, but for some, and what the pod's environment would say."""
    _write_files(region, directory, ports, without)
    variables = {f"SALON_NATS_{user.upper()}_PASSWORD": password(user) for user in USERS}
    variables |= {"POD_NAME": f"{region}-{directory.name}", "SALON_REGION": region}
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [server_binary(), "--config", directory / "nats.conf"],
            env={**os.environ, **variables, **more},
            stderr=log,
        )
    return Server(process, directory, ports)


def _write_files(region: str, directory: Path, ports: Mapping[str, int], without: Sequence[str]) -> None:
    (files,) = [
        each["data"]
        for each in of_kind(f"overlays/region-{region}", "ConfigMap")
        if each["metadata"]["name"].startswith("nats-")
    ]
    moved = {f'"0.0.0.0:{there}"': f'"127.0.0.1:{ports[name]}"' for name, there in PLACES.items()}
    moved |= {
        '"/data"': f'"{directory}/data"',
        '"/run/nats/nats.pid"': f'"{directory}/nats.pid"',
        "/etc/nats-leaf-tls": str(directory),
        "/etc/nats-tls": str(directory),
    }
    for name, text in files.items():
        for there, here in moved.items():
            text = text.replace(there, here)
        (directory / name).write_text("" if name in without else text)
