"""NATS servers of several regions on this machine, from the files that a cluster mounts: only addresses and paths differ."""

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.manifests import of_kind
from support.certificates import make_certificates
from support.nats_server import free_port, server_binary

USERS = ("rooms", "signaling", "media", "operator", "system", "route", "leaf")
START_SECONDS = 20.0
Ports = dict[str, int]


def password(user: str) -> str:
    """A test's."""
    return f"k-{user}"


@contextmanager
def region_server(region: str, directory: Path, hub: Ports | None = None) -> Iterator[Ports]:
    """One server of a region, as its overlay configures it, healthy; `hub` is where the region connects to."""
    ports = {name: free_port() for name in ("client", "monitor", "leaf")}
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [server_binary(), "--config", write_files(region, directory, ports)],
            env={**os.environ, **environment(region, directory, hub)},
            stderr=log,
        )
    try:
        _wait(process, directory, f"http://127.0.0.1:{ports['monitor']}/healthz")
        if hub is not None:
            _wait(process, directory, f"http://127.0.0.1:{ports['monitor']}/leafz", '"leafnodes": 1')
        yield ports
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)


def write_files(region: str, directory: Path, ports: Ports) -> Path:
    """The files of the overlay's ConfigMap, moved to this machine; without TLS and equals inside the region."""
    (files,) = [
        each["data"]
        for each in of_kind(f"overlays/region-{region}", "ConfigMap")
        if each["metadata"]["name"].startswith("nats-")
    ]
    make_certificates(directory)
    moved = {
        '"0.0.0.0:4222"': f'"127.0.0.1:{ports["client"]}"',
        '"0.0.0.0:8222"': f'"127.0.0.1:{ports["monitor"]}"',
        '"0.0.0.0:7422"': f'"127.0.0.1:{ports["leaf"]}"',
        '"/data"': f'"{directory}/data"',
        '"/run/nats/nats.pid"': f'"{directory}/nats.pid"',
        "/etc/nats-leaf-tls": str(directory),
    }
    for name, text in files.items():
        for here, there in moved.items():
            text = text.replace(here, there)
        (directory / name).write_text("" if name in ("cluster.conf", "tls.conf") else text)
    return directory / "nats.conf"


def environment(region: str, directory: Path, hub: Ports | None) -> dict[str, str]:
    """What the pod's environment would say."""
    variables = {f"SALON_NATS_{user.upper()}_PASSWORD": password(user) for user in USERS}
    variables |= {"POD_NAME": f"nats-{region}", "SALON_REGION": region}
    if hub is not None:
        variables["LEAF_HUB"] = f"tls://leaf:{password('leaf')}@127.0.0.1:{hub['leaf']}"
        # The machine's authorities are those that a public certificate is checked by.
        variables["SSL_CERT_FILE"] = str(directory.parent / "eu" / "ca.crt")
    return variables


def _wait(process: "subprocess.Popen[bytes]", directory: Path, url: str, text: str = "") -> None:
    give_up = time.monotonic() + START_SECONDS
    while not _says(url, text):
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{url}: not as wanted\n{(directory / 'log').read_text()[-2000:]}")
        time.sleep(0.05)


def _says(url: str, text: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return re.sub(r"\s+", " ", text) in re.sub(r"\s+", " ", answer.read().decode())
    except (urllib.error.URLError, OSError):
        return False
