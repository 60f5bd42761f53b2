from prometheus_client import CollectorRegistry, Counter
from salon_common.telemetry.zero import begin_at_zero
from salon_rooms import metrics as rooms
from salon_signaling import metrics as signaling


def test_every_combination_is_told_before_anything_happened() -> None:
    registry = CollectorRegistry()
    counter = Counter("moves", "Moves.", ["why", "result"], registry=registry)
    begin_at_zero(counter, ("dead", "drain"), ("done", "failed"))
    values = {
        (sample.labels["why"], sample.labels["result"]): sample.value
        for metric in counter.collect()
        for sample in metric.samples
        if sample.name == "moves_total"
    }
    assert values == {
        ("dead", "done"): 0,
        ("dead", "failed"): 0,
        ("drain", "done"): 0,
        ("drain", "failed"): 0,
    }


def test_what_alerts_look_for_is_told_before_it_happens_first() -> None:
    told = {
        (metric.name, *sample.labels.values())
        for counter in (signaling.JOINS, rooms.MOVES, rooms.VERDICTS, rooms.COMMITS)
        for metric in counter.collect()
        for sample in metric.samples
    }
    assert {
        ("salon_signaling_joins", "join", "INTERNAL"),
        ("salon_signaling_joins", "resume", "UNAVAILABLE"),
        ("salon_rooms_moves", "dead", "failed"),
        ("salon_rooms_node_verdicts", "dead"),
        ("salon_rooms_commits", "conflict"),
    } <= told
