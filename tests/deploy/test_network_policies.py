"""Who may talk to whom, as the policies together have it; `make test-cluster` tries it out."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from deploy.manifests import Manifest, Pod, name_of, namespace_of, of_kind, pods, roots, selects

MEDIA_PORTS = {"port": 40000, "endPort": 40099}
SERVICES = {("rooms", "nats", 4222), ("signaling", "nats", 4222), ("web", "signaling", 8080)}
MONITORING = {
    ("prometheus", "rooms", 8081),
    ("prometheus", "signaling", 8081),
    ("prometheus", "alertmanager", 9093),
    ("grafana", "prometheus", 9090),
}
PUBLIC = {("signaling", 9090), ("web", 8080)}


@pytest.mark.parametrize("root", roots())
def test_every_namespace_begins_with_nobody(root: str) -> None:
    denied = {
        namespace_of(policy)
        for policy in of_kind(root, "NetworkPolicy")
        if policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    }
    assert denied == {namespace["metadata"]["name"] for namespace in of_kind(root, "Namespace")}


@pytest.mark.parametrize("root", roots())
def test_a_policy_is_about_somebody(root: str) -> None:
    for policy in of_kind(root, "NetworkPolicy"):
        if policy["spec"]["podSelector"]:
            assert list(_subjects(root, policy)), name_of(policy)


@pytest.mark.parametrize("root", roots())
def test_pairs_are_those_of_the_list_and_open_at_both_ends(root: str) -> None:
    wanted = SERVICES | MONITORING | {("nats", "nats", 6222)}
    if any(pod.name == "scaler" for pod in pods(root)):
        wanted |= {("scaler", "nats", 4222)}
    assert set(_pairs(root, "Egress")) == wanted
    assert set(_pairs(root, "Ingress")) == wanted


@pytest.mark.parametrize("root", roots())
def test_only_the_public_ports_are_open_to_anybody(root: str) -> None:
    hub = {("nats", 7422)} if root == "overlays/region-eu" else set()
    relay = {("turn", 3478), ("turn", 5349)} if root.startswith("overlays/region-") else set()
    assert {(pod.name, port["port"]) for pod, port in _open_to_all(root, "Ingress")} == PUBLIC | hub | relay


@pytest.mark.parametrize("root", roots())
def test_outside_the_cluster_only_these_are_reached(root: str) -> None:
    """The Kubernetes API and whom alerts are sent to have no addresses that are known here; their ports are."""
    reached = {(pod.name, port["port"]) for pod, port in _open_to_all(root, "Egress")}
    known = {
        ("make-secrets", 443),
        ("make-secrets", 6443),
        ("scaler", 443),
        ("scaler", 6443),
        ("alertmanager", 443),
        ("alertmanager", 587),
        ("nats", 7422),
    }
    assert reached <= known


@pytest.mark.parametrize("root", roots())
def test_media_is_reached_at_its_range_alone(root: str) -> None:
    found = [
        (policy["metadata"]["name"], rule["ports"])
        for policy in of_kind(root, "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if {"ipBlock": {"cidr": "0.0.0.0/0"}} in rule.get("to", [])
    ]
    assert sorted(found) == [("prometheus", [MEDIA_PORTS]), ("rooms", [MEDIA_PORTS])]


@pytest.mark.parametrize("root", roots())
def test_hosts_reach_nats_and_not_everybody_does(root: str) -> None:
    (policy,) = [each for each in of_kind(root, "NetworkPolicy") if each["metadata"]["name"] == "nats"]
    clients = next(rule for rule in policy["spec"]["ingress"] if rule["ports"] == [{"port": 4222}])
    (block,) = [peer["ipBlock"] for peer in clients["from"] if "ipBlock" in peer]
    assert block["cidr"] != "0.0.0.0/0"


def _subjects(root: str, policy: Manifest) -> Iterator[Pod]:
    for pod in pods(root):
        if pod.namespace == namespace_of(policy) and selects(policy["spec"]["podSelector"], pod.labels):
            yield pod


def _rules(root: str, direction: str) -> Iterator[tuple[Pod, Mapping[str, Any]]]:
    for policy in of_kind(root, "NetworkPolicy"):
        assert direction.lower() not in policy["spec"] or direction in policy["spec"]["policyTypes"]
        for pod in _subjects(root, policy):
            for rule in policy["spec"].get(direction.lower(), []):
                yield pod, rule


def _pairs(root: str, direction: str) -> Iterator[tuple[str, str, int]]:
    """(from, to, port) of every rule whose other end is pods of the same namespace."""
    for pod, rule in _rules(root, direction):
        for peer in rule.get("to" if direction == "Egress" else "from", []):
            if set(peer) != {"podSelector"}:
                continue
            for other in pods(root):
                if other.namespace == pod.namespace and selects(peer["podSelector"], other.labels):
                    ends = (pod.name, other.name) if direction == "Egress" else (other.name, pod.name)
                    yield from ((*ends, port["port"]) for port in rule["ports"])


def _open_to_all(root: str, direction: str) -> Iterator[tuple[Pod, Mapping[str, Any]]]:
    for pod, rule in _rules(root, direction):
        if not rule.get("to" if direction == "Egress" else "from"):
            yield from ((pod, port) for port in rule["ports"])
