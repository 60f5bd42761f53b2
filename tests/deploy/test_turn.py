"""The relay of a region: pages are told where it is, and it reaches media nodes' ports alone."""

import ipaddress
import json
from collections.abc import Mapping
from typing import Any

import pytest
from deploy.manifests import OVERLAYS, Pod, of_kind, pods
from deploy.relay_server import USER, relay_config, relay_pod

REGIONS = [root for root in OVERLAYS if root.startswith("overlays/region-")]
every_region = pytest.mark.parametrize("root", REGIONS)


@every_region
def test_pages_come_by_tls_where_https_is(root: str) -> None:
    (server,) = page(root)["ways"]["iceServers"]
    (certificate,) = [each for each in of_kind(root, "Certificate") if each["metadata"]["name"] == "turn"]
    (host,) = certificate["spec"]["dnsNames"]
    (port,) = [
        each["port"]
        for service in of_kind(root, "Service")
        for each in service["spec"]["ports"]
        if each["targetPort"] == "turns"
    ]
    assert server["urls"] == f"turns:{host}:{port}?transport=tcp"
    assert server["username"] == USER
    assert server["credential"]


@every_region
def test_who_can_go_directly_does(root: str) -> None:
    assert "iceTransportPolicy" not in page(root)["ways"]


@every_region
def test_it_reaches_the_same_range_by_its_own_rule_and_by_the_policy(root: str) -> None:
    first, last = relay_peers(relay_pod(root)).split("-")
    (network,) = ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))
    assert str(network) == policy(root)["egress"][0]["to"][0]["ipBlock"]["cidr"]
    assert network.prefixlen >= 8, "that would be an open relay"


@every_region
def test_the_policy_leaves_it_the_media_nodes_udp_ports(root: str) -> None:
    (media,) = [pod for pod in pods(root) if pod.name == "media"]
    (ports,) = [
        each["value"]
        for each in media.spec["containers"][0]["env"]
        if each["name"] == "SALON_MEDIA_PORT_RANGE"
    ]
    first, last = (int(port) for port in ports.split("-"))
    (rule,) = policy(root)["egress"]
    assert rule["ports"] == [{"protocol": "UDP", "port": first, "endPort": last}]


@every_region
def test_it_listens_at_the_ports_that_the_pod_names(root: str) -> None:
    config = dict(line.split("=", 1) for line in relay_config(root) if "=" in line)
    named = {"turn": int(config["listening-port"]), "turns": int(config["tls-listening-port"])}
    assert relay_pod(root).ports() == named


def page(root: str) -> Mapping[str, Any]:
    """The page's configuration."""
    (web,) = [each for each in of_kind(root, "ConfigMap") if each["metadata"]["name"] == "web"]
    parsed: Mapping[str, Any] = json.loads(web["data"]["config.json"])
    return parsed


def policy(root: str) -> Mapping[str, Any]:
    """The relay's network policy."""
    found: Mapping[str, Any]
    (found,) = [
        each["spec"]
        for each in of_kind(root, "NetworkPolicy")
        if each["spec"]["podSelector"].get("matchLabels") == {"app.kubernetes.io/name": "turn"}
    ]
    return found


def relay_peers(pod: Pod) -> str:
    """The range that the relay is started with."""
    (container,) = pod.spec["containers"]
    assert "--allowed-peer-ip=$(PEERS)" in container["command"]
    (value,) = [each["value"] for each in container["env"] if each["name"] == "PEERS"]
    return str(value)
