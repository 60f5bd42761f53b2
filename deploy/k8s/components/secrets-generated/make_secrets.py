"""Makes the secrets of a Salon that are missing, and changes none that is there. Runs once, in a pod of the cluster.

What must exist is a table; what is missing is worked out from it; the Kubernetes API is asked and told by plain HTTP, as
one GET and one POST or PATCH a secret need no client library.
"""

import base64
import json
import os
import secrets
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
NATS_USERS = ("rooms", "signaling", "media", "operator", "system", "route")
DEMO_APP = "demo"

Content = dict[str, str]


@dataclass(frozen=True)
class Name:
    """Where a secret is."""

    namespace: str
    name: str


NATS = Name("salon", "salon-nats")
NATS_FOR_MEDIA = Name("salon-media", "salon-nats")
KEYS = Name("salon", "salon-keys")
DEMO = Name("salon", "salon-demo-app")
GRAFANA = Name("salon", "salon-grafana")


class Api(Protocol):
    """What is needed of Kubernetes."""

    def read(self, secret: Name) -> Content | None:
        """A secret's content; None when it is not there."""

    def create(self, secret: Name, content: Content) -> None:
        """Make it."""

    def add(self, secret: Name, content: Content) -> None:
        """Add these keys to it."""


def ensure_all(api: Api) -> list[str]:
    """Make what is missing. Returns what was made, as `namespace/name: keys`."""
    done: list[str] = []
    nats = _ensure(api, NATS, dict.fromkeys(NATS_USERS, _password), done)
    _ensure(api, NATS_FOR_MEDIA, {"media": lambda: nats["media"]}, done)
    demo = _ensure(api, DEMO, {"app.pem": _app_key}, done)
    _ensure(
        api,
        KEYS,
        {
            "session.keys": lambda: secrets.token_hex(32) + "\n",
            "link.key": lambda: secrets.token_hex(32) + "\n",
            "apps.json": lambda: _apps(demo["app.pem"]),
        },
        done,
    )
    _ensure(api, GRAFANA, {"password": _password}, done)
    return done


def _ensure(api: Api, secret: Name, wanted: Mapping[str, Callable[[], str]], done: list[str]) -> Content:
    present = api.read(secret)
    made = {key: make() for key, make in wanted.items() if key not in (present or {})}
    if present is None:
        api.create(secret, made)
    elif made:
        api.add(secret, made)
    if made:
        done.append(f"{secret.namespace}/{secret.name}: {', '.join(made)}")
    return (present or {}) | made


def _password() -> str:
    """Begins with a letter: NATS reads a variable's value as configuration, where digits would make a number."""
    return f"k{secrets.token_hex(24)}"


def _app_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _apps(private: str) -> str:
    key = serialization.load_pem_private_key(private.encode(), None)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    app = {"id": DEMO_APP, "name": "Salon demo", "public_keys": [public.decode()]}
    return json.dumps({"apps": [app]}, indent=2) + "\n"


class KubernetesApi:
    """The API of the cluster that this pod runs in, with the rights of its service account."""

    def __init__(self) -> None:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        self._base = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        self._token = (ACCOUNT / "token").read_text()
        self._tls = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))

    def read(self, secret: Name) -> Content | None:
        """Of a secret that is not there the API says 404."""
        try:
            found = self._ask("GET", f"{_path(secret)}/{secret.name}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}

    def create(self, secret: Name, content: Content) -> None:
        """Fails when somebody else was faster; the next attempt finds theirs."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": secret.name, "labels": {"app.kubernetes.io/part-of": "salon"}},
            "stringData": content,
        }
        self._ask("POST", _path(secret), body)

    def add(self, secret: Name, content: Content) -> None:
        """Leaves the other keys as they are."""
        self._ask("PATCH", f"{_path(secret)}/{secret.name}", {"stringData": content})

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(  # noqa: S310 - always https
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {self._token}", "content-type": kind},
        )
        with urllib.request.urlopen(request, context=self._tls, timeout=10) as answer:  # noqa: S310 - as above
            result: dict[str, Any] = json.load(answer)
            return result


def _path(secret: Name) -> str:
    return f"/api/v1/namespaces/{secret.namespace}/secrets"


def main() -> int:
    """One line a secret that was made; an error's line, and an exit code for which the pod is started again."""
    try:
        made = ensure_all(KubernetesApi())
    except (OSError, KeyError) as error:  # urllib's errors are OSErrors
        sys.stderr.write(f"the secrets could not be made: {error}\n")
        return 1
    sys.stdout.write("\n".join(made or ["every secret is there"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
