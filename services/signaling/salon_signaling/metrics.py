"""What is counted, for Prometheus. No label grows with rooms or users."""

from prometheus_client import Counter, Gauge, Histogram
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import Code
from salon_common.telemetry.zero import begin_at_zero

from salon_signaling.core.quality import CAUSES
from salon_signaling.core.stream import EndCause

JOINS = Counter(
    "salon_signaling_joins",
    "Joins, resumes and asks (a resume by who hears their node no more) by the code of their outcome.",
    ["kind", "code"],
)
JOIN_SECONDS = Histogram(
    "salon_signaling_join_seconds",
    "From a Join request to its welcome.",
    ["kind"],
    buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1, 2, 5),
)
REFUSALS = Counter("salon_signaling_refusals", "Requests that were refused.", ["method", "code"])
OPEN_STREAMS = Gauge("salon_signaling_open_streams", "Participants' streams that are open at this replica.")
STREAM_ENDS = Counter("salon_signaling_stream_ends", "Streams that ended, by cause.", ["cause"])
EVENTS = Counter("salon_signaling_events_delivered", "Events of rooms sent on streams.")
SNAPSHOTS = Counter("salon_signaling_snapshots_delivered", "Snapshots that replaced events no longer kept.")
REPLAYS = Counter("salon_signaling_replays", "Questions to the rooms service for missed events.")
REPLACED = Counter("salon_signaling_replaced_places", "Joins whose first node did not admit them.")
BAD_MESSAGES = Counter("salon_signaling_bad_messages", "Messages from NATS that could not be read.")

JOIN_STEPS = Counter(
    "salon_signaling_join_steps",
    "How far newcomers come: the link looked up (previewed), Join called, a place reserved by rooms, admitted by a node, "
    "welcomed; then as their client reports, the media connected and the first frame seen.",
    ["step"],
)
FIRST_FRAME_SECONDS = Histogram(
    "salon_signaling_first_frame_seconds",
    "From the click on join to the first decoded frame of somebody else who was there already, as clients report.",
    buckets=(0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30),
)
WATCHED_SECONDS = Counter(
    "salon_signaling_watched_seconds",
    "Time that pictures were watched, summed over pictures, as clients report.",
)
FROZEN_SECONDS = Counter(
    "salon_signaling_frozen_seconds", "The part of the watched time in which the picture stood still."
)
MEDIA_GAP_SECONDS = Histogram(
    "salon_signaling_media_gap_seconds",
    "How long a client heard and saw nothing, as it reports, by cause: the node crashed (the connection failed), it fell "
    "silent, or a planned move.",
    ["cause"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 6, 10, 30),
)
QUALITY_REPORTS = Counter(
    "salon_signaling_quality_reports",
    "Reports of clients by result: taken, or refused because a figure cannot be or they come too often.",
    ["result"],
)

_METHODS = [method.name for method in signaling_pb2.DESCRIPTOR.services_by_name["SignalingService"].methods]
CALLERS_FAULT = (
    Code.INVALID_ARGUMENT,
    Code.NOT_FOUND,
    Code.PERMISSION_DENIED,
    Code.RESOURCE_EXHAUSTED,
    Code.FAILED_PRECONDITION,
    Code.UNAUTHENTICATED,
)
"""What refusals come to, mostly."""
KINDS = ("join", "resume", "ask")
STEPS = ("previewed", "called", "reserved", "admitted", "welcomed", "connected", "first_frame")
begin_at_zero(JOINS, KINDS, (code.name for code in Code))
begin_at_zero(JOIN_SECONDS, KINDS)
begin_at_zero(JOIN_STEPS, STEPS)
begin_at_zero(REFUSALS, _METHODS, (code.name for code in CALLERS_FAULT))
begin_at_zero(STREAM_ENDS, (cause.value for cause in EndCause))
begin_at_zero(MEDIA_GAP_SECONDS, CAUSES)
begin_at_zero(QUALITY_REPORTS, ("taken", "refused"))


def count_step(kind: str, step: str) -> None:
    """A newcomer came so far. Who comes back is no newcomer."""
    if kind == "join":
        JOIN_STEPS.labels(step).inc()
