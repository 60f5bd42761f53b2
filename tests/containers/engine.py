"""The engine that has the images, asked by its command line."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from images import docker
from images.docker import ROOT, Docker

TAG = os.environ.get("TAG") or "dev"


@dataclass(frozen=True)
class Ended:
    """A container that has ended by itself."""

    code: int
    output: str
    errors: str


@cache
def engine() -> Docker:
    """The one that `make images` builds in."""
    found = docker.find()
    assert found is not None, "no Docker engine: `make images` starts one"
    return found


def image(name: str) -> str:
    """The full name of one of our images."""
    return f"salon/{name}:{TAG}"


def inspect(name: str) -> dict[str, Any]:
    """What the engine says of an image."""
    text = engine().output("image", "inspect", image(name))
    assert text is not None, f"there is no {image(name)}: `make images` makes it"
    described: dict[str, Any] = json.loads(text)[0]
    return described


def run(name: str, *command: str, environment: Mapping[str, str] | None = None) -> Ended:
    """A container as a cluster runs it: nothing is writable but /tmp, and it has no capability. The first of `command` is the entry
    point; without any it is the image's own.
    """
    options = [
        "--rm",
        "--read-only",
        "--tmpfs=/tmp",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--network=none",
    ]
    options += [f"--env={key}={value}" for key, value in (environment or {}).items()]
    if command:
        options.append(f"--entrypoint={command[0]}")
    client = [engine().client, "run", *options, image(name), *command[1:]]
    done = subprocess.run(client, env=variables(), capture_output=True, text=True, check=False, timeout=60)
    return Ended(done.returncode, done.stdout, done.stderr)


def compose(*arguments: str) -> str:
    """`docker compose` with the images of tests; what it prints."""
    newer = engine().output("compose", "version") is not None
    program = [engine().client, "compose"] if newer else [shutil.which("docker-compose") or "docker-compose"]
    done = subprocess.run(
        [*program, *arguments],
        cwd=ROOT,
        env=variables()
        | {
            "COMPOSE_PROJECT_NAME": "salon-test",
            "TAG": TAG,
            "NATS_IMAGE": image("test-nats"),
            "PROMETHEUS_IMAGE": image("test-prometheus"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
    return done.stdout


def variables() -> dict[str, str]:
    """The environment in which the engine's client finds it."""
    return os.environ | ({"DOCKER_HOST": engine().host} if engine().host else {})
