"""Dashboards as Grafana's JSON: the same input gives the same bytes."""

import json
from typing import Any

from dashboards.model import Annotation, Board, Kind, Link, Panel, Place, Row, Unit, Variable, layout

TAG = "salon"
SCHEMA = 39
"""Grafana 11 writes it; later ones read it."""
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_MINUTE_MS = 60_000
_DECIMALS = {Unit.RATIO: 2, Unit.COUNT: 0}
"""Of single values: what Prometheus extrapolates must not look like a third of a person."""


def to_json(board: Board) -> str:
    """The file of a dashboard."""
    return json.dumps(_board(board), indent=1, ensure_ascii=False) + "\n"


def _board(board: Board) -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    for row, place, placed in layout(board):
        panels.append(_row(len(panels) + 1, row, place))
        for panel, at in placed:
            panels.append(_panel(len(panels) + 1, panel, at))
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.says,
        "tags": [TAG],
        "schemaVersion": SCHEMA,
        # One clock for people in several zones who talk about one incident; the time picker shows others.
        "timezone": "utc",
        "editable": False,
        "refresh": "30s",
        "graphTooltip": 1,  # the cursor is shown on all panels
        "time": {"from": board.shown, "to": "now"},
        "links": [_dropdown()],
        "templating": {"list": [_datasource(), *map(_variable, board.variables)]},
        "annotations": {"list": [_annotation(each) for each in board.annotations]},
        "panels": panels,
    }


def _dropdown() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "Salon",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }


def _datasource() -> dict[str, Any]:
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"}


def _variable(variable: Variable) -> dict[str, Any]:
    said: dict[str, Any] = {
        "type": "query",
        "name": variable.name,
        "label": variable.label,
        "datasource": DATASOURCE,
        "query": {"query": f"label_values({variable.metric}, {variable.name})", "refId": variable.name},
        "refresh": 2,  # when the shown time changes: who is gone now was there then
        "sort": 1,
        "multi": variable.several,
        "includeAll": variable.several,
    }
    if variable.several:
        said["current"] = {"text": "All", "value": "$__all"}
    return said


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "name": annotation.name,
        "datasource": DATASOURCE,
        "enable": True,
        "expr": annotation.expr,
        "iconColor": annotation.colour,
        "step": "15s",
        "titleFormat": annotation.title,
        "useValueForTime": False,
    }


def _row(number: int, row: Row, place: Place) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": row.title,
        "collapsed": False,
        "gridPos": _position(place),
        "panels": [],
    }


def _panel(number: int, panel: Panel, place: Place) -> dict[str, Any]:
    instant = panel.kind is not Kind.LINES
    return {
        "id": number,
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.says,
        "gridPos": _position(place),
        "datasource": DATASOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                "instant": instant,
                "range": not instant,
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _options(panel),
    }


def _position(place: Place) -> dict[str, int]:
    return {"x": place.x, "y": place.y, "w": place.width, "h": place.height}


def _defaults(panel: Panel) -> dict[str, Any]:
    steps = [
        {"color": colour, "value": value} for value, colour in ((None, panel.scale.base), *panel.scale.steps)
    ]
    lines = panel.kind is Kind.LINES
    said: dict[str, Any] = {
        "unit": panel.unit.value,
        "color": {"mode": "palette-classic-by-name" if lines else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.bottom is not None:
        said["min"] = panel.bottom
    if not lines and panel.unit in _DECIMALS:
        said["decimals"] = _DECIMALS[panel.unit]
    if panel.opens:
        said["links"] = [_link(panel.opens)]
    if lines:
        said["custom"] = _line_style(panel)
    return said


def _line_style(panel: Panel) -> dict[str, Any]:
    style: dict[str, Any] = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if panel.stacked else 8,
        "showPoints": "auto",  # a value without neighbours is seen as well
        "spanNulls": _MINUTE_MS,  # a longer hole is a hole: what was not measured is not drawn
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if panel.scale.steps else "off"},
    }
    if panel.reaches is not None:
        style["axisSoftMax"] = panel.reaches
    return style


def _link(link: Link) -> dict[str, Any]:
    kept = [f"${{{name}:queryparam}}" for name in ("datasource", *link.keeps)]
    chosen = f"var-{link.label}=${{__field.labels.{link.label}}}"
    passed = "&".join((*kept, chosen, "${__url_time_range}"))
    return {"title": f"Open this {link.label}", "url": f"/d/{link.uid}?{passed}"}


def _overrides(panel: Panel) -> list[dict[str, Any]]:
    return [
        {
            "matcher": {"id": "byName", "options": legend},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for legend, colour in panel.colours.items()
    ]


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind is Kind.LINES:
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind is Kind.NUMBER:
        return {
            "reduceOptions": reduce,
            "colorMode": "value",
            "graphMode": "none",
            "textMode": "value_and_name" if len(panel.queries) > 1 or panel.opens else "value",
        }
    return {
        "reduceOptions": reduce,
        "orientation": "horizontal",
        "displayMode": "basic",
        "showUnfilled": True,
    }
