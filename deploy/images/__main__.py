"""Builds images: `python -m images rooms web`; `python -m images stop` ends the engine that was started for it.

Environment: TAG (dev), REGISTRY (none), and BASE, RUST, NODE for other bases than the Dockerfile's.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from images import bases, docker, host
from images.docker import ROOT, Docker, ImagesError, say

SERVICES = ("rooms", "signaling", "media", "web")
STAND_INS = ("test-nats", "test-prometheus")


def build(targets: Sequence[str]) -> list[tuple[str, int]]:
    """Build the targets; their names and sizes in bytes. Raises ImagesError."""
    engine = docker.connect()
    chosen = bases.choose(engine, os.environ)
    with tempfile.TemporaryDirectory() as directory:
        common = ["--file", str(bases.DOCKERFILE), *host.arguments(Path(directory))]
        for argument, image in chosen.items():
            common += ["--build-arg", f"{argument}={image}"]
        return [_build_one(engine, target, common) for target in targets]


def _build_one(engine: Docker, target: str, common: Sequence[str]) -> tuple[str, int]:
    registry = os.environ.get("REGISTRY")
    name = f"{f'{registry}/' if registry else ''}salon/{target}:{os.environ.get('TAG') or 'dev'}"
    began = time.monotonic()
    say(f"building {name}")
    if not engine.build([*common, "--target", target, "--tag", name, str(ROOT)]):
        raise ImagesError(f"{name} does not build: its last lines say why")
    say(f"{name}: {time.monotonic() - began:.0f} s")
    return name, int(engine.output("image", "inspect", "--format", "{{.Size}}", name) or 0)


def main(targets: Sequence[str]) -> int:
    """The exit code."""
    if list(targets) == ["stop"]:
        docker.stop()
        return 0
    unknown = [target for target in targets if target not in SERVICES + STAND_INS]
    if unknown:
        say(f"no such image: {', '.join(unknown)}; there are {', '.join(SERVICES + STAND_INS)}")
        return 2
    try:
        built = build(targets or SERVICES)
    except ImagesError as error:
        say(str(error))
        return 1
    for name, size in built:
        print(f"{name:<40} {size / 1e6:6.0f} MB")
    if (engine := docker.find()) and engine.own:
        print(f"In the engine started here: export DOCKER_HOST={engine.host}; `make images-stop` ends it.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
