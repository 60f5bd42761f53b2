"""Colours that mean the same on every dashboard."""

from dashboards.model import Scale

GOOD = "#56a64b"
FAIR = "#f2cc0c"
WORSE = "#ff780a"
BAD = "#e02f44"
CALM = "#3274d9"
QUIET = "#8e8e8e"

QUANTILES = {"p50": GOOD, "p95": WORSE, "p99": BAD}
SERVICES = {"rooms": "#3274d9", "signaling": "#a352cc", "media": "#37872d"}
MODES = {"active": GOOD, "cordoned": FAIR, "draining": CALM}
CAUSES = {"crash": BAD, "silence": WORSE, "move": CALM}
"""Why somebody missed media."""
STEPS = {
    "previewed": QUIET,
    "called": "#a352cc",
    "reserved": CALM,
    "admitted": "#37872d",
    "welcomed": "#6ed0e0",
    "connected": GOOD,
    "first_frame": WORSE,
}
"""Of a join."""
PROMISES = {"joins": CALM, "first_frame": WORSE, "freezes": "#6ed0e0", "recovery": BAD, "moves": "#a352cc"}
WHY_MOVED = {"dead": BAD, "drain": CALM, "hot": WORSE}


def at_least(objective: float, fair: float) -> Scale:
    """For what must be large: under `fair` it is an incident."""
    return Scale(BAD, ((fair, WORSE), (objective, GOOD)))


def at_most(limit: float, warn: float | None = None) -> Scale:
    """For what must stay small."""
    warning = ((warn, WORSE),) if warn is not None else ()
    return Scale(GOOD, (*warning, (limit, BAD)))
