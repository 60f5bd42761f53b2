"""Makes the secrets of compose.yaml, and gives each container its own: the same ones as in a cluster, made by the same code.

Everything is kept in one volume that only this program sees; what a container reads is copied into that one's volume. Runs
once, as root, so that the others need not; all that it writes belongs to root and can be read by the services' group.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from make_secrets import KEYS, NATS, NATS_FOR_MEDIA, Content, Name, ensure_all

GROUP = 10001
KEPT = Path("/secrets")
READERS = Path("/readers")
DATA = Path("/data")
"""Volumes that services write to: theirs from now on."""


class Folders:
    """Secrets as folders with a file a key: what `make_secrets` wants of an API."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, secret: Name) -> Content | None:
        """A secret's content; None when it is not there."""
        folder = self._folder(secret)
        return {path.name: path.read_text() for path in folder.iterdir()} if folder.is_dir() else None

    def create(self, secret: Name, content: Content) -> None:
        """Make it."""
        self.add(secret, content)

    def add(self, secret: Name, content: Content) -> None:
        """Add these keys to it."""
        for key, value in content.items():
            write(self._folder(secret) / key, value)

    def _folder(self, secret: Name) -> Path:
        return self._root / secret.namespace / secret.name


def shares(folders: Folders) -> Mapping[str, Content]:
    """By container what it reads: names and contents of files."""
    nats, media, keys = (folders.read(each) or {} for each in (NATS, NATS_FOR_MEDIA, KEYS))
    variables = "".join(f"SALON_NATS_{user.upper()}_PASSWORD={word}\n" for user, word in nats.items())
    return {
        "nats": {"passwords.env": variables},
        "rooms": {"password": nats["rooms"], "link.key": keys["link.key"]},
        "signaling": {
            "password": nats["signaling"],
            "session.keys": keys["session.keys"],
            "apps.json": keys["apps.json"],
        },
        "media": {"password": media["media"]},
    }


def write(path: Path, text: str) -> None:
    """A file for root and the group, whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o440)
    os.fchown(descriptor, 0, GROUP)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    new.rename(path)


def main() -> None:
    """Make what is missing, hand out everything."""
    folders = Folders(KEPT)
    for line in ensure_all(folders):
        print(f"made {line}", file=sys.stderr)
    for reader, content in shares(folders).items():
        for name, text in content.items():
            write(READERS / reader / name, text)
    for volume in DATA.iterdir():
        os.chown(volume, GROUP, GROUP)


if __name__ == "__main__":
    main()
