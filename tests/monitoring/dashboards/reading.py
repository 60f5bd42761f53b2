"""Dashboards with their data: variables filled in as Grafana would, every query asked."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from dashboards.model import Annotation, Board, Kind, Panel, Query, Variable
from monitoring.dashboards.prometheus_server import Prometheus, Series

STEP_SECONDS = 2.0
RATE_SECONDS = 20
"""Stands for Grafana's $__rate_interval: some scrapes long, and longer than the 15 s after which rooms asks NATS servers again."""


@dataclass(frozen=True)
class Window:
    """The time that is shown."""

    start: float
    end: float


@dataclass(frozen=True)
class Answer:
    """What a query gave."""

    query: Query
    series: Sequence[Series]

    @property
    def has_values(self) -> bool:
        """Whether there is a number to be seen."""
        return any(series.finite for series in self.series)

    def names(self) -> list[str]:
        """What the series are called in the legend."""
        return [name(self.query.legend, series.labels) for series in self.series]


@dataclass(frozen=True)
class Reading:
    """A panel and its data."""

    panel: Panel
    answers: Sequence[Answer]


def name(legend: str, labels: Mapping[str, str]) -> str:
    """A legend with its labels filled in."""
    return re.sub(r"{{(\w+)}}", lambda match: labels.get(match[1], ""), legend)


def fill(expr: str, chosen: Mapping[str, str], window: Window) -> str:
    """An expression with Grafana's variables filled in. Raises AssertionError when one is left."""
    builtin = {"__rate_interval": f"{RATE_SECONDS}s", "__range": f"{ceil(window.end - window.start)}s"}
    filled = re.sub(r"\$(\w+)", lambda match: (builtin | dict(chosen)).get(match[1], match[0]), expr)
    assert "$" not in filled, f"a variable has no value: {filled}"
    return filled


async def ask_panel(server: Prometheus, panel: Panel, chosen: Mapping[str, str], window: Window) -> Reading:
    """One panel's data: over the time for lines, at its end for numbers."""

    async def ask(query: Query) -> Answer:
        expr = fill(query.expr, chosen, window)
        if panel.kind is Kind.LINES:
            return Answer(query, await server.query_range(expr, window.start, window.end, STEP_SECONDS))
        return Answer(query, await server.query(expr, window.end))

    return Reading(panel, await asyncio.gather(*map(ask, panel.queries)))


async def ask_board(
    server: Prometheus, board: Board, chosen: Mapping[str, str], window: Window
) -> list[Reading]:
    """All panels, in their order."""
    return [await ask_panel(server, panel, chosen, window) for row in board.rows for panel in row.panels]


async def ask_annotation(
    server: Prometheus, annotation: Annotation, chosen: Mapping[str, str], window: Window
) -> list[Series]:
    """What happened in that time."""
    return await server.query_range(
        fill(annotation.expr, chosen, window), window.start, window.end, STEP_SECONDS
    )


async def choices(
    server: Prometheus, variable: Variable, chosen: Mapping[str, str], window: Window
) -> list[str]:
    """What the reader may choose from."""
    selector = fill(variable.metric, chosen, window)
    return await server.label_values(selector, variable.name, window.start, window.end)
