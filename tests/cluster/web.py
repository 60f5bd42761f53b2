"""HTTP to the cluster: proxies of the environment are for other machines."""

import json
import urllib.request
from typing import Any


def fetch(url: str, body: dict[str, Any] | None = None) -> bytes:
    """GET, or POST of JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"} if data else {})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        read: bytes = answer.read()
    return read
