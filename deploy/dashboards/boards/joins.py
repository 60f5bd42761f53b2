"""The way into a room, step by step: where people get lost, and where the time goes."""

from dashboards import colours
from dashboards.boards.common import REGION, node_events
from dashboards.model import Board, Kind, Panel, Query, Row, Unit
from dashboards.promql import failed_joins, quantile, quantiles, rate

_HERE = 'region="$region"'
_STEP_COUNTER = "salon_signaling_join_steps_total"


def _steps(function: str, step: str, window: str) -> str:
    return f'sum({function}({_STEP_COUNTER}{{{_HERE}, step="{step}"}}[{window}]))'


_FUNNEL = Row(
    "How far newcomers come",
    (
        Panel(
            "Steps, over the shown time",
            "Each bar should be nearly as long as the one above. Who looks at a link and does not join is in previewed alone; who is first in a room has no first frame.",
            Unit.COUNT,
            tuple(Query(_steps("increase", step, "$__range"), step) for step in colours.STEPS),
            Kind.BARS,
            colours=colours.STEPS,
        ),
        Panel(
            "Steps, over time",
            "Where one line leaves the line before it, people are stuck at that step.",
            Unit.PER_SECOND,
            tuple(Query(_steps("rate", step, "$__rate_interval"), step) for step in colours.STEPS),
            colours=colours.STEPS,
        ),
        Panel(
            "Called and welcomed",
            "The share of Join calls that ended with a welcome, whosever fault it was that others did not.",
            Unit.RATIO,
            (
                Query(
                    f"{_steps('rate', 'welcomed', '$__rate_interval')} / {_steps('rate', 'called', '$__rate_interval')}",
                    "welcomed",
                ),
            ),
            reach=1,
            colours=colours.STEPS,
        ),
    ),
    height=9,
)

_TIME = Row(
    "Where the time goes",
    (
        Panel(
            "First frame",
            "What people wait for: from the click on join to the first picture, as clients report.",
            Unit.SECONDS,
            quantiles("salon_signaling_first_frame_seconds", _HERE, "p50", "p95", "p99"),
            colours=colours.QUANTILES,
            scale=colours.at_most(1),
        ),
        Panel(
            "From Join to welcome, p95",
            "The part that is ours alone, by kind of join.",
            Unit.SECONDS,
            (Query(quantile("salon_signaling_join_seconds", _HERE, "p95", by="kind"), "{{kind}}"),),
            colours={"join": colours.GOOD, "resume": colours.CALM, "ask": colours.WORSE},
        ),
        Panel(
            "Calls on the way, p95",
            "As signaling waits for them: rooms.Join gives a place, media.Admit opens it.",
            Unit.SECONDS,
            (
                Query(
                    "histogram_quantile(0.95, sum by (service, method, le) (rate(salon_rpc_client_seconds_bucket{"
                    f'{_HERE}, job="signaling", method=~"Join|Replace|Admit|PreviewRoom"}}[$__rate_interval])))',
                    "{{service}}.{{method}}",
                ),
            ),
        ),
        Panel(
            "Writes of rooms, p95",
            "From sending a change to JetStream's answer. A room's place is one.",
            Unit.SECONDS,
            (Query(quantile("salon_rooms_commit_seconds", _HERE, "p95"), "p95"),),
            colours=colours.QUANTILES,
        ),
        Panel(
            "Event loop lag, p99",
            "Over 100 ms a process has too much to do, and each step waits for it.",
            Unit.SECONDS,
            (Query(quantile("salon_event_loop_lag_seconds", _HERE, "p99", by="job"), "{{job}}"),),
            colours=colours.SERVICES,
            scale=colours.at_most(0.1),
        ),
        Panel(
            "Handshakes",
            "DTLS of newcomers with their nodes, by outcome.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (outcome) ({rate('salon_media_dtls_handshakes_total', _HERE)})",
                    "{{outcome}}",
                ),
            ),
            colours={"completed": colours.GOOD, "failed": colours.BAD},
        ),
    ),
)

_LOST = Row(
    "Who does not get in",
    (
        Panel(
            "By our fault",
            "The share of joins that failed though the caller did nothing wrong. Promised: at most 0.1 %.",
            Unit.RATIO,
            (
                Query(
                    failed_joins(_HERE),
                    "failed",
                ),
            ),
            colours={"failed": colours.BAD},
        ),
        Panel(
            "Joins, by code",
            "All that did not end with OK; nothing to see is good news.",
            Unit.PER_SECOND,
            (
                Query(
                    f'sum by (code) (rate(salon_signaling_joins_total{{{_HERE}, code!="OK"}}[$__rate_interval])) > 0',
                    "{{code}}",
                ),
            ),
        ),
        Panel(
            "Refusals, by method and code",
            "Of all requests of clients: bad fields, bad credentials, more than is allowed. Nothing to see is good news.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (method, code) ({rate('salon_signaling_refusals_total', _HERE)}) > 0",
                    "{{method}}: {{code}}",
                ),
            ),
        ),
        Panel(
            "Places",
            "That rooms gave, or could not give because no node takes people: then the region is full.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (result) ({rate('salon_rooms_placements_total', _HERE)})",
                    "{{result}}",
                ),
            ),
            colours={"placed": colours.GOOD, "none": colours.BAD},
        ),
        Panel(
            "Places that were changed",
            "Joins whose first node did not admit them and that went to another: they wait longer.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum({rate('salon_signaling_replaced_places_total', _HERE)})",
                    "changed",
                ),
            ),
            colours={"changed": colours.WORSE},
        ),
        Panel(
            "Streams that ended",
            "Out and taken_over are the normal ways; slow clients do not read what they are sent; drained ones resume elsewhere.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (cause) ({rate('salon_signaling_stream_ends_total', _HERE)})",
                    "{{cause}}",
                ),
            ),
        ),
    ),
)

BOARD = Board(
    "salon-joins",
    "Salon: joins",
    "The way into a room, step by step: where people get lost, and where the time goes.",
    (_FUNNEL, _TIME, _LOST),
    (REGION,),
    node_events('region="$region", '),
)
