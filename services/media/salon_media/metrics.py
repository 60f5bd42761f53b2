"""What Prometheus sees of a node. No label grows with rooms or participants.

Owns names and help texts. The engine's counters are read when Prometheus asks, not copied on a timer.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from salon_common.clock import Clock

from salon_media.core.mode import Mode, Purpose
from salon_media.core.node_state import NodeState, SessionStatus
from salon_media.core.stress import StressMeter

_DROP = "drop_"
_ENGINE_TEXTS = {
    "datagrams_in": "Datagrams that came in.",
    "datagrams_out": "Datagrams that were sent.",
    "bytes_in": "Bytes of datagrams that came in.",
    "bytes_out": "Bytes of datagrams that were sent.",
    "forwarded": "Media packets that went to a receiver.",
    "turns": "How often the engine's thread had something to do; it grows while the thread lives.",
    "suspensions": "How often the process did not run for so long that its clients may have gone.",
    "stun_answered": "Connectivity checks that were answered.",
    "rooms_failed": "Rooms that were closed by a panic.",
}


class NodeMetrics:
    """Counters that Python keeps."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.handshakes = Counter(
            "salon_media_dtls_handshakes",
            "DTLS handshakes that ended, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.refused_messages = Counter(
            "salon_media_client_messages_refused",
            "Data channel messages that were malformed or beyond the rate.",
            registry=registry,
        )
        for outcome in ("completed", "failed"):
            self.handshakes.labels(outcome)


class NodeCollector(Collector):
    """Reads the engine and the node's state at each scrape."""

    def __init__(
        self,
        engine_counters: Callable[[], dict[str, int]],
        state: NodeState,
        stress: StressMeter,
        clock: Clock,
    ) -> None:
        self._engine_counters = engine_counters
        self._state = state
        self._stress = stress
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        """Called by prometheus_client, on the event loop's thread: nothing here waits."""
        yield GaugeMetricFamily("salon_media_rooms", "Rooms with somebody on this node.", self._state.rooms)
        sessions = GaugeMetricFamily("salon_media_sessions", "Sessions by status.", labels=["status"])
        statuses = [entry.status for entry in self._state.entries()]
        for status in SessionStatus:
            sessions.add_metric([status.value], statuses.count(status))
        yield sessions
        yield from _stress_metrics(self._state, self._stress.cpu_share)
        yield from _mode_metrics(self._state.mode, self._clock.now())
        yield from _engine_metrics(self._engine_counters())


def _stress_metrics(state: NodeState, cpu_share: float) -> Iterable[Metric]:
    stress = GaugeMetricFamily(
        "salon_media_stress_ratio",
        "The part of what the node can do that is in use, by what limits it: cpu, participants. The larger one is its stress.",
        labels=["of"],
    )
    stress.add_metric(["cpu"], cpu_share)
    stress.add_metric(["participants"], state.participants / state.max_participants)
    yield stress
    yield GaugeMetricFamily(
        "salon_media_capacity_participants", "How many participants the node takes.", state.max_participants
    )


def _mode_metrics(mode: Mode, now: float) -> Iterable[Metric]:
    modes = GaugeMetricFamily("salon_media_mode", "1 for what the node is for.", labels=["mode"])
    for purpose in Purpose:
        modes.add_metric([purpose.name.lower()], int(purpose is mode.purpose))
    yield modes
    left = mode.seconds_left(now) if mode.purpose is Purpose.DRAINING else 0
    yield GaugeMetricFamily(
        "salon_media_drain_left_seconds", "While draining: until who is left is let go.", left
    )


def _engine_metrics(counters: dict[str, int]) -> Iterable[Metric]:
    drops = CounterMetricFamily(
        "salon_media_engine_drops", "Datagrams and packets that were dropped, by reason.", labels=["reason"]
    )
    for name, value in sorted(counters.items()):
        if name.startswith(_DROP):
            drops.add_metric([name.removeprefix(_DROP)], value)
        else:
            text = _ENGINE_TEXTS.get(name, "Counted by the engine since its start.")
            yield CounterMetricFamily(f"salon_media_engine_{name}", text, value)
    yield drops
