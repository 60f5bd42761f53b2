"""The relay on this machine, with the configuration and arguments that a cluster starts it with: only addresses, ports and paths differ."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.manifests import Pod, of_kind, pods
from salon_common.net import own_address
from support.certificates import make_certificates
from support.coturn import turnserver
from support.nats_server import free_port

ROOT = "overlays/region-eu"
USER = "salon"
PASSWORD = "k-turn"
START_SECONDS = 20.0


@dataclass(frozen=True)
class Relay:
    """A running relay."""

    process: "subprocess.Popen[bytes]"
    directory: Path
    address: str
    tcp: int
    tls: int

    def log(self) -> str:
        """What it said."""
        return (self.directory / "log").read_text()


def relay_pod(root: str) -> Pod:
    """The pod of an overlay."""
    (pod,) = [each for each in pods(root) if each.name == "turn"]
    return pod


def relay_config(root: str) -> list[str]:
    """The lines of its configuration file, without comments."""
    (text,) = [
        each["data"]["turnserver.conf"]
        for each in of_kind(root, "ConfigMap")
        if "turnserver.conf" in each["data"]
    ]
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def address_of_this_machine() -> str:
    """One that is not loopback: that is none of a relay's peers."""
    address = own_address()
    assert address is not None, "this test needs a network address"
    return address


@contextmanager
def running_relay(directory: Path, address: str, peers: str) -> Iterator[Relay]:
    """A relay at an address of this machine that leads to these peers, ready."""
    directory.mkdir()
    make_certificates(directory, address)
    tcp, tls = free_port(), free_port()
    moved = {
        "listening-port=3478": f"listening-port={tcp}",
        "tls-listening-port=5349": f"tls-listening-port={tls}",
        "cert=/etc/turn/tls/tls.crt": f"cert={directory}/tls.crt",
        "pkey=/etc/turn/tls/tls.key": f"pkey={directory}/tls.key",
        "userdb=/run/turn/turndb": f"userdb={directory}/turndb",
        "pidfile=/run/turn/turnserver.pid": f"pidfile={directory}/pid",
    }
    lines = relay_config(ROOT)
    assert moved.keys() <= set(lines)
    config = directory / "turnserver.conf"
    config.write_text("\n".join(moved.get(line, line) for line in lines))
    values = {"POD_IP": address, "PEERS": peers, "PASSWORD": PASSWORD}
    binary, environment = turnserver()
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [binary, *_arguments(values, config)], env=environment, stdout=log, stderr=log
        )
    relay = Relay(process, directory, address, tcp, tls)
    try:
        _wait(relay)
        yield relay
    finally:
        process.kill()
        process.wait()


def _arguments(values: dict[str, str], config: Path) -> list[str]:
    """As the kubelet would replace them."""
    (container,) = relay_pod(ROOT).spec["containers"]
    program, *arguments = container["command"]
    assert program == "turnserver"
    made = []
    for argument in arguments:
        for name, value in values.items():
            argument = argument.replace(f"$({name})", value)
        made.append(str(config) if argument == "/etc/turn/turnserver.conf" else argument)
    return made


def _wait(relay: Relay) -> None:
    """Until both ports are served: the last lines that it says when it starts are of no fixed text."""
    give_up = time.monotonic() + START_SECONDS
    while not all(_answers(relay.address, port) for port in (relay.tcp, relay.tls)):
        if relay.process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"the relay does not start:\n{relay.log()[-3000:]}")
        time.sleep(0.05)


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
