"""Draws a dashboard with its data as Grafana would lay it out, for people to look at where there is no Grafana."""

import hashlib
import time
from collections.abc import Sequence
from math import ceil, isfinite, log2
from pathlib import Path

from dashboards.model import COLUMNS, Board, Kind, Panel, Place, Unit, layout
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, MultipleLocator
from monitoring.dashboards.page import FAINT, GRID, INK, Page
from monitoring.dashboards.prometheus_server import Series
from monitoring.dashboards.reading import Answer, Reading, Window
from monitoring.dashboards.units import show

_PALETTE = (
    *("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42"),
    *("#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"),
)
_NAMES_BESIDE = 4
_MOST_LINES = 8
"""Of names below a panel."""

Events = Sequence[tuple[str, Series]]
"""Annotations, by colour."""


def draw(board: Board, readings: Sequence[Reading], events: Events, window: Window, path: Path) -> None:
    """Write the picture of a whole dashboard."""
    rows = layout(board)
    page = Page(1 + max(place.y + place.height for _, _, panels in rows for _, place in panels))
    page.write(Place(0, 0, COLUMNS, 1), board.title, size=11)
    waiting = iter(readings)
    for row, title, panels in rows:
        page.write(_down(title), row.title, size=9)
        for panel, place in panels:
            _draw_panel(page, _down(place), panel, next(waiting).answers, events, window)
    page.save(path)


def _down(place: Place) -> Place:
    """One row lower: the page begins with its title."""
    return Place(place.x, place.y + 1, place.width, place.height)


def _draw_panel(
    page: Page, place: Place, panel: Panel, answers: Sequence[Answer], events: Events, window: Window
) -> None:
    named = _named(answers)
    if not named:
        _write_inside(page.panel(place, panel.title), "No data", 11, FAINT)
    elif panel.kind is Kind.LINES:
        names = min(ceil(len(named) / _NAMES_BESIDE), _MOST_LINES)
        axes = page.panel(place, panel.title, below=0.22 + 0.13 * names)
        _draw_lines(axes, panel, named)
        _draw_frame(axes, panel, events, window)
    elif panel.kind is Kind.NUMBER:
        value = named[0][1].finite[-1]
        _write_inside(
            page.panel(place, panel.title), show(value, panel.unit, whole=True), 20, _judge(panel, value)
        )
    else:
        _draw_bars(page.panel(place, panel.title, left=0.6), panel, named)


def _named(answers: Sequence[Answer]) -> list[tuple[str, Series]]:
    """All series that have a number, with their names."""
    return [
        pair
        for answer in answers
        for pair in zip(answer.names(), answer.series, strict=True)
        if pair[1].finite
    ]


def _write_inside(axes: Axes, text: str, size: int, colour: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.text(
        0.42, 0.5, text, ha="center", va="center", fontsize=size, color=colour, transform=axes.transAxes
    )


def _draw_lines(axes: Axes, panel: Panel, named: Sequence[tuple[str, Series]]) -> None:
    ground: dict[float, float] = {}
    for label, series in sorted(named, key=lambda pair: pair[0]):
        colour = panel.colours.get(label) or _colour_of(label)
        times = [at for at, _ in series.samples]
        values = [value for _, value in series.samples]
        if panel.stacked:
            low = [ground.get(at, 0.0) for at in times]
            values = [
                base + value if isfinite(value) else base for base, value in zip(low, values, strict=True)
            ]
            ground.update(zip(times, values, strict=True))
            axes.fill_between(times, low, values, color=colour, alpha=0.3, linewidth=0)
        marker = "." if len(series.finite) < len(times) or len(times) < 3 else ""
        axes.plot(
            times, values, color=colour, linewidth=1, marker=marker, markersize=3, label=label, clip_on=False
        )


def _draw_frame(axes: Axes, panel: Panel, events: Events, window: Window) -> None:
    """Axes, grid, limits, events and names."""
    low, high = axes.get_ylim()
    high = max(high, 1.05 * axes.dataLim.y1, panel.reaches or 0.0)
    bottom = low if panel.bottom is None else panel.bottom
    axes.set_ylim(bottom, high if (high > bottom and axes.dataLim.y1 > 0) or panel.reaches else bottom + 1)
    axes.set_xlim(window.start, window.end)
    for limit, colour in panel.scale.steps:
        axes.axhline(limit, color=colour, linewidth=0.7, linestyle="--")
    for colour, event in events:
        first, last = event.samples[0][0], event.samples[-1][0]
        axes.axvline(first, color=colour, linewidth=0.8, linestyle="--")
        axes.axvspan(first, last, color=colour, alpha=0.06, linewidth=0)
    axes.grid(color=GRID, linewidth=0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 3, 6, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: time.strftime("%H:%M:%S", time.gmtime(at))))
    axes.yaxis.set_major_locator(_ticks(panel.unit, axes.get_ylim()[1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(value, panel.unit)))
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.47, -0.1),
        ncols=_NAMES_BESIDE,
        frameon=False,
        fontsize=6,
        handlelength=1.2,
    )


def _ticks(unit: Unit, high: float) -> Locator:
    """Round values: powers of two for bytes."""
    if unit is Unit.BYTES and high > 0:
        return MultipleLocator(2 ** ceil(log2(high / 5)))
    return MaxNLocator(5)


def _draw_bars(axes: Axes, panel: Panel, named: Sequence[tuple[str, Series]]) -> None:
    values = [series.finite[-1] for _, series in named]
    colours = [
        panel.colours.get(label) or (_judge(panel, value) if panel.scale.steps else _PALETTE[5])
        for (label, _), value in zip(named, values, strict=True)
    ]
    axes.barh(range(len(values)), values, color=colours)
    axes.set_yticks(range(len(values)), [label for label, _ in named])
    axes.invert_yaxis()
    axes.set_xticks([])
    for index, value in enumerate(values):
        axes.text(value, index, " " + show(value, panel.unit, whole=True), va="center")
    axes.set_xlim(0, 1.15 * max(*values, 1e-9))


def _judge(panel: Panel, value: float) -> str:
    colour = panel.scale.base
    for limit, reached in panel.scale.steps:
        if value >= limit:
            colour = reached
    return INK if colour == "text" else colour


def _colour_of(label: str) -> str:
    """The same colour for a name wherever it is drawn, as Grafana's palette by name."""
    return _PALETTE[hashlib.sha256(label.encode()).digest()[0] % len(_PALETTE)]
