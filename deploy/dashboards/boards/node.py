"""One media node: who is on it, what it sends, what it throws away, and what it is short of."""

from dashboards import colours
from dashboards.boards.common import NODE, REGION, node_events
from dashboards.model import Board, Kind, Panel, Query, Row, Unit
from dashboards.promql import quantiles, rate

_THIS = 'region="$region", node="$node"'


def _rate(counter: str) -> str:
    return rate(counter, _THIS)


_NOW = Row(
    "Now",
    (
        Panel(
            "Participants",
            "Sessions with media.",
            Unit.COUNT,
            (Query(f'salon_media_sessions{{{_THIS}, status="connected"}}', "connected"),),
            Kind.NUMBER,
        ),
        Panel(
            "Rooms",
            "With somebody on this node.",
            Unit.COUNT,
            (Query(f"salon_media_rooms{{{_THIS}}}", "rooms"),),
            Kind.NUMBER,
        ),
        Panel(
            "Capacity",
            "How many participants the node takes.",
            Unit.COUNT,
            (Query(f"salon_media_capacity_participants{{{_THIS}}}", "participants"),),
            Kind.NUMBER,
        ),
        Panel(
            "Stress",
            "The part of its scarcer resource that is in use.",
            Unit.RATIO,
            (Query(f"max(salon_media_stress_ratio{{{_THIS}}})", "stress"),),
            Kind.NUMBER,
            scale=colours.at_most(1, warn=0.8),
        ),
        Panel(
            "Drain ends in",
            "While draining: until who is left is let go.",
            Unit.SECONDS,
            (Query(f"salon_media_drain_left_seconds{{{_THIS}}}", "left"),),
            Kind.NUMBER,
        ),
        Panel(
            "Runs since",
            "The age of the process.",
            Unit.SECONDS,
            (Query(f"time() - process_start_time_seconds{{{_THIS}}}", "age"),),
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
            "Sessions",
            "Those that are expected have been admitted, and their media is not here yet.",
            Unit.COUNT,
            (Query(f"sum by (status) (salon_media_sessions{{{_THIS}}})", "{{status}}"),),
            colours={"connected": colours.GOOD, "expected": colours.FAIR},
        ),
        Panel(
            "Stress, by resource",
            "The larger one decides how much the node is given. Full at 100 %.",
            Unit.RATIO,
            (Query(f"sum by (of) (salon_media_stress_ratio{{{_THIS}}})", "{{of}}"),),
            scale=colours.at_most(1),
            colours={"cpu": colours.WORSE, "participants": colours.CALM},
        ),
        Panel(
            "Mode",
            "What the node is for: 1 for the mode that it is in.",
            Unit.COUNT,
            (Query(f"sum by (mode) (salon_media_mode{{{_THIS}}})", "{{mode}}"),),
            colours=colours.MODES,
        ),
    ),
)

_PACKETS = Row(
    "Packets",
    (
        Panel(
            "Traffic",
            "All datagrams of the media port.",
            Unit.BITS_PER_SECOND,
            (
                Query(f"8 * {_rate('salon_media_engine_bytes_in_total')}", "received"),
                Query(f"8 * {_rate('salon_media_engine_bytes_out_total')}", "sent"),
            ),
            colours={"received": colours.CALM, "sent": colours.GOOD},
        ),
        Panel(
            "Datagrams",
            "What comes in, what goes out, and how much of that is media that was forwarded.",
            Unit.PACKETS_PER_SECOND,
            (
                Query(_rate("salon_media_engine_datagrams_in_total"), "received"),
                Query(_rate("salon_media_engine_datagrams_out_total"), "sent"),
                Query(_rate("salon_media_engine_forwarded_total"), "forwarded"),
            ),
            colours={"received": colours.CALM, "sent": colours.GOOD, "forwarded": colours.FAIR},
        ),
        Panel(
            "Dropped, by reason",
            "Nothing to see is good news. A few of unknown addresses and without consent are what people leave behind. would_block is a full socket; unauthentic, forged and malformed ones are an attack or a bug.",
            Unit.PACKETS_PER_SECOND,
            (Query(f"{_rate('salon_media_engine_drops_total')} > 0", "{{reason}}"),),
            stacked=True,
        ),
        Panel(
            "Connectivity checks answered",
            "Each client sends some each few seconds. None while people are connected means that the network does not let them in.",
            Unit.PACKETS_PER_SECOND,
            (Query(_rate("salon_media_engine_stun_answered_total"), "checks"),),
        ),
        Panel(
            "Handshakes",
            "DTLS, by outcome. Failed ones are clients that gave up or do not hold the key that they announced.",
            Unit.PER_SECOND,
            (Query(f"sum by (outcome) ({_rate('salon_media_dtls_handshakes_total')})", "{{outcome}}"),),
            colours={"completed": colours.GOOD, "failed": colours.BAD},
        ),
        Panel(
            "Engine's worst",
            "Rooms closed by a panic, times that the process stood still, and messages of clients that were refused. All should be 0.",
            Unit.PER_SECOND,
            (
                Query(_rate("salon_media_engine_rooms_failed_total"), "rooms failed"),
                Query(_rate("salon_media_engine_suspensions_total"), "stood still"),
                Query(_rate("salon_media_client_messages_refused_total"), "messages refused"),
            ),
            colours={
                "rooms failed": colours.BAD,
                "stood still": colours.WORSE,
                "messages refused": colours.FAIR,
            },
        ),
    ),
)

_PROCESS = Row(
    "Process",
    (
        Panel(
            "Processors",
            "The engine's thread uses at most one; Python beside it needs a little, more while people join.",
            Unit.COUNT,
            (Query(_rate("process_cpu_seconds_total"), "used"),),
            colours={"used": colours.CALM},
        ),
        Panel(
            "Memory",
            "Resident.",
            Unit.BYTES,
            (Query(f"process_resident_memory_bytes{{{_THIS}}}", "resident"),),
            colours={"resident": colours.CALM},
        ),
        Panel(
            "Event loop lag",
            "How late the control beside the engine does what is due. Media does not wait for it; joins do.",
            Unit.SECONDS,
            quantiles("salon_event_loop_lag_seconds", _THIS, "p50", "p99"),
            colours=colours.QUANTILES,
        ),
    ),
)

BOARD = Board(
    "salon-node",
    "Salon: media node",
    "One media node: who is on it, what it sends, what it throws away, and what it is short of.",
    (_NOW, _PEOPLE, _PACKETS, _PROCESS),
    (REGION, NODE),
    node_events('region="$region", '),
)
