"""What every pod must be: least rights, bounded, watched, and able to be moved."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from deploy.manifests import Pod, of_kind, pods, roots, selects

IMAGE = re.compile(
    r"(salon/(rooms|signaling|media|web|test-nats|test-prometheus)|nats|prom/prometheus|prom/alertmanager|grafana/grafana"
    r"|coturn/coturn)"
    r":(?!latest$)[A-Za-z0-9][A-Za-z0-9._-]+"
)
USER = 10001
ON_HOST = {"media"}
RIGHTS = {"turn": ["NET_BIND_SERVICE"]}
"""Capabilities that containers need: the program of coturn's image is not executed without."""
WITH_TOKEN = {"make-secrets", "scaler"}
"""Those who talk to the Kubernetes API."""

ALL = [pytest.param(root, pod, id=f"{root}-{pod.owner}") for root in roots() for pod in pods(root)]
every_pod = pytest.mark.parametrize(("root", "pod"), ALL)


@every_pod
def test_nobody_is_root(root: str, pod: Pod) -> None:
    context = pod.spec["securityContext"]
    assert context["runAsNonRoot"] is True
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (USER, USER, USER)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}


@every_pod
def test_containers_can_gain_nothing_and_write_nowhere(root: str, pod: Pod) -> None:
    for container in pod.containers:
        added = {"add": RIGHTS[container["name"]]} if container["name"] in RIGHTS else {}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], **added},
        }, container["name"]


@every_pod
def test_only_media_is_on_its_hosts_network(root: str, pod: Pod) -> None:
    assert pod.spec.get("hostNetwork", False) is (pod.name in ON_HOST)
    assert (pod.namespace == "salon-media") is (pod.name in ON_HOST)
    assert not pod.spec.get("hostPID")
    assert not pod.spec.get("hostIPC")


@every_pod
def test_volumes_are_none_of_the_hosts(root: str, pod: Pod) -> None:
    allowed = {"configMap", "secret", "emptyDir", "projected"}
    for volume in pod.spec.get("volumes", []):
        assert set(volume) - {"name"} <= allowed, volume["name"]
        if "emptyDir" in volume:
            assert "sizeLimit" in volume["emptyDir"], f"{volume['name']} could fill the machine's disk"


@every_pod
def test_images_are_known_and_have_a_version(root: str, pod: Pod) -> None:
    for container in pod.containers:
        assert IMAGE.fullmatch(container["image"]), container["image"]


@pytest.mark.parametrize("root", roots())
def test_salons_own_images_are_of_one_version(root: str) -> None:
    images = [container["image"] for pod in pods(root) for container in pod.containers]
    assert len({image.partition(":")[2] for image in images if image.startswith("salon/")}) == 1


@every_pod
def test_memory_is_limited_and_the_processor_only_asked_for(root: str, pod: Pod) -> None:
    for container in pod.containers:
        resources = container["resources"]
        assert set(resources["requests"]) == {"cpu", "memory"}
        assert set(resources["limits"]) == {"memory"}, "a limit of CPU would be heard"
        assert _bytes(resources["requests"]["memory"]) <= _bytes(resources["limits"]["memory"])


@every_pod
def test_who_runs_on_is_watched(root: str, pod: Pod) -> None:
    if not pod.runs_on:
        return
    for container in pod.spec["containers"]:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert probe in container, f"{container['name']} has no {probe}"
        patience = container["startupProbe"]
        assert patience["periodSeconds"] * patience["failureThreshold"] >= 60


@every_pod
def test_liveness_asks_for_the_process_alone(root: str, pod: Pod) -> None:
    """Not for NATS, nor for anything else that a restart would not mend."""
    alone = {"/livez", "/healthz?js-enabled-only=true", "/-/healthy", "/api/health", "/config.json"}
    for container in pod.spec["containers"] if pod.runs_on else []:
        probe = container["livenessProbe"]
        if "tcpSocket" not in probe:
            asked = probe["httpGet"]["path"] if "httpGet" in probe else f"/{probe['exec']['command'][-1]}"
            assert asked in alone, asked
        assert probe.get("failureThreshold", 3) * probe["periodSeconds"] >= 30


@every_pod
def test_tokens_of_the_kubernetes_api_are_for_those_who_ask_it(root: str, pod: Pod) -> None:
    assert pod.spec["automountServiceAccountToken"] is (pod.name in WITH_TOKEN)
    assert pod.spec["enableServiceLinks"] is False, "variables of Services would be taken for settings"
    accounts = {
        (account["metadata"]["namespace"], account["metadata"]["name"]): account
        for account in of_kind(root, "ServiceAccount")
    }
    account = accounts[pod.namespace, pod.spec["serviceAccountName"]]
    assert account["automountServiceAccountToken"] is False
    assert pod.spec["serviceAccountName"] == pod.name


@every_pod
def test_who_stays_when_a_machine_is_full_is_said(root: str, pod: Pod) -> None:
    classes = {each["metadata"]["name"] for each in of_kind(root, "PriorityClass")}
    if pod.runs_on:
        assert pod.spec["priorityClassName"] in classes


@every_pod
def test_a_disruption_takes_one_at_a_time_and_never_waits_for_ever(root: str, pod: Pod) -> None:
    if not pod.runs_on:
        return
    budgets = [
        budget["spec"]
        for budget in of_kind(root, "PodDisruptionBudget")
        if budget["metadata"]["namespace"] == pod.namespace
        and selects(budget["spec"]["selector"], pod.labels)
    ]
    assert len(budgets) == 1, "an eviction fails where two budgets hold"
    assert budgets[0]["maxUnavailable"] == 1


@pytest.mark.parametrize("root", roots())
def test_replicas_spread_over_machines(root: str) -> None:
    for pod in pods(root):
        if pod.name in {"rooms", "signaling", "media", "web", "nats", "turn"}:
            spread = {rule["topologyKey"]: rule for rule in pod.spec["topologySpreadConstraints"]}
            assert selects(spread["kubernetes.io/hostname"]["labelSelector"], pod.labels)


@pytest.mark.parametrize("root", roots())
def test_namespaces_allow_what_their_pods_need_and_no_more(root: str) -> None:
    levels = {
        namespace["metadata"]["name"]: {
            key.rpartition("/")[2]: level
            for key, level in namespace["metadata"]["labels"].items()
            if key.startswith("pod-security.kubernetes.io/")
        }
        for namespace in of_kind(root, "Namespace")
    }
    assert levels == {
        "salon": {"enforce": "restricted", "warn": "restricted", "audit": "restricted"},
        "salon-media": {"enforce": "privileged", "warn": "baseline", "audit": "baseline"},
    }


def _bytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()  # type: ignore[union-attr]
    return int(number) << {"Mi": 20, "Gi": 30}[unit]


def _container(pod: Pod, name: str) -> Mapping[str, Any]:
    return next(each for each in pod.containers if each["name"] == name)


@pytest.mark.parametrize("root", roots())
def test_services_take_calls_until_machines_know_that_they_leave(root: str) -> None:
    for pod in pods(root):
        if pod.name in {"signaling", "web"}:
            seconds = _container(pod, pod.name)["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert 3 <= seconds < pod.spec["terminationGracePeriodSeconds"]
