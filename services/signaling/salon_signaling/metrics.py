"""What is counted, for Prometheus. No label grows with rooms or users."""

from prometheus_client import Counter, Gauge, Histogram

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
