"""Where NATS is, and as whom a process connects to it: addresses without secrets, a password that is read anew.

Reads files, opens no connection. What a user may do there stands in `deploy/k8s/components/nats/accounts.conf`.
"""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from salon_common.errors import SettingsError

_log = logging.getLogger(__name__)

INBOX = "_INBOX"
"""Where answers to who has no name go; to a user, `_INBOX.<user>`, which no other user may read."""


@dataclass(frozen=True)
class NatsAccess:
    """What is needed to connect."""

    url: str
    """One URL or several separated by commas."""
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    """Certificates, PEM, one of which signed the servers'; None for those that this machine trusts."""
    variables: str = "SALON_NATS_"
    """What the names of the settings begin with that say this: errors name them."""

    @property
    def inbox_prefix(self) -> str:
        """Subjects for answers: other users' are closed to this one."""
        user = self.user or split_url(self.url)[1]
        return f"{INBOX}.{user}" if user else INBOX

    def password(self) -> "PasswordFile | None":
        """The password, read now. Raises SettingsError."""
        if self.password_file is None:
            return None
        try:
            return PasswordFile(self.password_file)
        except (OSError, ValueError) as error:
            raise self._bad("PASSWORD_FILE", self.password_file, error) from error

    def tls(self) -> ssl.SSLContext | None:
        """How to check the servers, where their URLs want TLS. Raises SettingsError."""
        if not any(server.startswith("tls://") for server in split_url(self.url)[0]):
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise self._bad("CA_FILE", self.ca_file, error) from error

    def _bad(self, setting: str, path: Path | None, error: Exception) -> SettingsError:
        return SettingsError(f"{self.variables}{setting}: cannot use {path}: {_reason(error)}")


class PasswordFile:
    """A password that somebody may change while the process runs: called at each connect, it gives what stands there then."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or ValueError when there is none yet."""
        self._path = path
        self._last = self._read()

    def __call__(self) -> str:
        """The password; the last one known while the file cannot be read."""
        try:
            self._last = self._read()
        except (OSError, ValueError) as error:
            _log.warning("NATS: no password in %s, the last is used: %s", self._path, _reason(error))
        return self._last

    def _read(self) -> str:
        password = self._path.read_text().strip()
        if not password:
            raise ValueError("the file is empty")
        return password


def split_url(url: str) -> tuple[list[str], str | None, str | None]:
    """The servers of a comma-separated list, without any user's name and password, and the first of those.

    So they hold for servers that the cluster tells of later, and no error about a server can show them.
    """
    parts = [urlsplit(part.strip()) for part in url.split(",")]
    servers = [part._replace(netloc=part.netloc.rpartition("@")[2]).geturl() for part in parts]
    user, password = next(((p.username, p.password) for p in parts if p.username), (None, None))
    return servers, user and unquote(user), password and unquote(password)


def _reason(error: Exception) -> str:
    """What went wrong, without what was read: undecodable bytes of a password would stand in the error."""
    if isinstance(error, UnicodeError):
        return "it is not text"
    return getattr(error, "strerror", None) or str(error)
