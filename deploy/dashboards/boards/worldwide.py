"""All regions at a glance: whether the promises are kept, where people are, which region to look into."""

from dashboards import colours
from dashboards.boards.common import TO_REGION, node_events
from dashboards.model import Board, Kind, Panel, Query, Row, Scale, Unit
from dashboards.promql import failed_joins, quantile, within

_CRASH_OR_SILENCE = 'cause=~"crash|silence"'


def _promise(title: str, says: str, expr: str, scale: Scale) -> Panel:
    return Panel(title, says, Unit.RATIO, (Query(expr, title),), Kind.NUMBER, scale=scale)


def _total(title: str, says: str, unit: Unit, expr: str) -> Panel:
    return Panel(title, says, unit, (Query(expr, title),), Kind.NUMBER)


def _by_region(title: str, says: str, unit: Unit, expr: str, *, stacked: bool = False) -> Panel:
    return Panel(title, says, unit, (Query(expr, "{{region}}"),), stacked=stacked, opens=TO_REGION)


_PROMISES = Row(
    "What is promised, over the shown time",
    (
        _promise(
            "Joins that succeed",
            "Promised: 99.9 %. A join that the caller got wrong, such as a revoked link or a full room, is none that failed.",
            f"1 - {failed_joins(window='$__range')}",
            colours.at_least(0.999, 0.995),
        ),
        _promise(
            "First frame in 1 s",
            "Promised: 95 %. From the click on join to the first picture of somebody else, as clients report.",
            within("salon_signaling_first_frame_seconds", "1.0"),
            colours.at_least(0.95, 0.9),
        ),
        _promise(
            "Frozen pictures",
            "Promised: at most 1 %. The part of the watched time in which a picture stood still, as clients report.",
            "sum(increase(salon_signaling_frozen_seconds_total[$__range]))"
            " / sum(increase(salon_signaling_watched_seconds_total[$__range]))",
            colours.at_most(0.01, warn=0.008),
        ),
        _promise(
            "Back in 2.5 s after a fault",
            "Promised: 95 %. Clients whose node crashed or fell silent, and how many of them had media again in time.",
            within("salon_signaling_media_gap_seconds", "2.5", _CRASH_OR_SILENCE),
            colours.at_least(0.95, 0.9),
        ),
        _promise(
            "Moved in 0.5 s",
            "Promised: 95 %. Clients that a drain brought to another node, and how many of them missed less than half a second.",
            within("salon_signaling_media_gap_seconds", "0.5", 'cause="move"'),
            colours.at_least(0.95, 0.9),
        ),
        Panel(
            "Alerts",
            "How many fire now. Alertmanager and the runbooks say which, and what to do.",
            Unit.COUNT,
            # No alert is no series: here, and nowhere else, nothing means zero.
            (Query('count(ALERTS{alertstate="firing"}) or vector(0)', "firing"),),
            Kind.NUMBER,
            scale=colours.at_most(1),
        ),
    ),
    across=6,
    height=4,
)

_BUDGETS = Row(
    "What is promised, over 30 days",
    (
        Panel(
            "Error budget left, of the region that has least",
            "100 % is untouched. At 0 what may go wrong in 30 days has gone wrong; below, the promise is broken.",
            Unit.RATIO,
            (Query("min by (slo) (region_slo:salon_error_budget_left:ratio30d)", "{{slo}}"),),
            bottom=None,
            colours=colours.PROMISES,
            reach=1,
            scale=colours.at_least(0.25, fair=0),
        ),
        Panel(
            "How fast it is used up",
            "1 uses up the budget in exactly 30 days. Over 14.4 for an hour somebody is woken.",
            Unit.COUNT,
            (
                Query(
                    "max by (slo) (region_slo:salon_bad_events:ratio1h / on (slo) group_left slo:salon_error_budget:ratio)",
                    "{{slo}}",
                ),
            ),
            colours=colours.PROMISES,
            scale=colours.at_most(14.4),
        ),
    ),
    across=2,
)

_NOW = Row(
    "Now",
    (
        _total(
            "People in rooms",
            "Everybody whom a room counts as present.",
            Unit.COUNT,
            'sum(salon_rooms_participants{state="present"})',
        ),
        _total("Open rooms", "Rooms with somebody in.", Unit.COUNT, "sum(salon_rooms_open_rooms)"),
        _total(
            "Media nodes",
            "Nodes that beat, in any mode.",
            Unit.COUNT,
            "sum(sum by (region) (max by (region, mode) (salon_rooms_media_nodes)))",
        ),
        _total(
            "Places left",
            "How many more people the nodes would take that are open to new ones.",
            Unit.COUNT,
            "sum((salon_media_capacity_participants - sum without (status) (salon_media_sessions))"
            ' * ignoring (mode) salon_media_mode{mode="active"})',
        ),
        _total(
            "Media sent",
            "By all nodes to all clients.",
            Unit.BITS_PER_SECOND,
            "8 * sum(rate(salon_media_engine_bytes_out_total[$__rate_interval]))",
        ),
        _total(
            "Regions",
            "Regions that are seen from here.",
            Unit.COUNT,
            "count(group by (region) (salon_build_info))",
        ),
    ),
    across=6,
    height=4,
)

_PEOPLE = Row(
    "People",
    (
        _by_region(
            "People, by region",
            "Everybody whom a room counts as present.",
            Unit.COUNT,
            'sum by (region) (salon_rooms_participants{state="present"})',
            stacked=True,
        ),
        _by_region(
            "Rooms, by region",
            "Rooms with somebody in.",
            Unit.COUNT,
            "sum by (region) (salon_rooms_open_rooms)",
            stacked=True,
        ),
        _by_region(
            "Joins, by region",
            "Everybody who came in, resumes included: many of those at once are the trace of a fault.",
            Unit.PER_SECOND,
            'sum by (region) (rate(salon_signaling_joins_total{code="OK"}[$__rate_interval]))',
        ),
    ),
)

_TROUBLE = Row(
    "Trouble",
    (
        _by_region(
            "Joins that fail",
            "The share that failed by our fault. 0.1 % is what is promised.",
            Unit.RATIO,
            failed_joins(by="region"),
        ),
        _by_region(
            "First frame, p95",
            "From the click on join to the first picture. 1 s is what is promised.",
            Unit.SECONDS,
            quantile("salon_signaling_first_frame_seconds", "", "p95", by="region"),
        ),
        _by_region(
            "Frozen, by region",
            "The part of the watched time in which a picture stood still. 1 % is what is promised.",
            Unit.RATIO,
            "sum by (region) (rate(salon_signaling_frozen_seconds_total[$__rate_interval]))"
            " / sum by (region) (rate(salon_signaling_watched_seconds_total[$__rate_interval]))",
        ),
        _by_region(
            "Rooms moved off dead nodes",
            "Each is a room whose people missed media for a second or two.",
            Unit.PER_SECOND,
            'sum by (region) (rate(salon_rooms_moves_total{why="dead"}[$__rate_interval]))',
        ),
        _by_region(
            "Targets that do not answer",
            "Processes that Prometheus cannot scrape. One that stays is down, or cut off.",
            Unit.COUNT,
            'sum by (region) (1 - up{job=~"rooms|signaling|media"})',
        ),
        _by_region(
            "Services without NATS",
            "They keep what they have and change nothing until it is back.",
            Unit.COUNT,
            "sum by (region) (1 - salon_nats_connected)",
        ),
    ),
)
_ROOM_TO_GROW = Row(
    "Room to grow",
    (
        _by_region(
            "Stress of the fullest node",
            "Full at 100 %. Far above the mean of its region, people are spread badly.",
            Unit.RATIO,
            "max by (region) (salon_media_stress_ratio)",
        ),
        _by_region(
            "Stress, mean of nodes",
            "Each node by its scarcer resource. The autoscaler follows this.",
            Unit.RATIO,
            "avg by (region) (max by (region, node) (salon_media_stress_ratio))",
        ),
        _by_region(
            "Media sent, by region",
            "By all nodes to all clients.",
            Unit.BITS_PER_SECOND,
            "8 * sum by (region) (rate(salon_media_engine_bytes_out_total[$__rate_interval]))",
            stacked=True,
        ),
    ),
)

BOARD = Board(
    "salon-worldwide",
    "Salon: worldwide",
    "Whether the promises are kept, where people are, and which region to look into.",
    (_PROMISES, _NOW, _BUDGETS, _PEOPLE, _TROUBLE, _ROOM_TO_GROW),
    annotations=node_events(""),
)
