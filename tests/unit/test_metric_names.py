"""Every metric of every service, against the conventions: what Prometheus, promtool and people expect of a name."""

import re
import sys
from pathlib import Path

import pytest
from salon_common.telemetry.catalogue import Described

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
from generate_metrics import SECTIONS, all_metrics  # type: ignore[import-not-found]

UNITS = ("seconds", "bytes", "ratio", "total", "info")
"""What a name may end with; names of things that are counted need no unit."""
FOREIGN_UNITS = re.compile(r"_(ms|millis|milliseconds|minutes|kb|mb|kilobytes|percent|bps|bits)(_|$)")
LABELS = {
    *("service", "version", "method", "transport", "code", "command", "kind", "result", "why", "outcome"),
    *("health", "state", "mode", "stream", "server", "step", "cause", "of", "status", "reason"),
}
"""All that there are. A new one is a question: can it grow with rooms or people?"""

METRICS: list[Described] = [metric for metric in all_metrics() if metric.name.startswith("salon_")]
"""Those of other libraries follow their own rules."""


def test_every_service_has_metrics() -> None:
    for prefix in SECTIONS:
        assert any(metric.name.startswith(prefix) for metric in METRICS), prefix


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_keeps_the_conventions(metric: Described) -> None:
    assert re.fullmatch(r"salon(_[a-z]+)+", metric.name), "words of letters, joined by underscores"
    assert metric.name.endswith("_total") == (metric.kind == "counter"), (
        "_total is for counters, and all have it"
    )
    assert not FOREIGN_UNITS.search(metric.name), "base units: seconds, bytes, ratios"
    assert not metric.name.endswith(("_count", "_sum", "_bucket", "_created")), "Prometheus's own suffixes"
    words = [word for word in metric.name.removesuffix("_total").split("_") if word not in ("in", "out")]
    assert not set(words[:-1]) & set(UNITS), "the unit stands at the end; a direction may follow it"
    assert metric.text.endswith("."), "a sentence says what it is"
    assert set(metric.labels) <= LABELS


@pytest.mark.parametrize(
    "metric", [metric for metric in METRICS if metric.kind == "histogram"], ids=lambda metric: metric.name
)
def test_buckets_are_few_and_in_order(metric: Described) -> None:
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert len(metric.buckets) <= 16


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("salon_signaling_first_frame_seconds", 1.0),
        ("salon_signaling_media_gap_seconds", 2.5),
        ("salon_signaling_media_gap_seconds", 0.5),
    ],
)
def test_what_is_promised_is_a_bucket(name: str, bound: float) -> None:
    """A promise between two bounds could only be guessed at."""
    [metric] = [metric for metric in METRICS if metric.name == name]
    assert bound in metric.buckets
