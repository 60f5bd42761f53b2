"""kubectl as a coroutine: what it prints, or an error that says what it said.

The client of the Python environment goes before the machine's, which may be too old for kustomize components.
"""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

_SECONDS = 60.0
_FORWARD_SECONDS = 15.0


class KubectlError(Exception):
    """kubectl ended with a code other than 0."""

    def __init__(self, args: Sequence[str], code: int, said: str) -> None:
        super().__init__(f"kubectl {' '.join(args)} ended with {code}: {said.strip()}")
        self.code = code
        self.said = said


class Kubectl:
    """Aimed at one cluster."""

    def __init__(self, kubeconfig: Path) -> None:
        self.environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
        beside_python = Path(sys.executable).parent / "kubectl"
        self.program = str(beside_python) if beside_python.exists() else shutil.which("kubectl") or "kubectl"

    async def __call__(self, *args: str, stdin: str = "", seconds: float = _SECONDS) -> str:
        """What it prints. Raises KubectlError, and TimeoutError after `seconds`."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            *args,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                out, errors = await process.communicate(stdin.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise KubectlError(args, process.returncode, out.decode() + errors.decode())
        return out.decode()

    async def get(self, namespace: str, what: str, *args: str) -> Any:
        """An object, or a list's items."""
        found = json.loads(await self("get", *what.split("/", 1), "-n", namespace, "-o", "json", *args))
        return found["items"] if found["kind"] == "List" else found

    async def pods(self, namespace: str, labels: Mapping[str, str]) -> list[Any]:
        """The pods with these labels that are not on their way out."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = await self.get(namespace, "pods", "-l", selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    async def python(self, namespace: str, pod: str, program: str, *args: str, seconds: float = 30.0) -> Any:
        """Run a Python program in a pod's first container: what it prints as JSON."""
        command = ("exec", "-i", "-n", namespace, pod, "--", "python", "-", *args)
        return json.loads(await self(*command, stdin=program, seconds=seconds))

    @asynccontextmanager
    async def forward(self, namespace: str, target: str, port: int) -> AsyncIterator[int]:
        """A local port that leads into a pod, past all network policies, as an operator's would."""
        process = await asyncio.create_subprocess_exec(
            *(self.program, "port-forward", "-n", namespace, target, f":{port}"),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_FORWARD_SECONDS):
                line = (await process.stdout.readline()).decode()
            local = re.search(r"127\.0\.0\.1:(\d+) ->", line)
            assert local, f"no port was forwarded to {target}: {line!r}"
            yield int(local[1])
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
