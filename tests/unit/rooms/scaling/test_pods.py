"""Media pods by the Kubernetes API: what is asked, with whose token, and what is made of the answers."""

import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from salon_common.errors import Code, SalonError, SettingsError
from salon_common.web import WebMount
from salon_rooms.core.scaling import CostPatch, Pod
from salon_rooms.scaling.pods import COST, Pods

SELECTOR = "app.kubernetes.io/name=media"


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}}


def certificate() -> bytes:
    """Of an authority that signs nothing here: this API is asked without TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


class Api:
    """Stands for the Kubernetes API: says what it is told to say, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: object = {"items": []}
        self.asked: list[tuple[str, str, str]] = []
        self.tokens: list[str] = []
        self.bodies: list[object] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        body = (await receive())["body"]
        self.asked.append((scope["method"], scope["path"], scope["query_string"].decode()))
        self.tokens.append(headers[b"authorization"].decode())
        self.bodies.append(json.loads(body) if body else None)
        content = json.dumps(self.answer).encode()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "ca.crt").write_text(ssl.DER_cert_to_PEM_cert(certificate()))
    (tmp_path / "token").write_text("first\n")
    return tmp_path


@pytest_asyncio.fixture
async def api() -> AsyncIterator[tuple[Api, str]]:
    fake = Api()
    mount = WebMount(fake, "127.0.0.1:0")
    port = await mount.start()
    yield fake, f"http://127.0.0.1:{port}"
    await mount.stop()


@pytest.fixture
def pods(api: tuple[Api, str], account: Path) -> Pods:
    return Pods(api[1], account, "salon-media", SELECTOR)


async def test_pods_are_listed_with_what_is_written_on_them(api: tuple[Api, str], pods: Pods) -> None:
    fake, _ = api
    fake.answer = {
        "items": [
            pod("media-a", annotations={COST: "12"}),
            pod("media-b"),
            pod("media-c", annotations={COST: "many"}),
            pod("media-d", deletionTimestamp="2026-11-22T12:00:00Z"),
        ]
    }
    assert await pods.list() == [Pod("media-a", 12), Pod("media-b", 0), Pod("media-c", 0)]
    assert fake.asked == [
        (
            "GET",
            "/api/v1/namespaces/salon-media/pods",
            "resourceVersion=0&labelSelector=app.kubernetes.io/name%3Dmedia",
        )
    ]


async def test_a_cost_is_an_annotation(api: tuple[Api, str], pods: Pods) -> None:
    fake, _ = api
    await pods.write(CostPatch("media-a", -1))
    assert fake.asked == [("PATCH", "/api/v1/namespaces/salon-media/pods/media-a", "")]
    assert fake.bodies == [{"metadata": {"annotations": {COST: "-1"}}}]


async def test_the_token_is_read_again_for_each_request(
    api: tuple[Api, str], pods: Pods, account: Path
) -> None:
    await pods.list()
    (account / "token").write_text("second\n")
    await pods.list()
    assert api[0].tokens == ["Bearer first", "Bearer second"]


async def test_a_pod_that_is_gone_needs_no_cost(api: tuple[Api, str], pods: Pods) -> None:
    api[0].status = 404
    await pods.write(CostPatch("media-a", 3))
    assert await pods.list() == []


async def test_a_refusal_says_what_was_refused(api: tuple[Api, str], pods: Pods) -> None:
    api[0].status, api[0].answer = 403, {"message": "cannot list pods"}
    with pytest.raises(SalonError, match=r"GET pods is answered 403.*cannot list pods") as error:
        await pods.list()
    assert error.value.code is Code.UNAVAILABLE


async def test_an_api_that_is_away_is_unavailable(account: Path) -> None:
    with pytest.raises(SalonError, match="the Kubernetes API") as error:
        await Pods("http://127.0.0.1:1", account, "salon-media", SELECTOR).list()
    assert error.value.code is Code.UNAVAILABLE


def test_without_a_service_account_the_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"SALON_SCALER_SERVICE_ACCOUNT: cannot read .*ca\.crt"):
        Pods("https://kubernetes.default.svc", tmp_path, "salon-media", SELECTOR)


def test_an_authority_that_is_none_is_told(account: Path) -> None:
    (account / "ca.crt").write_text("nothing")
    with pytest.raises(SettingsError, match=r"SALON_SCALER_SERVICE_ACCOUNT: .*ca\.crt"):
        Pods("https://kubernetes.default.svc", account, "salon-media", SELECTOR)
