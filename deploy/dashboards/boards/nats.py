"""The broker and the store: whether services reach NATS, how its servers do, and how writes of rooms fare."""

from dashboards import colours
from dashboards.boards.common import REGION, node_events
from dashboards.model import Board, Kind, Panel, Query, Row, Unit
from dashboards.promql import quantiles, rate

_HERE = 'region="$region"'

_NOW = Row(
    "Now",
    (
        Panel(
            "Servers",
            "NATS servers that answer rooms. Three keep JetStream writable when one is lost.",
            Unit.COUNT,
            (Query(f"count(group by (server) (salon_nats_server_connections{{{_HERE}}}))", "servers"),),
            Kind.NUMBER,
        ),
        Panel(
            "Services with a connection",
            "Of all processes. Without one they keep what they have and change nothing.",
            Unit.RATIO,
            (Query(f"avg(salon_nats_connected{{{_HERE}}})", "connected"),),
            Kind.NUMBER,
            scale=colours.at_least(1, fair=0.5),
        ),
        Panel(
            "Slow consumers",
            "Connections that servers cut in the shown time because they read too slowly: what they missed is lost to them.",
            Unit.COUNT,
            (Query(f"sum(increase(salon_nats_server_slow_consumers_total{{{_HERE}}}[$__range]))", "cut"),),
            Kind.NUMBER,
            scale=colours.at_most(1),
        ),
        Panel(
            "Kept in streams",
            "Rooms, their participants, and events that clients may yet ask for.",
            Unit.BYTES,
            (Query(f"sum(salon_rooms_stream_bytes{{{_HERE}}})", "kept"),),
            Kind.NUMBER,
        ),
    ),
    across=4,
    height=4,
)

_REACH = Row(
    "How services reach it",
    (
        Panel(
            "Processes with a connection",
            "By service.",
            Unit.COUNT,
            (Query(f"sum by (job) (salon_nats_connected{{{_HERE}}})", "{{job}}"),),
            colours=colours.SERVICES,
        ),
        Panel(
            "Round trip, slowest process",
            "A ping to the server and back. Detection of dead nodes counts on milliseconds.",
            Unit.SECONDS,
            (Query(f"max by (job) (salon_nats_round_trip_seconds{{{_HERE}}})", "{{job}}"),),
            colours=colours.SERVICES,
        ),
        Panel(
            "Reconnects",
            "Connections that came back. A server that restarts makes each of its clients do so once.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (job) ({rate('salon_nats_reconnects_total', _HERE)})",
                    "{{job}}",
                ),
            ),
            colours=colours.SERVICES,
        ),
    ),
)

_SERVERS = Row(
    "Servers, as rooms sees them",
    (
        Panel(
            "Processors",
            "That each server uses.",
            Unit.COUNT,
            (Query(f"max by (server) (salon_nats_server_cpu_ratio{{{_HERE}}})", "{{server}}"),),
        ),
        Panel(
            "Memory",
            "Of each server.",
            Unit.BYTES,
            (Query(f"max by (server) (salon_nats_server_memory_bytes{{{_HERE}}})", "{{server}}"),),
        ),
        Panel(
            "Connections",
            "Of clients, by server.",
            Unit.COUNT,
            (Query(f"max by (server) (salon_nats_server_connections{{{_HERE}}})", "{{server}}"),),
            stacked=True,
        ),
        Panel(
            "Messages in",
            "By server.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (server) ({rate('salon_nats_server_in_messages_total', _HERE)})",
                    "{{server}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "Messages out",
            "By server: every subscriber gets its own.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (server) ({rate('salon_nats_server_out_messages_total', _HERE)})",
                    "{{server}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "Slow consumers, by server",
            "Connections that were cut because they read too slowly.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (server) ({rate('salon_nats_server_slow_consumers_total', _HERE)})",
                    "{{server}}",
                ),
            ),
        ),
    ),
)

_STORE = Row(
    "Rooms as they are kept",
    (
        Panel(
            "Writes, by result",
            "A conflict is two replicas that wrote to one room: it is tried again. Unheard ones are asked for, unavailable ones fail their callers.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (result) ({rate('salon_rooms_commits_total', _HERE)})",
                    "{{result}}",
                ),
            ),
            colours={
                "stored": colours.GOOD,
                "conflict": colours.FAIR,
                "unheard": colours.WORSE,
                "recognised": colours.CALM,
                "unavailable": colours.BAD,
            },
        ),
        Panel(
            "Time of a write",
            "From sending it to JetStream's answer, which comes when it is safe.",
            Unit.SECONDS,
            quantiles("salon_rooms_commit_seconds", _HERE, "p50", "p95", "p99"),
            colours=colours.QUANTILES,
        ),
        Panel(
            "Commands in a write, mean",
            "How many requests share one: it grows when a room is busy, and saves writes.",
            Unit.COUNT,
            (
                Query(
                    f"sum({rate('salon_rooms_commit_commands_sum', _HERE)})"
                    f" / sum({rate('salon_rooms_commit_commands_count', _HERE)})",
                    "commands",
                ),
            ),
            colours={"commands": colours.CALM},
        ),
        Panel(
            "Messages in streams",
            "By partition. What is old ends by itself: a line that only rises is a leak.",
            Unit.COUNT,
            (Query(f"sum by (stream) (salon_rooms_stream_messages{{{_HERE}}})", "{{stream}}"),),
            stacked=True,
        ),
        Panel(
            "Bytes in streams",
            "By partition.",
            Unit.BYTES,
            (Query(f"sum by (stream) (salon_rooms_stream_bytes{{{_HERE}}})", "{{stream}}"),),
            stacked=True,
        ),
        Panel(
            "Events asked for again",
            "By signaling, because the live ones had a hole; and snapshots, where too much was missed.",
            Unit.PER_SECOND,
            (
                Query(f"sum({rate('salon_signaling_replays_total', _HERE)})", "replays"),
                Query(
                    f"sum({rate('salon_signaling_snapshots_delivered_total', _HERE)})",
                    "snapshots",
                ),
            ),
            colours={"replays": colours.CALM, "snapshots": colours.WORSE},
        ),
    ),
)

BOARD = Board(
    "salon-nats",
    "Salon: NATS",
    "The broker and the store: whether services reach NATS, how its servers do, and how writes of rooms fare.",
    (_NOW, _REACH, _SERVERS, _STORE),
    (REGION,),
    node_events('region="$region", '),
)
