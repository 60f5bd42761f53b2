"""Stands for the Kubernetes API: a port that answers what it is told to, and keeps what it was asked."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from salon_common.web import WebMount


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: str
    token: str
    body: Any


@dataclass
class KubernetesApi:
    """`async with kubernetes_api() as api`."""

    url: str = ""
    status: int = 200
    answer: object = field(default_factory=lambda: {"items": []})
    asked: list[Asked] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As ASGI has it."""
        body = (await receive())["body"]
        token = dict(scope["headers"])[b"authorization"].decode()
        asked = Asked(
            scope["method"],
            scope["path"],
            scope["query_string"].decode(),
            token,
            json.loads(body) if body else None,
        )
        self.asked.append(asked)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(self.answer).encode()})


@asynccontextmanager
async def kubernetes_api() -> AsyncIterator[KubernetesApi]:
    """Without TLS, on loopback."""
    api = KubernetesApi()
    mount = WebMount(api, "127.0.0.1:0")
    api.url = f"http://127.0.0.1:{await mount.start()}"
    try:
        yield api
    finally:
        await mount.stop()


def make_account(directory: Path, token: str) -> Path:
    """A service account as a pod has it; its authority signs nothing here."""
    (directory / "ca.crt").write_text(ssl.DER_cert_to_PEM_cert(_certificate()))
    (directory / "token").write_text(f"{token}\n")
    return directory


def listed(name: str, **metadata: Any) -> dict[str, Any]:
    """A pod in a list."""
    return {"metadata": {"name": name, **metadata}}


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
