from prometheus_client import CollectorRegistry
from salon_common.clock import ManualClock
from salon_media.core.mode import draining
from salon_media.core.node_state import NodeState
from salon_media.core.stress import StressMeter
from salon_media.metrics import NodeCollector, NodeMetrics
from unit.media.fake_engine import FakeEngine
from unit.media.test_node_state import admit, key


def test_what_prometheus_sees() -> None:
    clock = ManualClock()
    stress = StressMeter(10)
    stress.cpu_share = 0.25
    state, engine, registry = NodeState("boot", 10), FakeEngine(), CollectorRegistry()
    state.connect(admit(state).entry.session)
    admit(state, key("b"))
    NodeMetrics(registry).handshakes.labels("completed").inc()
    registry.register(NodeCollector(engine.counters, state, stress, clock))
    value = registry.get_sample_value
    assert value("salon_media_rooms") == 1
    assert value("salon_media_sessions", {"status": "connected"}) == 1
    assert value("salon_media_sessions", {"status": "expected"}) == 1
    assert value("salon_media_stress_ratio", {"of": "cpu"}) == 0.25
    assert value("salon_media_stress_ratio", {"of": "participants"}) == 0.2
    assert value("salon_media_capacity_participants") == 10
    assert value("salon_media_mode", {"mode": "active"}) == 1
    assert value("salon_media_mode", {"mode": "draining"}) == 0
    assert value("salon_media_drain_left_seconds") == 0
    state.set_mode(draining(clock.now(), 60))
    clock.advance(20)
    assert value("salon_media_mode", {"mode": "active"}) == 0
    assert value("salon_media_mode", {"mode": "draining"}) == 1
    assert value("salon_media_drain_left_seconds") == 40
    assert value("salon_media_engine_datagrams_in_total") == 3
    assert value("salon_media_engine_forwarded_total") == 5
    assert value("salon_media_engine_drops_total", {"reason": "replayed"}) == 7
    assert value("salon_media_dtls_handshakes_total", {"outcome": "completed"}) == 1
    assert value("salon_media_dtls_handshakes_total", {"outcome": "failed"}) == 0
    assert value("salon_media_client_messages_refused_total") == 0
    engine.stop()
