"""Salon as it is installed in the cluster: applied, waited for, asked where it answers, removed."""

import asyncio
import base64
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cluster.kubectl import Kubectl, KubectlError

SALON, MEDIA = "salon", "salon-media"
NAMESPACES = (SALON, MEDIA)
OURS = "test-cluster"
"""The label of what a test may remove."""
OVERLAY = Path(__file__).resolve().parents[2] / "deploy" / "k8s" / "tests" / "cluster"

_READY_SECONDS = 180.0
_ENDED_SECONDS = 180.0
_REMOVED_SECONDS = 180.0
_LOOK_SECONDS = 1.0
_began = time.monotonic()


def say(line: str) -> None:
    """Show how far the test is."""
    print(f"[{time.monotonic() - _began:5.0f} s] {line}", flush=True)


class ForeignSalonError(Exception):
    """Somebody's own Salon runs in the cluster."""


class Installation:
    """The overlay `single`, with the images that were built here."""

    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl
        self._manifests = ""

    # ---- applied and removed

    async def make(self) -> None:
        """Apply, and note that it is ours; what an earlier test left goes first. Raises ForeignSalonError for anybody else's."""
        label = "{.metadata.labels." + OURS + "}"
        command = ("get", "namespace", SALON, "--ignore-not-found", "-o")
        if await self.kubectl(*command, "name"):
            if not await self.kubectl(*command, f"jsonpath={label}"):
                raise ForeignSalonError(f"namespace {SALON} is there, and no test made it: it is left alone")
            say("removing what an earlier test left")
            await self.remove()
        say("applying the overlay")
        await self.apply()
        await self.kubectl("label", "namespace", SALON, f"{OURS}=yes")
        await self.wait_ready()

    async def apply(self) -> None:
        """As an operator does."""
        await self.kubectl("apply", "-f", "-", stdin=await self.render())

    async def diff(self) -> str:
        """What another apply would change; empty if nothing."""
        try:
            return await self.kubectl("diff", "-f", "-", stdin=await self.render())
        except KubectlError as error:
            if error.code == 1:  # there are differences
                return error.said
            raise

    async def objects(self) -> dict[str, Any]:
        """Everything that was applied, as the cluster has it, without what it notes by itself."""
        found = json.loads(await self.kubectl("get", "-f", "-", "-o", "json", stdin=await self.render()))
        return {each["metadata"]["uid"]: _without_notes(each) for each in found["items"]}

    async def remove(self) -> None:
        """Everything, with its namespaces."""
        await self.kubectl(
            *("delete", "-f", "-", "--ignore-not-found", "--wait", f"--timeout={_REMOVED_SECONDS:.0f}s"),
            stdin=await self.render(),
            seconds=_REMOVED_SECONDS + 10,
        )

    async def render(self) -> str:
        """The manifests, as `kubectl apply -k` would read them."""
        if not self._manifests:
            text = await self.kubectl("kustomize", str(OVERLAY))
            registry = os.environ.get("REGISTRY")
            self._manifests = text.replace("image: salon/", f"image: {registry}/salon/") if registry else text
        return self._manifests

    # ---- changed

    async def scale(self, namespace: str, workload: str, replicas: int) -> None:
        """Have so many pods of a workload, and wait for them."""
        await self.kubectl("scale", "-n", namespace, workload, f"--replicas={replicas}")
        await self.wait_rolled(namespace, workload)
        await self.wait_none_ending()

    async def roll(self, namespace: str, workload: str) -> None:
        """Replace every pod of a workload, and wait until the old ones are gone."""
        old = [pod["metadata"]["name"] for pod in await self.pods_of(namespace, workload)]
        await self.kubectl("rollout", "restart", "-n", namespace, workload)
        await self.wait_rolled(namespace, workload)
        await self.wait_ended(namespace, old)

    async def evict(self, namespace: str, pod: str) -> None:
        """Have a pod leave as `kubectl drain` does. Raises KubectlError when its budget forbids it."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        await self.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))

    # ---- waited for

    async def wait_ready(self) -> None:
        """Wait until every workload has the pods it wants, of its newest kind."""
        await asyncio.gather(
            *[self.wait_rolled(namespace, name) for namespace, name in await self.workloads()]
        )

    async def wait_rolled(self, namespace: str, workload: str) -> None:
        """Wait for one workload, `deployment/rooms`."""
        limit = f"--timeout={_READY_SECONDS:.0f}s"
        await self.kubectl("rollout", "status", "-n", namespace, workload, limit, seconds=_READY_SECONDS + 10)
        say(f"{workload} is ready")

    async def workloads(self, *, empty: bool = False) -> list[tuple[str, str]]:
        """Every Deployment and StatefulSet with its namespace; those that want no pods only if `empty`."""
        return [
            (namespace, f"{each['kind'].lower()}/{each['metadata']['name']}")
            for namespace in NAMESPACES
            for each in await self.kubectl.get(namespace, "deployments,statefulsets")
            if each["spec"]["replicas"] > 0 or empty
        ]

    async def wait_ended(self, namespace: str, pods: Iterable[str]) -> None:
        """Wait until these pods are gone, however long they drain."""
        names = [f"pod/{name}" for name in pods]
        if names:
            limit = f"--timeout={_ENDED_SECONDS:.0f}s"
            await self.kubectl(
                "wait", "--for=delete", "-n", namespace, *names, limit, seconds=_ENDED_SECONDS + 10
            )

    async def wait_none_ending(self) -> None:
        """Wait until no pod is on its way out."""
        for namespace in NAMESPACES:
            pods = await self.kubectl.get(namespace, "pods")
            ending = [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" in pod["metadata"]]
            await self.wait_ended(namespace, ending)

    # ---- looked at

    async def pods_of(self, namespace: str, workload: str) -> list[Any]:
        """The pods of one workload that are not on their way out."""
        spec = (await self.kubectl.get(namespace, workload))["spec"]
        return await self.kubectl.pods(namespace, spec["selector"]["matchLabels"])

    async def stays_ready(self, seconds: float, *, but: str) -> None:
        """Look for so long that every pod is ready, except those whose names begin with `but`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for namespace in NAMESPACES:
                for pod in await self.kubectl.get(namespace, "pods"):
                    name = pod["metadata"]["name"]
                    assert name.startswith(but) or is_ready(pod), f"{name} is not ready"
            await asyncio.sleep(_LOOK_SECONDS)  # the interval at which it is looked at

    async def restarts(self, *, but: str = "-") -> dict[str, int]:
        """How often each pod's containers were started again, except of pods whose names begin with `but`."""
        return {
            pod["metadata"]["name"]: sum(each["restartCount"] for each in pod["status"]["containerStatuses"])
            for namespace in NAMESPACES
            for pod in await self.kubectl.get(namespace, "pods")
            if pod["status"]["phase"] == "Running" and not pod["metadata"]["name"].startswith(but)
        }

    async def secret(self, name: str, key: str) -> str:
        """What a secret holds."""
        found = await self.kubectl.get(SALON, f"secret/{name}")
        return base64.b64decode(found["data"][key]).decode()

    async def node_port(self, service: str) -> str:
        """The address outside the cluster of a Service with one NodePort."""
        (port,) = (await self.kubectl.get(SALON, f"service/{service}"))["spec"]["ports"]
        nodes = await self.kubectl.get("", "nodes")
        internal = next(
            each["address"] for each in nodes[0]["status"]["addresses"] if each["type"] == "InternalIP"
        )
        return f"{internal}:{port['nodePort']}"


def _without_notes(each: dict[str, Any]) -> dict[str, Any]:
    notes = ("managedFields", "resourceVersion")
    metadata = {key: value for key, value in each["metadata"].items() if key not in notes}
    return {key: value for key, value in each.items() if key != "status"} | {"metadata": metadata}


def is_ready(pod: Any) -> bool:
    """Whether a pod serves, or has done its work."""
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return pod["status"]["phase"] == "Succeeded" or conditions.get("Ready") == "True"
