"""What can be told of dashboards without data: that they are complete, consistent, and ask for what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dashboards.__main__ import stale
from dashboards.boards import BOARDS
from dashboards.grafana import to_json
from dashboards.model import COLUMNS, Board, Panel, layout

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "k8s" / "components" / "monitoring" / "rules"
PROMETHEUS_OWN = {"up", "ALERTS"}
SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*)\{([^}]*)\}")
METRIC = re.compile(r"\b((?:salon|process|region\w*:salon|slo:salon)[\w:]*)")

boards = pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))


def panels(board: Board) -> list[Panel]:
    return [panel for row in board.rows for panel in row.panels]


def expressions(board: Board) -> Iterator[str]:
    for panel in panels(board):
        yield from (query.expr for query in panel.queries)
    yield from (annotation.expr for annotation in board.annotations)


def known_metrics() -> set[str]:
    """All that the services tell, with the series of histograms, and all that rules record."""
    told: set[str] = set()
    for name, kind in re.findall(
        r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE
    ):
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        told |= {name + ending for ending in endings}
    for path in RULES.glob("*.yaml"):
        groups = yaml.safe_load(path.read_text())["groups"]
        told |= {rule["record"] for group in groups for rule in group["rules"]}
    return told


def test_files_are_as_the_code_has_them() -> None:
    assert stale() == []


@boards
def test_a_dashboard_is_written_the_same_each_time(board: Board) -> None:
    assert to_json(board) == to_json(board)


@boards
def test_every_panel_says_what_it_tells(board: Board) -> None:
    for panel in panels(board):
        assert panel.says.endswith("."), panel.title
        assert panel.queries, panel.title
        assert all(query.legend for query in panel.queries), panel.title
    titles = [panel.title for panel in panels(board)]
    assert len(set(titles)) == len(titles)


@boards
def test_every_metric_is_told_or_recorded(board: Board) -> None:
    known = known_metrics()
    asked = {name for expr in expressions(board) for name in METRIC.findall(expr)}
    assert asked - known - PROMETHEUS_OWN == set()


@boards
def test_buckets_that_are_asked_for_exist(board: Board) -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    for expr in expressions(board):
        for metric, bound in re.findall(r'(\w+)_bucket\{[^}]*le="([\d.]+)"', expr):
            (bounds,) = re.findall(rf"`{metric}` .* Buckets: (.*)\. \|", page)
            assert float(bound) in {float(each) for each in bounds.split(", ")}, (metric, bound)


@boards
def test_counters_are_shown_as_rates_and_gauges_are_not(board: Board) -> None:
    for expr in expressions(board):
        counters = re.findall(r"(\w+\()?(salon_\w+_total|\w+_(?:bucket|sum|count))\{", expr)
        assert {function for function, _ in counters} <= {"rate(", "increase("}, expr
        for metric in re.findall(r"(?:rate|increase)\((\w+)", expr):
            assert metric.endswith(("_total", "_bucket", "_sum", "_count")), expr


@boards
def test_what_is_shown_is_of_what_was_chosen(board: Board) -> None:
    chosen = [variable.name for variable in board.variables]
    for expr in expressions(board):
        for metric, matchers in SELECTOR.findall(expr):
            wanted = chosen if expr in {q.expr for p in panels(board) for q in p.queries} else chosen[:1]
            for name in wanted:
                assert f'{name}="${name}"' in matchers, (metric, expr)
    if chosen:
        bare = [
            name for expr in expressions(board) for name in re.findall(METRIC.pattern + r"(?![\w:{])", expr)
        ]
        assert bare == [], "these select all regions"


@boards
def test_nothing_pretends_to_be_zero(board: Board) -> None:
    """`or vector(0)` shows health where nothing is measured; alerts alone are no series when all is well."""
    for expr in expressions(board):
        assert "vector(" not in expr or "ALERTS" in expr


@boards
def test_panels_lie_side_by_side_in_the_grid(board: Board) -> None:
    taken: set[tuple[int, int]] = set()
    for _, title, placed in layout(board):
        for place in (title, *(place for _, place in placed)):
            cells = {
                (x, y)
                for x in range(place.x, place.x + place.width)
                for y in range(place.y, place.y + place.height)
            }
            assert not cells & taken
            assert all(x < COLUMNS for x, _ in cells)
            taken |= cells


@boards
def test_every_query_goes_to_the_data_source_that_was_chosen(board: Board) -> None:
    said = json.loads(to_json(board))
    sources = re.findall(r'"uid": "(\$\{datasource\}|[^"]*)"', to_json(board))
    assert set(sources) == {"${datasource}", board.uid}
    assert said["templating"]["list"][0]["name"] == "datasource"


def test_a_name_has_one_colour_everywhere() -> None:
    colours: dict[str, set[str]] = {}
    for board in BOARDS.values():
        for panel in panels(board):
            for name, colour in panel.colours.items():
                colours.setdefault(name, set()).add(colour)
    assert {name: each for name, each in colours.items() if len(each) > 1} == {}


@boards
def test_links_take_what_the_series_is_about_to_a_dashboard_that_asks_for_it(board: Board) -> None:
    by_uid = {each.uid: {variable.name for variable in each.variables} for each in BOARDS.values()}
    here = {variable.name for variable in board.variables}
    for panel in panels(board):
        if panel.opens is not None:
            assert by_uid[panel.opens.uid] == {panel.opens.label, *panel.opens.keeps}
            assert here >= set(panel.opens.keeps)
            assert all(f"{{{{{panel.opens.label}}}}}" in query.legend for query in panel.queries), panel.title


def test_the_world_leads_to_regions_and_a_region_to_nodes() -> None:
    def opened(name: str) -> set[str]:
        return {panel.opens.uid for panel in panels(BOARDS[name]) if panel.opens is not None}

    assert opened("worldwide") == {"salon-region"}
    assert opened("region") == {"salon-node"}
