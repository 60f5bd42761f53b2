"""The media pods, as the Kubernetes API has them: listed, and given their deletion costs.

Two requests of the API do not need a client library of it: this is the HTTP client that the RPC library brings anyway. The
token is read again for each request, since Kubernetes replaces it each hour.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pyqwest import Client, HTTPTransport
from salon_common.errors import Code, SalonError, SettingsError

from salon_rooms.core.scaling import CostPatch, Pod

COST: Final = "controller.kubernetes.io/pod-deletion-cost"
ANSWER_SECONDS: Final = 5.0

_NOT_FOUND: Final = 404


class Pods:
    """The pods of one namespace that a label selector takes."""

    def __init__(self, url: str, account: Path, namespace: str, selector: str) -> None:
        """Raises SettingsError when the service account cannot be used."""
        ca_file = account / "ca.crt"
        try:
            transport = HTTPTransport(tls_ca_cert=_read(ca_file), follow_redirects=False)
        except ValueError as error:
            raise SettingsError(f"SALON_SCALER_SERVICE_ACCOUNT: {ca_file}: {error}") from error
        self._client = Client(transport)
        self._token_file = account / "token"
        self._pods = f"{url}/api/v1/namespaces/{namespace}/pods"
        self._selector = selector

    async def list(self) -> list[Pod]:
        """Those that run and are not being deleted. Raises SalonError UNAVAILABLE."""
        # resourceVersion=0 is answered from the API server's memory: a second's age does not matter here.
        found = await self._request("GET", f"?resourceVersion=0&labelSelector={quote(self._selector)}")
        if found is None:
            return []
        return [
            Pod(item["metadata"]["name"], _cost(item["metadata"]))
            for item in found["items"]
            if "deletionTimestamp" not in item["metadata"]
        ]

    async def write(self, patch: CostPatch) -> None:
        """Write one cost; a pod that is gone needs none. Raises SalonError UNAVAILABLE."""
        body = {"metadata": {"annotations": {COST: str(patch.cost)}}}
        await self._request("PATCH", f"/{patch.pod}", body)

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer; None for what is not there."""
        headers = {
            "authorization": f"Bearer {_read(self._token_file).decode().strip()}",
            "content-type": "application/merge-patch+json",
            "accept": "application/json",
        }
        content = json.dumps(body).encode() if body else None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if method == "GET":
                    answer = await self._client.get(self._pods + path, headers)
                else:
                    answer = await self._client.patch(self._pods + path, headers, content)
        except (OSError, TimeoutError, RuntimeError) as error:
            raise _unavailable(str(error) or type(error).__name__) from error
        if answer.status == _NOT_FOUND:
            return None
        if answer.status >= 300:
            raise _unavailable(f"{method} pods is answered {answer.status}: {answer.text()[:200]}")
        return answer.json()


def _cost(metadata: Mapping[str, Any]) -> int:
    """What is written; 0 for what cannot be read, which is what Kubernetes makes of it."""
    try:
        return int(metadata.get("annotations", {}).get(COST, "0"))
    except ValueError:
        return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"SALON_SCALER_SERVICE_ACCOUNT: cannot read {path}: {error.strerror}") from error


def _unavailable(problem: str) -> SalonError:
    return SalonError(Code.UNAVAILABLE, f"the Kubernetes API: {problem}")
