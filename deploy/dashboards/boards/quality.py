"""What people see and hear, as their clients report it: no room and no person can be told apart here."""

from dashboards import colours
from dashboards.boards.common import REGION, node_events
from dashboards.model import Board, Kind, Panel, Query, Row, Scale, Unit
from dashboards.promql import quantile, quantiles, rate, within

_HERE = 'region="$region"'
_CRASH_OR_SILENCE = f'{_HERE}, cause=~"crash|silence"'
_MOVE = f'{_HERE}, cause="move"'
_GAPS = "salon_signaling_media_gap_seconds"
_FIRST_FRAME = "salon_signaling_first_frame_seconds"
_MOST = colours.at_least(0.95, fair=0.9)
_FEW = colours.at_most(0.01, warn=0.008)


def _frozen(window: str) -> str:
    return (
        f"sum(increase(salon_signaling_frozen_seconds_total{{{_HERE}}}[{window}]))"
        f" / sum(increase(salon_signaling_watched_seconds_total{{{_HERE}}}[{window}]))"
    )


def _share(title: str, says: str, expr: str, scale: Scale) -> Panel:
    return Panel(title, says, Unit.RATIO, (Query(expr, title),), Kind.NUMBER, scale=scale)


_SHARES = Row(
    "What is promised, over the shown time",
    (
        _share("First frame in 1 s", "Promised: 95 %.", within(_FIRST_FRAME, "1.0", _HERE), _MOST),
        _share("Frozen pictures", "Promised: at most 1 % of the watched time.", _frozen("$__range"), _FEW),
        _share(
            "Back in 2.5 s after a fault", "Promised: 95 %.", within(_GAPS, "2.5", _CRASH_OR_SILENCE), _MOST
        ),
        _share("Moved in 0.5 s", "Promised: 95 %.", within(_GAPS, "0.5", _MOVE), _MOST),
    ),
    across=4,
    height=4,
)

_SEEING = Row(
    "Seeing and hearing",
    (
        Panel(
            "First frame",
            "From the click on join to the first picture of somebody who was there already.",
            Unit.SECONDS,
            quantiles(_FIRST_FRAME, _HERE, "p50", "p95", "p99"),
            colours=colours.QUANTILES,
            scale=colours.at_most(1),
        ),
        Panel(
            "Frozen pictures, over time",
            "The part of the watched time in which a picture that should move stood still for half a second or more.",
            Unit.RATIO,
            (Query(_frozen("$__rate_interval"), "frozen"),),
            colours={"frozen": colours.CALM},
            scale=colours.at_most(0.01),
        ),
        Panel(
            "Pictures watched",
            "How many pictures all clients together watch at a time.",
            Unit.COUNT,
            (
                Query(
                    f"sum({rate('salon_signaling_watched_seconds_total', _HERE)})",
                    "pictures",
                ),
            ),
            colours={"pictures": colours.CALM},
        ),
    ),
)

_MISSING = Row(
    "Missing media",
    (
        Panel(
            "Clients that missed media",
            "By cause: their node crashed, it fell silent, or they were moved as planned.",
            Unit.PER_SECOND,
            (Query(f"sum by (cause) (rate({_GAPS}_count{{{_HERE}}}[$__rate_interval]))", "{{cause}}"),),
            colours=colours.CAUSES,
        ),
        Panel(
            "How long they missed it, p95",
            "Promised: 2.5 s after a crash or silence, 0.5 s for a move.",
            Unit.SECONDS,
            (Query(quantile(_GAPS, _HERE, "p95", by="cause"), "{{cause}}"),),
            colours=colours.CAUSES,
            scale=colours.at_most(2.5),
        ),
        Panel(
            "Clients that missed media, over the shown time",
            "By cause.",
            Unit.COUNT,
            (Query(f"sum by (cause) (increase({_GAPS}_count{{{_HERE}}}[$__range]))", "{{cause}}"),),
            Kind.BARS,
            colours=colours.CAUSES,
        ),
    ),
)

_WORTH = Row(
    "What these figures are worth",
    (
        Panel(
            "Reports of clients",
            "Where they stop while people are in rooms, all above is blind. Refused ones come too often or cannot be true.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (result) ({rate('salon_signaling_quality_reports_total', _HERE)})",
                    "{{result}}",
                ),
            ),
            colours={"taken": colours.GOOD, "refused": colours.BAD},
        ),
        Panel(
            "People in rooms",
            "Whom the reports should come from: each client sends one every 30 s.",
            Unit.COUNT,
            (Query(f'sum(salon_rooms_participants{{{_HERE}, state="present"}})', "people"),),
            colours={"people": colours.CALM},
        ),
        Panel(
            "People taken out",
            "Because neither their node nor their stream vouched for them. Their clients went without a word, or were cut off.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum({rate('salon_rooms_lost_participants_total', _HERE)})",
                    "taken out",
                ),
            ),
            colours={"taken out": colours.WORSE},
        ),
    ),
)

BOARD = Board(
    "salon-quality",
    "Salon: room quality",
    "What people see and hear, as their clients report it, over all rooms of a region.",
    (_SHARES, _SEEING, _MISSING, _WORTH),
    (REGION,),
    node_events('region="$region", '),
)
