"""Keys of an all-in-one run: the demo app's signing key, the file of apps, the keys of session tokens and links, passwords.

Made at the first start and kept, readable by their owner alone; a production set-up brings its own.
"""

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from salon_common.tokens import sign_app_token

DEMO_APP = "demo"
NATS_USERS = ("rooms", "signaling", "media", "operator", "system")
"""As `deploy/k8s/components/nats/accounts.conf` has them."""


@dataclass(frozen=True)
class Keys:
    """Where the keys are."""

    app_key: Path
    """The demo app's private key, PEM."""
    apps: Path
    """The file of apps that signaling reads."""
    session_key: Path
    """Keys of session tokens, one a line, hex."""
    link_key: Path
    """What the first links of a room are derived from; the same for all rooms replicas."""
    nats: Mapping[str, Path]
    """The passwords of the users of NATS, by name."""

    def app_token(self, name: str) -> str:
        """A token that makes a new user of the demo app, called `name`."""
        return sign_app_token(
            self.app_key.read_text(),
            DEMO_APP,
            f"visitor-{secrets.token_hex(8)}",
            name,
            time.time(),
            secrets.token_hex(16),
        )


def ensure_keys(directory: Path) -> Keys:
    """The keys in `directory`, made where missing."""
    directory.mkdir(parents=True, exist_ok=True)
    keys = Keys(
        directory / "demo-app.pem",
        directory / "apps.json",
        directory / "session.keys",
        directory / "link.key",
        {user: directory / f"nats-{user}.password" for user in NATS_USERS},
    )
    for path in (keys.session_key, keys.link_key):
        if not path.exists():
            _write_private(path, secrets.token_hex(32) + "\n")
    for path in keys.nats.values():
        if not path.exists():
            _write_private(path, make_password() + "\n")
    if not (keys.app_key.exists() and keys.apps.exists()):
        private, public = make_app_key()
        _write_private(keys.app_key, private)
        apps = {"apps": [{"id": DEMO_APP, "name": "Salon demo", "public_keys": [public]}]}
        keys.apps.write_text(json.dumps(apps, indent=2) + "\n")
    return keys


def make_password() -> str:
    """For a user of NATS. Begins with a letter: the server reads it as configuration, where digits would make a number."""
    return f"k{secrets.token_hex(24)}"


def make_app_key() -> tuple[str, str]:
    """A new Ed25519 key pair as PEM: private, public."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
