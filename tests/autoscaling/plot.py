"""A day as a picture: how many pods there are, and how many the load needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from autoscaling.demand import DAY, HOUR
from autoscaling.world import History

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 960, 170, 46, 14, 26, 22
POINTS = 480


@dataclass(frozen=True)
class Panel:
    """One policy's day."""

    title: str
    history: History
    needed: Sequence[int]
    """Pods, at each moment."""


def picture(panels: Sequence[Panel]) -> str:
    """One under the other, with the same scale."""
    most = max(max(*(m.pods for m in panel.history.moments), *panel.needed) for panel in panels)
    body = "".join(
        f'<g transform="translate(0,{number * PANEL})">{_panel(panel, most)}</g>'
        for number, panel in enumerate(panels)
    )
    height = len(panels) * PANEL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>{body}</svg>\n'
    )


def _panel(panel: Panel, most: int) -> str:
    moments = panel.history.moments
    step = max(1, len(moments) // POINTS)
    needed = [(m.at, n) for m, n in zip(moments, panel.needed, strict=True)][::step]
    there = [(m.at, m.pods) for m in moments][::step]
    area = f'<path d="{_line(needed, most)} L{_at(DAY, 0, most)} L{_at(0, 0, most)} Z" fill="#cbd5e1"/>'
    line = f'<path d="{_line(there, most)}" fill="none" stroke="#2563eb" stroke-width="1.5"/>'
    hot = [(m.at, m.pods) for m in moments if m.overloaded]
    marks = "".join(
        f'<path d="M{_at(at, 0, most)} v-6" stroke="#dc2626"/>' for at, _ in hot[:: max(1, step // 3)]
    )
    return _axes(most) + area + line + marks + f'<text x="{LEFT}" y="16">{panel.title}</text>'


def _axes(most: int) -> str:
    hours = "".join(
        f'<text x="{_x(hour * HOUR):.0f}" y="{PANEL - 6}" text-anchor="middle">{hour}</text>'
        for hour in range(0, 25, 3)
    )
    ticks = range(0, most + 1, 10)
    pods = "".join(
        f'<text x="{LEFT - 6}" y="{_y(n, most) + 4:.0f}" text-anchor="end">{n}</text>' for n in ticks
    )
    grid = "".join(f'<path d="M{LEFT},{_y(n, most):.1f} H{WIDTH - RIGHT}" stroke="#e2e8f0"/>' for n in ticks)
    return grid + hours + pods


def _line(points: Sequence[tuple[float, float]], most: int) -> str:
    return "M" + " L".join(_at(at, value, most) for at, value in points)


def _at(at: float, value: float, most: int) -> str:
    return f"{_x(at):.1f},{_y(value, most):.1f}"


def _x(at: float) -> float:
    return LEFT + at / DAY * (WIDTH - LEFT - RIGHT)


def _y(value: float, most: int) -> float:
    return PANEL - BOTTOM - value / most * (PANEL - TOP - BOTTOM)
