"""Reads what a NATS server says of itself (STATSZ): JSON from the system account."""

import json
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 256 * 1024
MAX_NAME = 128


@dataclass(frozen=True)
class ServerFigures:
    """One server's word."""

    connections: int
    memory_bytes: int
    cpu_ratio: float
    """Processors in use: 1.0 is one of them, all the time."""
    slow_consumers: int
    in_messages: int
    out_messages: int


def read_statsz(data: bytes) -> tuple[str, ServerFigures] | None:
    """A server's name and figures; None for what is no such answer."""
    if len(data) > MAX_BYTES:
        return None
    try:
        answer = json.loads(data)
        name, stats = str(answer["server"]["name"])[:MAX_NAME], answer["statsz"]
        return name, ServerFigures(
            connections=_count(stats, "connections"),
            memory_bytes=_count(stats, "mem"),
            cpu_ratio=float(stats.get("cpu", 0)) / 100,
            slow_consumers=_count(stats, "slow_consumers"),
            in_messages=_count(stats["received"], "msgs"),
            out_messages=_count(stats["sent"], "msgs"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _count(of: Any, key: str) -> int:
    """A number; Go leaves zeros out."""
    return int(of.get(key, 0))
