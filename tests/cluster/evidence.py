"""What an operator would look at first when something in the cluster went wrong."""

import os
import subprocess
from collections.abc import Iterator

from cluster.installation import NAMESPACES
from cluster.kubectl import Kubectl

_SECONDS = 20
_LINES = 15


def gather(kubectl: Kubectl) -> str:
    """Pods, the latest events, and the end of every pod's log, also of what ran before a restart."""
    return "\n".join(part for namespace in NAMESPACES for part in _gather(kubectl, namespace))


def _gather(kubectl: Kubectl, namespace: str) -> Iterator[str]:
    here = ("-n", namespace)
    yield f"--- pods of {namespace}\n{_ask(kubectl, 'get', 'pods', '-o', 'wide', *here)}"
    warnings = ("--field-selector=type!=Normal", "--sort-by=.lastTimestamp")
    events = (_ask(kubectl, "get", "events", *warnings, *here) or "").splitlines()
    yield f"--- warnings in {namespace}\n" + "\n".join(events[-_LINES:])
    for pod in (_ask(kubectl, "get", "pods", "-o", "name", *here) or "").split():
        for which in ("--previous=true", "--previous=false"):
            log = _ask(kubectl, "logs", pod, "--all-containers", f"--tail={_LINES}", which, *here)
            if log:
                yield f"--- log of {namespace}/{pod} {which}\n{log}"


def _ask(kubectl: Kubectl, *args: str) -> str | None:
    """What kubectl prints; None when it cannot: evidence must not be the next failure."""
    command = [kubectl.program, *args]
    environment = os.environ | kubectl.environment
    try:
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return done.stdout
