"""Lists what a registry of Prometheus metrics has, from which `docs/metrics.md` is made and by which names are checked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry


@dataclass(frozen=True, order=True)
class Described:
    """One metric, as queries name it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str
    buckets: tuple[float, ...] = ()
    """Of a histogram: upper bounds, without infinity."""


def catalogue(registry: CollectorRegistry) -> list[Described]:
    """Every metric of the registry, by name. Collectors are asked for their metrics as at a scrape."""
    collectors: Iterable[Any] = registry._collector_to_names  # noqa: SLF001 - the one list; labels stand nowhere public
    return sorted(described for collector in list(collectors) for described in _describe(collector))


def _describe(collector: Any) -> Iterator[Described]:
    for family in collector.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        # A metric has its labels' names itself; what a collector of ours yields has them too.
        labels = getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))
        bounds: Iterable[float] = getattr(collector, "_upper_bounds", ())
        finite = tuple(bound for bound in bounds if bound != float("inf"))
        yield Described(name, family.type, tuple(labels), family.documentation, finite)


def markdown_table(metrics: Iterable[Described]) -> str:
    """A row for each metric."""
    rows = ["| metric | kind | labels | what it is |", "| --- | --- | --- | --- |"]
    for metric in metrics:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        text = metric.text
        if metric.buckets:
            text += " Buckets: " + ", ".join(f"{bound:g}" for bound in metric.buckets) + "."
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {text} |")
    return "\n".join(rows) + "\n"
