"""One region: its people, its joins, what its media nodes have left, and how its services do."""

from dashboards import colours
from dashboards.boards.common import REGION, TO_NODE, node_events
from dashboards.model import Board, Kind, Panel, Query, Row, Unit
from dashboards.promql import OUR_FAULT, quantile, quantiles, rate

_HERE = 'region="$region"'

_NOW = Row(
    "Now",
    (
        Panel(
            "People in rooms",
            "Everybody whom a room counts as present.",
            Unit.COUNT,
            (Query('sum(salon_rooms_participants{region="$region", state="present"})', "people"),),
            Kind.NUMBER,
        ),
        Panel(
            "Open rooms",
            "Rooms with somebody in.",
            Unit.COUNT,
            (Query('sum(salon_rooms_open_rooms{region="$region"})', "rooms"),),
            Kind.NUMBER,
        ),
        Panel(
            "Media nodes that take people",
            "Active nodes that beat. With none, nobody can join.",
            Unit.COUNT,
            (Query('max(salon_rooms_media_nodes{region="$region", mode="active"})', "active"),),
            Kind.NUMBER,
            scale=colours.at_least(2, fair=1),
        ),
        Panel(
            "Places left",
            "How many more people the active nodes would take.",
            Unit.COUNT,
            (
                Query(
                    'sum((salon_media_capacity_participants{region="$region"}'
                    ' - sum without (status) (salon_media_sessions{region="$region"}))'
                    ' * ignoring (mode) salon_media_mode{region="$region", mode="active"})',
                    "places",
                ),
            ),
            Kind.NUMBER,
        ),
        Panel(
            "Rooms replicas",
            "Replicas of the rooms service that beat. With one, its end is an outage until the next one runs.",
            Unit.COUNT,
            (Query('max(salon_rooms_replicas{region="$region"})', "replicas"),),
            Kind.NUMBER,
            scale=colours.at_least(2, fair=1),
        ),
        Panel(
            "Open streams",
            "Clients that signaling serves now.",
            Unit.COUNT,
            (Query('sum(salon_signaling_open_streams{region="$region"})', "streams"),),
            Kind.NUMBER,
        ),
    ),
    across=6,
    height=4,
)

_PEOPLE = Row(
    "People",
    (
        Panel(
            "Participants",
            "Those who are joining have a place and no media yet: many of them for long means that media does not get through. Who waits is not let in yet.",
            Unit.COUNT,
            (Query('sum by (state) (salon_rooms_participants{region="$region"})', "{{state}}"),),
            colours={"present": colours.GOOD, "joining": colours.FAIR, "waiting": colours.CALM},
        ),
        Panel(
            "Joins",
            "Newcomers, those who come back (resume), and those who ask for another node because they hear theirs no more (ask).",
            Unit.PER_SECOND,
            (
                Query(
                    'sum by (kind) (rate(salon_signaling_joins_total{region="$region", code="OK"}[$__rate_interval]))',
                    "{{kind}}",
                ),
            ),
            colours={"join": colours.GOOD, "resume": colours.CALM, "ask": colours.WORSE},
        ),
        Panel(
            "Joins that are refused or fail",
            "By status code; nothing to see is good news. INTERNAL and UNAVAILABLE are ours; NOT_FOUND, PERMISSION_DENIED and RESOURCE_EXHAUSTED are callers' links and full rooms.",
            Unit.PER_SECOND,
            (
                Query(
                    'sum by (code) (rate(salon_signaling_joins_total{region="$region", code!="OK"}[$__rate_interval])) > 0',
                    "{{code}}",
                ),
            ),
        ),
    ),
)

_CAPACITY = Row(
    "Media nodes",
    (
        Panel(
            "Stress, by node",
            "The part of its scarcer resource that a node uses. Full at 100 %: it takes nobody new.",
            Unit.RATIO,
            (Query('max by (node) (salon_media_stress_ratio{region="$region"})', "{{node}}"),),
            scale=colours.at_most(1),
            opens=TO_NODE,
        ),
        Panel(
            "Participants, by node",
            "Sessions with media, and those that are expected.",
            Unit.COUNT,
            (Query('sum by (node) (salon_media_sessions{region="$region"})', "{{node}}"),),
            stacked=True,
            opens=TO_NODE,
        ),
        Panel(
            "Nodes, by mode",
            "Cordoned nodes keep their rooms, draining ones give them away.",
            Unit.COUNT,
            (Query('max by (mode) (salon_rooms_media_nodes{region="$region"})', "{{mode}}"),),
            colours=colours.MODES,
        ),
        Panel(
            "Media sent, by node",
            "To clients.",
            Unit.BITS_PER_SECOND,
            (
                Query(
                    f"8 * sum by (node) ({rate('salon_media_engine_bytes_out_total', _HERE)})",
                    "{{node}}",
                ),
            ),
            stacked=True,
            opens=TO_NODE,
        ),
        Panel(
            "Rooms moved",
            "Off dead nodes, off draining ones, and off nodes that are too hot. A move that failed is tried again.",
            Unit.PER_SECOND,
            (
                Query(
                    'sum by (why) (rate(salon_rooms_moves_total{region="$region", result="done"}[$__rate_interval]))',
                    "{{why}}",
                ),
                Query(
                    'sum(rate(salon_rooms_moves_total{region="$region", result="failed"}[$__rate_interval]))',
                    "not moved",
                ),
            ),
            colours=colours.WHY_MOVED | {"not moved": colours.FAIR},
        ),
        Panel(
            "Verdicts on nodes",
            "What rooms comes to think of nodes. Suspected ones are probed; isolated ones answer and serve, and are cut off from NATS; dead ones lose their rooms to others.",
            Unit.PER_SECOND,
            (
                # Every replica comes to the same verdict.
                Query(
                    f"max by (health) ({rate('salon_rooms_node_verdicts_total', _HERE)})",
                    "{{health}}",
                ),
            ),
            colours={
                "alive": colours.GOOD,
                "suspected": colours.FAIR,
                "isolated": colours.WORSE,
                "dead": colours.BAD,
            },
        ),
    ),
)

_FAULTS = Row(
    "Faults",
    (
        Panel(
            "From verdict to move",
            "How long after a node was found dead its rooms were placed elsewhere.",
            Unit.SECONDS,
            quantiles("salon_rooms_evacuation_seconds", _HERE, "p50", "p95", "p99"),
            colours=colours.QUANTILES,
        ),
        Panel(
            "People taken out",
            "Because neither their node nor their stream vouched for them.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum({rate('salon_rooms_lost_participants_total', _HERE)})",
                    "taken out",
                ),
            ),
            colours={"taken out": colours.WORSE},
        ),
        Panel(
            "Error budget left, 30 days",
            "100 % is untouched. At 0 what may go wrong in 30 days has gone wrong; below, the promise is broken.",
            Unit.RATIO,
            (
                Query(
                    'sum by (slo) (region_slo:salon_error_budget_left:ratio30d{region="$region"})', "{{slo}}"
                ),
            ),
            bottom=None,
            colours=colours.PROMISES,
            reach=1,
            scale=colours.at_least(0.25, fair=0),
        ),
    ),
)

_SERVICES = Row(
    "Services",
    (
        Panel(
            "From Join to welcome",
            "Inside Salon: the place that rooms gives, and the node that admits. What clients wait for is on the dashboard Joins.",
            Unit.SECONDS,
            quantiles("salon_signaling_join_seconds", _HERE, "p50", "p95", "p99"),
            colours=colours.QUANTILES,
        ),
        Panel(
            "Commands that rooms answers",
            "By what is asked.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (command) ({rate('salon_rooms_commands_total', _HERE)})",
                    "{{command}}",
                ),
            ),
        ),
        Panel(
            "Calls that fail by our fault",
            "The share of all that a service answers, between services and to clients.",
            Unit.RATIO,
            (
                Query(
                    f"(sum by (job) (rate(salon_rpc_server_seconds_count{{{_HERE}, {OUR_FAULT}}}[$__rate_interval]))"
                    f" or 0 * sum by (job) ({rate('salon_rpc_server_seconds_count', _HERE)}))"
                    f" / sum by (job) ({rate('salon_rpc_server_seconds_count', _HERE)})",
                    "{{job}}",
                ),
            ),
            colours=colours.SERVICES,
        ),
        Panel(
            "Event loop lag, p99",
            "How late a process does what is due. Over 100 ms it has too much to do, or something blocks it.",
            Unit.SECONDS,
            (Query(quantile("salon_event_loop_lag_seconds", _HERE, "p99", by="job"), "{{job}}"),),
            colours=colours.SERVICES,
            scale=colours.at_most(0.1),
        ),
        Panel(
            "Processors",
            "How many of them the processes of each service use together.",
            Unit.COUNT,
            (
                Query(
                    "sum by (job) (rate(process_cpu_seconds_total{"
                    'region="$region", job=~"rooms|signaling|media"}[$__rate_interval]))',
                    "{{job}}",
                ),
            ),
            colours=colours.SERVICES,
        ),
        Panel(
            "Memory",
            "Resident, of all processes of a service together.",
            Unit.BYTES,
            (
                Query(
                    "sum by (job) (process_resident_memory_bytes{"
                    'region="$region", job=~"rooms|signaling|media"})',
                    "{{job}}",
                ),
            ),
            colours=colours.SERVICES,
        ),
    ),
)

BOARD = Board(
    "salon-region",
    "Salon: region",
    "One region: its people, its joins, what its media nodes have left, and how its services do.",
    (_NOW, _PEOPLE, _CAPACITY, _FAULTS, _SERVICES),
    (REGION,),
    node_events('region="$region", '),
)
