"""What Prometheus sees of the NATS servers: a few figures of each, as they told last.

Owns the names. The figures are the servers' own counters, so they are shown as such and not added up here.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from salon_rooms.core.server_stats import ServerFigures

_TEXT = "; told by the replica that looks after it."


class NatsServers(Collector):
    """The servers that answered the last question, by name."""

    def __init__(self) -> None:
        self.figures: Mapping[str, ServerFigures] = {}

    def collect(self) -> Iterable[Metric]:
        """Called by prometheus_client."""
        yield self._gauge("connections", "Connections of clients to a NATS server", "connections")
        yield self._gauge("memory_bytes", "Memory that a NATS server uses", "memory_bytes")
        yield self._gauge("cpu_ratio", "Processors that a NATS server uses", "cpu_ratio")
        yield self._counter(
            "slow_consumers", "Connections that a NATS server cut because they read too slowly"
        )
        yield self._counter("in_messages", "Messages that came to a NATS server")
        yield self._counter("out_messages", "Messages that a NATS server sent")

    def _gauge(self, name: str, text: str, figure: str) -> Metric:
        family = GaugeMetricFamily(f"salon_nats_server_{name}", text + _TEXT, labels=["server"])
        for server, figures in self.figures.items():
            family.add_metric([server], getattr(figures, figure))
        return family

    def _counter(self, figure: str, text: str) -> Metric:
        family = CounterMetricFamily(f"salon_nats_server_{figure}", text + _TEXT, labels=["server"])
        for server, figures in self.figures.items():
            family.add_metric([server], getattr(figures, figure))
        return family


NATS_SERVERS = NatsServers()
REGISTRY.register(NATS_SERVERS)
