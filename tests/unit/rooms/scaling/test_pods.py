"""Media pods by the Kubernetes API: what is asked, with whose token, and what is made of the answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from salon_common.errors import Code, SalonError, SettingsError
from salon_rooms.core.scaling import CostPatch, Pod
from salon_rooms.scaling.pods import COST, Pods
from support.kubernetes_api import KubernetesApi, kubernetes_api, listed, make_account

SELECTOR = "app.kubernetes.io/name=media"
PATH = "/api/v1/namespaces/salon-media/pods"


@pytest.fixture
def account(tmp_path: Path) -> Path:
    return make_account(tmp_path, "first")


@pytest_asyncio.fixture
async def api() -> AsyncIterator[KubernetesApi]:
    async with kubernetes_api() as running:
        yield running


@pytest.fixture
def pods(api: KubernetesApi, account: Path) -> Pods:
    return Pods(api.url, account, "salon-media", SELECTOR)


async def test_pods_are_listed_with_what_is_written_on_them(api: KubernetesApi, pods: Pods) -> None:
    api.answer = {
        "items": [
            listed("media-a", annotations={COST: "12"}),
            listed("media-b"),
            listed("media-c", annotations={COST: "many"}),
            listed("media-d", deletionTimestamp="2026-11-22T12:00:00Z"),
        ]
    }
    assert await pods.list() == [Pod("media-a", 12), Pod("media-b", 0), Pod("media-c", 0)]
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("GET", PATH)
    assert asked.query == "resourceVersion=0&labelSelector=app.kubernetes.io/name%3Dmedia"


async def test_a_cost_is_an_annotation(api: KubernetesApi, pods: Pods) -> None:
    await pods.write(CostPatch("media-a", -1))
    (asked,) = api.asked
    assert (asked.method, asked.path, asked.query) == ("PATCH", f"{PATH}/media-a", "")
    assert asked.body == {"metadata": {"annotations": {COST: "-1"}}}


async def test_the_token_is_read_again_for_each_request(
    api: KubernetesApi, pods: Pods, account: Path
) -> None:
    await pods.list()
    (account / "token").write_text("second\n")
    await pods.list()
    assert [asked.token for asked in api.asked] == ["Bearer first", "Bearer second"]


async def test_a_pod_that_is_gone_needs_no_cost(api: KubernetesApi, pods: Pods) -> None:
    api.status = 404
    await pods.write(CostPatch("media-a", 3))
    assert await pods.list() == []


async def test_a_refusal_says_what_was_refused(api: KubernetesApi, pods: Pods) -> None:
    api.status, api.answer = 403, {"message": "cannot list pods"}
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
