"""What may reach what: every pair of services on the pod network, each port that somebody listens on.

That a refusal is the policies' doing is shown by taking them away: then everything reaches everything.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from cluster.installation import SALON, Installation, say
from cluster.probes import Probe, placed
from cluster.waiting import settles
from cluster.web import fetch

pytestmark = [pytest.mark.cluster, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

ELSEWHERE = "salon-test-elsewhere"
STRANGER, FOREIGNER = "stranger", "foreigner"
"""A pod without a service's labels in Salon's namespace, and one in another namespace."""

PUBLIC = {"signaling:9090", "web:8080"}
"""What clients reach."""
REACHES: Mapping[str, set[str]] = {
    "rooms": {"nats:4222"},
    "signaling": {"nats:4222"},
    "web": {"signaling:8080"},
    "nats": {"nats:6222"},
    "prometheus": {"rooms:8081", "signaling:8081", "alertmanager:9093"},
    "alertmanager": set(),
    "grafana": {"prometheus:9090"},
    STRANGER: set(),
    FOREIGNER: PUBLIC,
}
ABSENT = {"nats:6222"}
"""Nobody listens here: one server of NATS has no peers."""
SETTLE_SECONDS = 15.0

OPEN = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "test-everything", "namespace": SALON},
    "spec": {"podSelector": {}, "ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]},
}


@dataclass(frozen=True)
class Ground:
    """The probes, and the addresses that they try."""

    installation: Installation
    probes: Mapping[str, Probe]
    targets: Mapping[str, str]
    """`rooms:8081` → the address of a pod."""

    def named(self, table: Mapping[str, set[str]]) -> dict[str, set[str]]:
        """Of a table, what there is in this installation."""
        return {name: reaches & set(self.targets) - ABSENT for name, reaches in table.items()}

    async def reached(self) -> dict[str, set[str]]:
        """What each probe reaches, by name."""
        names = {address: name for name, address in self.targets.items()}
        found = await asyncio.gather(
            *(probe.reaches(self.installation.kubectl, names) for probe in self.probes.values())
        )
        return {
            name: {names[address] for address in addresses}
            for name, addresses in zip(self.probes, found, strict=True)
        }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ground(installation: Installation) -> AsyncIterator[Ground]:
    """A probe for each service, and two who are none."""
    kubectl = installation.kubectl
    probes = {STRANGER: Probe(STRANGER, SALON, {}), FOREIGNER: Probe(FOREIGNER, ELSEWHERE, {})}
    targets: dict[str, str] = {}
    for namespace, workload in await installation.workloads(empty=True):
        if namespace != SALON:
            continue  # on the hosts' network, where policies do not reach: test_credentials.py
        service = workload.partition("/")[2]
        template = (await kubectl.get(SALON, workload))["spec"]["template"]
        probes[service] = Probe(service, SALON, template["metadata"]["labels"])
        for pod in (await installation.pods_of(SALON, workload))[:1]:
            address = pod["status"]["podIP"]
            targets |= {f"{service}:{port}": f"{address}:{port}" for port in declared_ports(template)}
    elsewhere = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ELSEWHERE}}
    await kubectl("apply", "-f", "-", stdin=json.dumps(elsewhere))
    try:
        async with placed(kubectl, probes.values(), await image_with_python(installation)):
            yield Ground(installation, probes, targets)
    finally:
        await kubectl("delete", "namespace", ELSEWHERE, "--wait")


def declared_ports(template: dict[str, Any]) -> list[int]:
    """The ports that a pod says its containers listen on."""
    return [
        port["containerPort"]
        for container in template["spec"]["containers"]
        for port in container.get("ports", ())
    ]


async def image_with_python(installation: Installation) -> str:
    rooms = await installation.kubectl.get(SALON, "deployment/rooms")
    image: str = rooms["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


async def test_every_service_has_a_line_in_the_table(ground: Ground) -> None:
    assert set(ground.probes) == set(REACHES)
    assert {target.partition(":")[0] for target in ground.targets} <= set(REACHES)


async def test_what_should_be_reached_is_and_nothing_else(ground: Ground) -> None:
    expected = ground.named(REACHES)
    say(f"{len(ground.probes)} probes try {len(ground.targets)} ports")
    assert await settles(ground.reached, expected, SETTLE_SECONDS) == expected


async def test_without_policies_everything_is_reached(ground: Ground) -> None:
    kubectl = ground.installation.kubectl
    expected = ground.named(REACHES)
    everything = ground.named({name: set(ground.targets) for name in ground.probes})
    await kubectl("apply", "-f", "-", stdin=json.dumps(OPEN))
    try:
        assert await settles(ground.reached, everything, SETTLE_SECONDS) == everything
    finally:
        await kubectl("delete", "-f", "-", stdin=json.dumps(OPEN))
    assert await settles(ground.reached, expected, SETTLE_SECONDS) == expected


async def test_media_nodes_are_asked_by_rooms_and_prometheus_alone(ground: Ground) -> None:
    kubectl = ground.installation.kubectl
    async with kubectl.forward(SALON, "service/rooms", 8081) as port:
        found = json.loads(await asyncio.to_thread(fetch, f"http://127.0.0.1:{port}/sd/media"))
    addresses = {target for each in found for target in each["targets"]}
    assert addresses

    async def who() -> set[str]:
        return {
            name
            for name, probe in ground.probes.items()
            if await probe.reaches(kubectl, addresses) == addresses
        }

    expected = {"rooms", "prometheus", FOREIGNER}
    assert await settles(who, expected, SETTLE_SECONDS) == expected


async def test_nobody_has_a_way_to_the_kubernetes_api(ground: Ground) -> None:
    api = await ground.installation.kubectl.get("default", "service/kubernetes")
    address = f"{api['spec']['clusterIP']}:443"
    for name, probe in ground.probes.items():
        if name != FOREIGNER:
            assert await probe.reaches(ground.installation.kubectl, [address]) == set(), name
