"""Throw-away pods that stand where a service's pods stand, and try what they can reach.

A probe has the labels of the service, so that network policies take it for one, and is never ready, so that nobody is sent to it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cluster.kubectl import Kubectl

_START_SECONDS = 60
_REACH = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def reaches(target):
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True

targets = sys.argv[1:]
with ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps([target for target, open in zip(targets, pool.map(reaches, targets)) if open]))
"""


@dataclass(frozen=True)
class Probe:
    """A pod that looks like one of `name`."""

    name: str
    namespace: str
    labels: Mapping[str, str]

    @property
    def pod(self) -> str:
        """Its pod's name."""
        return f"probe-{self.name}"

    def manifest(self, image: str) -> dict[str, Any]:
        """A pod that does nothing, and may do nothing."""
        contained = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        container = {
            "name": "probe",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", "-c", "import signal; signal.sigwait([signal.SIGTERM])"],
            "readinessProbe": {
                "exec": {"command": ["python", "-c", "raise SystemExit(1)"]},
                "periodSeconds": 60,
            },
            "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "10m"}},
            "securityContext": contained,
        }
        as_whom = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.pod, "namespace": self.namespace, "labels": dict(self.labels)},
            "spec": {
                "containers": [container],
                "securityContext": as_whom,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 1,
            },
        }

    async def reaches(self, kubectl: Kubectl, targets: Iterable[str]) -> set[str]:
        """Which of these `host:port` accept a connection from here."""
        return set(await kubectl.python(self.namespace, self.pod, _REACH, *targets))


@asynccontextmanager
async def placed(kubectl: Kubectl, probes: Iterable[Probe], image: str) -> AsyncIterator[None]:
    """The probes' pods, running; deleted with the block."""
    probes = list(probes)
    pods = {"apiVersion": "v1", "kind": "List", "items": [probe.manifest(image) for probe in probes]}
    text = json.dumps(pods)
    await kubectl("apply", "-f", "-", stdin=text)
    try:
        await asyncio.gather(*(_started(kubectl, probe) for probe in probes))
        yield
    finally:
        await kubectl("delete", "-f", "-", "--wait", "--ignore-not-found", stdin=text)


async def _started(kubectl: Kubectl, probe: Probe) -> None:
    await kubectl(
        *("wait", "-n", probe.namespace, f"pod/{probe.pod}"),
        *("--for=jsonpath={.status.phase}=Running", f"--timeout={_START_SECONDS}s"),
        seconds=_START_SECONDS + 5,
    )
