"""Writes docs/metrics.md from the metrics that the code registers; with --check says whether it is as the code has it."""

import sys
from pathlib import Path

import salon_common.telemetry.metrics  # noqa: F401 - each module registers what it counts
import salon_rooms.metrics
import salon_rooms.nats_servers  # noqa: F401
import salon_signaling.metrics  # noqa: F401
from prometheus_client import REGISTRY, CollectorRegistry
from salon_common.clock import ManualClock
from salon_common.telemetry.catalogue import Described, catalogue, markdown_table
from salon_media.core.node_state import NodeState
from salon_media.core.stress import StressMeter
from salon_media.engine import start_engine
from salon_media.metrics import NodeCollector, NodeMetrics

PAGE = Path(__file__).parent / "metrics.md"
HEAD = """# Metrics

Made from the code by `make docs`. Every service answers `GET /metrics` at its health port. No label grows with rooms or people.

What belongs to a process is told by that process: sum it over `instance`. What belongs to the region (rooms, people, streams, NATS servers) is told by one
rooms replica, which all replicas agree on, and is 0 or absent at the others: sum it too. When that replica goes, another tells it some seconds later. The
few gauges that each replica tells alike say so: take their maximum.

Asked for OpenMetrics, histograms of calls and joins have exemplars: the id of a trace that fell into the bucket. There are traces where
`SALON_<SERVICE>_TRACES_ENDPOINT` names a collector ([config.md](config.md)). One trace follows a join: `signaling/Join`, the calls to `rooms/Join` (with the
room's `turn` and its `commit`) and to `media/Admit`. A span of a stream ends with its first message. Log lines inside a trace have its `trace_id`.

What clients report (`ReportQuality`, [client-protocol.md](client-protocol.md)) is theirs to say: figures that cannot be are refused, and a stay's firsts are counted once.
"""
SECTIONS = {
    "salon_rooms_": "rooms",
    "salon_signaling_": "signaling",
    "salon_media_": "media",
    "salon_nats_server_": "NATS servers, as rooms sees them",
    "salon_": "every service",
    "": "every Python process",
}


def all_metrics() -> list[Described]:
    """What the three services register, as if they were one process."""
    node = CollectorRegistry()
    NodeMetrics(node)
    engine = start_engine("127.0.0.1", 0)
    try:
        node.register(NodeCollector(engine.counters, NodeState("", 1), StressMeter(1), ManualClock()))
        return catalogue(REGISTRY) + catalogue(node)
    finally:
        engine.stop()


def page() -> str:
    """The whole page."""
    sections: dict[str, list[Described]] = {title: [] for title in SECTIONS.values()}
    for metric in all_metrics():
        prefix = next(prefix for prefix in SECTIONS if metric.name.startswith(prefix))
        sections[SECTIONS[prefix]].append(metric)
    return "\n".join(
        [HEAD, *(f"## {title}\n\n{markdown_table(metrics)}" for title, metrics in sections.items())]
    )


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            None if PAGE.read_text() == page() else "docs/metrics.md is not as the code has it: run make docs"
        )
    PAGE.write_text(page())
