"""What was measured, against what is to be reached: samples, percentiles, verdicts, and the table people read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Who(StrEnum):
    """At whom a gap was measured."""

    NATIVE = "native"
    CHROMIUM = "chromium"
    BYSTANDER = "bystander"


@dataclass(frozen=True)
class Sample:
    """One participant's worst in one run."""

    run: int
    who: Who
    name: str
    seconds: float


@dataclass(frozen=True)
class Figure:
    """One line of the table: what is measured, and its bound."""

    what: str
    """Such as `packets` or `size back`."""
    p95: float | None = None
    """The 95th percentile of all participants of a kind stays within this; None is told and not judged."""
    bystanders: float | None = None
    """No bystander goes without for longer than this."""


@dataclass
class Row:
    """A figure's samples in one scenario."""

    figure: Figure
    samples: list[Sample] = field(default_factory=list)

    def of(self, who: Who) -> list[float]:
        """All samples of one kind of participant."""
        return [sample.seconds for sample in self.samples if sample.who is who]

    @property
    def holds(self) -> bool:
        """Whether the bounds are kept, by native clients and by Chromium each for themselves."""
        figure = self.figure
        groups = [values for who in (Who.NATIVE, Who.CHROMIUM) if (values := self.of(who))]
        within = figure.p95 is None or all(percentile(values, 0.95) <= figure.p95 for values in groups)
        calm = figure.bystanders is None or max(self.of(Who.BYSTANDER), default=0.0) <= figure.bystanders
        return within and calm


@dataclass
class Outcome:
    """One scenario after all its runs."""

    scenario: str
    seed: int
    runs: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    """What went wrong beyond figures, such as a room that was lost: each fails the scenario."""

    timelines: list[dict[str, Any]] = field(default_factory=list)
    """What each participant was told and when, by run: to find out where time went."""

    def note(self, run: int, **facts: Any) -> None:
        """Keep facts about a run."""
        self.timelines.append({"run": run, **facts})

    def row(self, figure: Figure) -> Row:
        """The row of a figure, made when first asked for."""
        return self.rows.setdefault(figure.what, Row(figure))

    def find(self, run: int, what: str) -> None:
        """Something went wrong in a run."""
        self.findings.append(f"run {run}: {what}")

    @property
    def holds(self) -> bool:
        """Whether everything is as it must be."""
        return self.runs > 0 and not self.findings and all(row.holds for row in self.rows.values())


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that this part of all values does not exceed (nearest rank)."""
    ranked = sorted(values)
    rank = -int(-part * len(ranked) // 1)  # rounded up
    return ranked[max(0, min(len(ranked), rank) - 1)]


HEADS = (
    "scenario",
    "what",
    "runs",
    "native p50/p95/max",
    "chromium p50/p95/max",
    "bystanders",
    "bound",
    "verdict",
)


def table(outcomes: Iterable[Outcome]) -> str:
    """All outcomes in aligned columns, times in seconds; what went wrong stands below."""
    outcomes = list(outcomes)
    lines = [HEADS, *(line for outcome in outcomes for line in _lines(outcome))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    wrong = [f"{outcome.scenario}: {finding}" for outcome in outcomes for finding in outcome.findings]
    return "\n".join([*text, *wrong])


def _lines(outcome: Outcome) -> list[tuple[str, ...]]:
    lines = []
    for row in outcome.rows.values():
        bystanders = row.of(Who.BYSTANDER)
        lines.append(
            (
                outcome.scenario,
                row.figure.what,
                str(outcome.runs),
                _spread(row.of(Who.NATIVE)),
                _spread(row.of(Who.CHROMIUM)),
                f"{max(bystanders):.2f}" if bystanders else "-",
                _bound(row.figure),
                "ok" if row.holds else "FAILED",
            )
        )
    verdict = "ok" if outcome.holds else "FAILED"
    return [*lines, (outcome.scenario, "all", str(outcome.runs), "", "", "", "", verdict)]


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{percentile(values, 0.5):.2f} / {percentile(values, 0.95):.2f} / {max(values):.2f}"


def _bound(figure: Figure) -> str:
    parts = [f"p95 {figure.p95:g}"] if figure.p95 is not None else []
    if figure.bystanders is not None:
        parts.append(f"bystanders {figure.bystanders:g}")
    return ", ".join(parts) or "-"


def write(outcomes: Iterable[Outcome], path: Path, about: dict[str, object]) -> None:
    """All samples as JSON, with what was run where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scenarios = [
        {
            "scenario": outcome.scenario,
            "seed": outcome.seed,
            "runs": outcome.runs,
            "holds": outcome.holds,
            "findings": outcome.findings,
            "figures": [asdict(row) | {"holds": row.holds} for row in outcome.rows.values()],
        }
        for outcome in outcomes
    ]
    path.write_text(json.dumps(about | {"scenarios": scenarios}, indent=2) + "\n")
