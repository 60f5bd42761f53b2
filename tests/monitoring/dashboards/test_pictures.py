import re
from pathlib import Path

import pytest
from dashboards.boards import BOARDS
from dashboards.model import Board, Query, Unit
from monitoring.dashboards.pictures import draw
from monitoring.dashboards.prometheus_server import Series
from monitoring.dashboards.reading import Answer, Reading, Window, fill, name
from monitoring.dashboards.units import show

WINDOW = Window(1_000, 1_060)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, Unit.RATIO, "1.23 %"),
        (0.0421, Unit.SECONDS, "42.1 ms"),
        (2.5, Unit.SECONDS, "2.5 s"),
        (7200, Unit.SECONDS, "120 min"),
        (3 << 20, Unit.BYTES, "3 MiB"),
        (2_500_000, Unit.BITS_PER_SECOND, "2.5 Mb/s"),
        (12, Unit.PER_SECOND, "12 /s"),
        (1590, Unit.COUNT, "1.59 K"),
    ],
)
def test_values_are_written_with_their_units(value: float, unit: Unit, text: str) -> None:
    assert show(value, unit) == text


def test_single_counts_are_whole() -> None:
    assert show(9.03, Unit.COUNT, whole=True) == "9"


def test_variables_are_filled_in() -> None:
    expr = 'rate(x{region="$region"}[$__rate_interval]) / increase(x[$__range])'
    assert fill(expr, {"region": "eu"}, WINDOW) == 'rate(x{region="eu"}[20s]) / increase(x[60s])'


def test_a_variable_without_a_value_is_an_error() -> None:
    with pytest.raises(AssertionError, match="node"):
        fill('x{node="$node"}', {"region": "eu"}, WINDOW)


def test_legends_are_filled_in() -> None:
    assert name("{{service}}.{{method}}", {"service": "rooms", "method": "Join"}) == "rooms.Join"


@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_a_dashboard_is_drawn_with_data_and_without(board: Board, tmp_path: Path) -> None:
    panels = [panel for row in board.rows for panel in row.panels]
    readings = [
        Reading(panel, [Answer(query, made_up(query) if index % 2 else []) for query in panel.queries])
        for index, panel in enumerate(panels)
    ]
    picture = tmp_path / "board.png"
    draw(board, readings, [("#ff0000", Series({}, [(1_030, 1.0)]))], WINDOW, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def made_up(query: Query) -> list[Series]:
    """A series with many samples, and one with a single one."""
    samples = [(1_000 + 2 * index, float(index)) for index in range(30)]
    labels = re.findall(r"{{(\w+)}}", query.legend)
    return [Series(dict.fromkeys(labels, "eu"), samples), Series(dict.fromkeys(labels, "us"), samples[:1])]
