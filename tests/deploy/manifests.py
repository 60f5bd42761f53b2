"""What kustomize makes of an overlay, as the tests look at it: objects, workloads, their pods and containers."""

import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
K8S = PROJECT / "deploy" / "k8s"
WORKLOADS = ("Deployment", "StatefulSet")

Manifest = Mapping[str, Any]


def roots() -> list[str]:
    """Every overlay, and every combination of components that is kept to be built here."""
    found = [
        path.parent for group in ("overlays", "tests") for path in (K8S / group).glob("*/kustomization.yaml")
    ]
    return sorted(str(path.relative_to(K8S)) for path in found)


OVERLAYS = [root for root in roots() if root.startswith("overlays/")]


@functools.cache
def render(root: str) -> tuple[Manifest, ...]:
    """The objects that `kubectl apply -k` would apply."""
    done = subprocess.run(
        [kubectl(), "kustomize", str(K8S / root)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{root}: {done.stderr}"
    return tuple(document for document in yaml.safe_load_all(done.stdout) if document)


def kubectl() -> str:
    """The one that the project brings: an older one knows no components."""
    return str(Path(sys.executable).with_name("kubectl"))


def of_kind(root: str, *kinds: str) -> list[Manifest]:
    """The objects of these kinds."""
    return [manifest for manifest in render(root) if manifest["kind"] in kinds]


def name_of(manifest: Manifest) -> str:
    """For messages, and to tell objects apart."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def namespace_of(manifest: Manifest) -> str:
    """The object's namespace; "" for those that have none."""
    return str(manifest["metadata"].get("namespace", ""))


@dataclass(frozen=True)
class Pod:
    """What is started, and by whom."""

    owner: str
    namespace: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    runs_on: bool
    """False for a pod that ends by itself."""

    @property
    def name(self) -> str:
        """What the service is called."""
        return self.labels["app.kubernetes.io/name"]

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """All of them, those that start first too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def ports(self) -> dict[str, int]:
        """Of every container, by name."""
        return {
            port["name"]: port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
        }


def pods(root: str) -> list[Pod]:
    """Every pod that an overlay starts."""
    return list(_pods(root))


def _pods(root: str) -> Iterator[Pod]:
    for manifest in of_kind(root, *WORKLOADS):
        template = manifest["spec"]["template"]
        yield Pod(
            name_of(manifest),
            namespace_of(manifest),
            template["metadata"]["labels"],
            template["spec"],
            runs_on=True,
        )
    for manifest in of_kind(root, "Pod"):
        yield Pod(
            name_of(manifest),
            namespace_of(manifest),
            manifest["metadata"]["labels"],
            manifest["spec"],
            runs_on=False,
        )


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector, as policies and budgets have it, chooses who has these labels."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        assert expression["operator"] == "In", "the tests know no other operator"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True
