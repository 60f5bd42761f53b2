"""Which cluster is tested, and how images get there.

A cluster is the one in $KUBECONFIG, or else the one that $CLUSTER_TOOL starts, a program with the commands `up` (its last word is the
path of a KUBECONFIG) and `load-image`; by default `../shared/cluster/cluster` beside this checkout, where it is there.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / ".run" / "docker" / "docker.sock"
LOADED = ROOT / ".run" / "cluster-images.json"


@dataclass(frozen=True)
class Access:
    """A cluster that answers."""

    kubeconfig: Path
    load: Sequence[str]
    """The command that takes an archive of images on its standard input; empty where the cluster pulls them."""


def find() -> Access:
    """The cluster to test. Ends the program with what to do when there is none."""
    if given := os.environ.get("KUBECONFIG"):
        return Access(Path(given), _loader(Path(given)))
    tool = Path(os.environ.get("CLUSTER_TOOL") or ROOT.parent / "shared" / "cluster" / "cluster")
    if not tool.exists():
        sys.exit("no cluster: set KUBECONFIG, or CLUSTER_TOOL to a program that starts one")
    up = subprocess.run([tool, "up"], check=False, stdout=subprocess.PIPE, text=True)
    if up.returncode:
        sys.exit("the cluster does not start")
    return Access(Path(up.stdout.split()[-1]), (str(tool), "load-image", "-"))


def _loader(kubeconfig: Path) -> Sequence[str]:
    """How kind and k3d take images."""
    context = _kubectl(kubeconfig, "config", "current-context").strip()
    kind, _, name = context.partition("-")
    if kind == "kind":
        return ("kind", "load", "image-archive", "/dev/stdin", "--name", name)
    if kind == "k3d":
        return ("k3d", "image", "import", "-", "--cluster", name)
    return ()


def bring_images(access: Access, images: Sequence[str]) -> None:
    """Bring images from the local engine to the cluster; nothing when the same ones were brought before.

    With $REGISTRY they are called so, as `make images` calls them, and pushed. Without it, and without a known way to load them, they
    have to be there already.
    """
    registry = os.environ.get("REGISTRY")
    if not registry and not access.load:
        return
    names = [f"{registry}/{image}" if registry else image for image in images]
    state = {
        "cluster": _kubectl(
            access.kubeconfig, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"
        ),
        "images": {name: _image_id(name) for name in names},
    }
    if LOADED.exists() and json.loads(LOADED.read_text()) == state:
        return
    if registry:
        for name in names:
            subprocess.run(["docker", "push", "--quiet", name], check=True, env=_docker_environment())
    else:
        _load(access.load, names)
    LOADED.parent.mkdir(exist_ok=True)
    LOADED.write_text(json.dumps(state, indent=2) + "\n")


def _load(command: Sequence[str], images: Sequence[str]) -> None:
    save = ["docker", "save", *images]
    with subprocess.Popen(save, stdout=subprocess.PIPE, env=_docker_environment()) as saving:
        subprocess.run(command, check=True, stdin=saving.stdout, stdout=subprocess.DEVNULL)
    if saving.returncode:
        sys.exit("docker save failed")


def _image_id(image: str) -> str:
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    found = subprocess.run(command, check=False, capture_output=True, text=True, env=_docker_environment())
    if found.returncode:
        sys.exit(f"no image {image}: {found.stderr.strip()}")
    return found.stdout.strip()


def _docker_environment() -> dict[str, str]:
    """With the engine that `make images` started, where it did."""
    own = {"DOCKER_HOST": f"unix://{ENGINE}"} if ENGINE.exists() else {}
    return own | os.environ


def _kubectl(kubeconfig: Path, *args: str) -> str:
    environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
    return subprocess.run(
        ["kubectl", *args], check=True, stdout=subprocess.PIPE, text=True, env=environment
    ).stdout
