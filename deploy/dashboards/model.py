"""What a dashboard is made of: rows of panels, each with queries, a unit and a sentence about what it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

COLUMNS = 24
"""How many columns Grafana lays panels out in."""


class Kind(StrEnum):
    """How a panel draws, by Grafana's names."""

    LINES = "timeseries"
    NUMBER = "stat"
    """The value over the shown time, or now."""
    BARS = "bargauge"
    """As NUMBER, a bar for each series."""


class Unit(StrEnum):
    """What a value counts, by Grafana's names."""

    COUNT = "short"
    PER_SECOND = "cps"
    PACKETS_PER_SECOND = "pps"
    BITS_PER_SECOND = "bps"
    BYTES = "bytes"
    SECONDS = "s"
    RATIO = "percentunit"


@dataclass(frozen=True)
class Query:
    """One expression of PromQL and what its series are called."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Scale:
    """Which values are good: from each step's value on things are in its colour, below all in `base`."""

    base: str = "text"
    steps: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Link:
    """To another dashboard, of what the series is about."""

    uid: str
    label: str
    """Its value at the series is what the other dashboard shows."""
    keeps: Sequence[str] = ()
    """What was chosen here and stays."""


@dataclass(frozen=True)
class Panel:
    """One picture."""

    title: str
    says: str
    """What it tells, and what to make of it."""
    unit: Unit
    queries: Sequence[Query]
    kind: Kind = Kind.LINES
    stacked: bool = False
    bottom: float | None = 0
    """The axis begins here; by itself where None."""
    reach: float | None = None
    """The axis goes at least up to here. By itself as far as its worst step, so that a line's distance to it is seen."""
    scale: Scale = Scale()
    colours: Mapping[str, str] = field(default_factory=dict)
    """By legend, where a name has a colour on all dashboards; other series get theirs from their name."""
    opens: Link | None = None
    """Where a series leads."""

    @property
    def reaches(self) -> float | None:
        """How far the axis goes at least."""
        if self.reach is not None or not self.scale.steps:
            return self.reach
        return max(value for value, _ in self.scale.steps)


@dataclass(frozen=True)
class Row:
    """Panels of one size, `across` of them beside each other."""

    title: str
    panels: Sequence[Panel]
    across: int = 3
    height: int = 8


@dataclass(frozen=True)
class Variable:
    """What the reader chooses: the values that a label has."""

    name: str
    label: str
    metric: str
    """A selector of series that have the label `name`."""
    several: bool = False


@dataclass(frozen=True)
class Annotation:
    """What happened, as lines through all panels: wherever `expr` has a value above 0."""

    name: str
    expr: str
    title: str
    colour: str


@dataclass(frozen=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    says: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = ()
    annotations: Sequence[Annotation] = ()
    shown: str = "now-6h"
    """The time that is shown at first."""


@dataclass(frozen=True)
class Place:
    """Where a panel is, in columns and rows of the grid."""

    x: int
    y: int
    width: int
    height: int


def layout(board: Board) -> list[tuple[Row, Place, list[tuple[Panel, Place]]]]:
    """Where everything is: each row's title, and its panels from left to right and down."""
    placed = []
    y = 0
    for row in board.rows:
        width = COLUMNS // row.across
        panels = []
        for index, panel in enumerate(row.panels):
            down, right = divmod(index, row.across)
            panels.append((panel, Place(right * width, y + 1 + down * row.height, width, row.height)))
        placed.append((row, Place(0, y, COLUMNS, 1), panels))
        y += 1 + -(-len(row.panels) // row.across) * row.height
    return placed
