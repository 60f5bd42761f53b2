"""Which cluster is tested, and how images get there.

A cluster is the one in $KUBECONFIG, or else the one that $CLUSTER_TOOL starts, a program with the commands `up` (prints the path of a
KUBECONFIG) and `load-image`; by default `../shared/cluster/cluster` beside this checkout, where it is there.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOADED = ROOT / ".run" / "cluster-images.json"


@dataclass(frozen=True)
class Access:
    """A cluster that answers."""

    kubeconfig: Path
    load: Sequence[str]
    """The command that takes an archive of images on its standard input; empty where the cluster pulls them."""


def find() -> Access:
    """The cluster to test. Ends the program with what to do when there is none."""
    tool = Path(os.environ.get("CLUSTER_TOOL") or ROOT.parent / "shared" / "cluster" / "cluster")
    given = os.environ.get("KUBECONFIG")
    if given:
        return Access(Path(given), _loader(Path(given), tool))
    if not tool.exists():
        sys.exit("no cluster: set KUBECONFIG, or CLUSTER_TOOL to a program that starts one")
    up = subprocess.run([tool, "up"], check=True, stdout=subprocess.PIPE, text=True)
    return Access(Path(up.stdout.strip()), (str(tool), "load-image", "-"))


def _loader(kubeconfig: Path, tool: Path) -> Sequence[str]:
    """How kind, k3d and our own tool take images; who has another cluster pushes or loads them before."""
    context = _kubectl(kubeconfig, "config", "current-context").strip()
    kind, _, name = context.partition("-")
    if kind == "kind":
        return ("kind", "load", "image-archive", "/dev/stdin", "--name", name)
    if kind == "k3d":
        return ("k3d", "image", "import", "-", "--cluster", name)
    if "cluster-tool" in kubeconfig.parts and tool.exists():
        return (str(tool), "load-image", "-")
    return ()


def bring_images(access: Access, images: Sequence[str]) -> None:
    """Bring images from the local engine to the cluster; nothing when the same ones were brought before.

    $REGISTRY is where the cluster pulls from: `registry.example:5000/team`. Without it, and without a known way to load them, images are
    there already.
    """
    registry = os.environ.get("REGISTRY")
    if not registry and not access.load:
        return
    state = {
        "registry": registry,
        "cluster": _kubectl(
            access.kubeconfig, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"
        ),
        "images": {image: _image_id(image) for image in images},
    }
    if LOADED.exists() and json.loads(LOADED.read_text()) == state:
        return
    for image in images if registry else ():
        subprocess.run(["docker", "tag", image, f"{registry}/{image}"], check=True)
        subprocess.run(["docker", "push", "--quiet", f"{registry}/{image}"], check=True)
    if not registry:
        _load(access.load, images)
    LOADED.parent.mkdir(exist_ok=True)
    LOADED.write_text(json.dumps(state, indent=2) + "\n")


def _load(command: Sequence[str], images: Sequence[str]) -> None:
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as save:
        subprocess.run(command, check=True, stdin=save.stdout, stdout=subprocess.DEVNULL)
    if save.returncode:
        sys.exit("docker save failed")


def _image_id(image: str) -> str:
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    if found.returncode:
        sys.exit(f"no image {image}: `make images test-images` makes it")
    return found.stdout.strip()


def _kubectl(kubeconfig: Path, *args: str) -> str:
    environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
    return subprocess.run(
        ["kubectl", *args], check=True, stdout=subprocess.PIPE, text=True, env=environment
    ).stdout
