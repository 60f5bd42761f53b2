"""What the service counts. No label grows with rooms or people.

Every replica sees the whole region. What describes the region is told by the replica that looks after it
(`core.replicas`), so that the sum over replicas is the region's; the exceptions say that each replica tells the same.
"""

import contextlib
from collections import Counter as Count
from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge, Histogram
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common.telemetry.zero import begin_at_zero

from salon_rooms.core.suspicion import ProbeOutcome

COMMANDS = Counter(
    "salon_rooms_commands_total", "Commands answered, by name and status code.", ["command", "code"]
)
COMMITS = Counter(
    "salon_rooms_commits_total",
    "Writes tried, by result: stored, conflict, unheard, recognised, unavailable.",
    ["result"],
)
COMMIT_SECONDS = Histogram(
    "salon_rooms_commit_seconds",
    "Time from sending a write to its answer.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
)
COMMIT_COMMANDS = Histogram(
    "salon_rooms_commit_commands",
    "Commands answered by one turn.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
WRITERS = Gauge("salon_rooms_writers", "Rooms with a running writer.")
NODES = Gauge(
    "salon_rooms_media_nodes",
    "Media nodes that beat, by mode: active, cordoned, draining. Each replica tells what it sees: take the maximum.",
    ["mode"],
)
PROBES = Counter("salon_rooms_probes_total", "Probes of nodes' health ports, by outcome.", ["outcome"])
VERDICTS = Counter(
    "salon_rooms_node_verdicts_total", "Changes of what is thought of a node, by its new health.", ["health"]
)
REPLICAS = Gauge(
    "salon_rooms_replicas",
    "Rooms replicas that beat, this one included. Each replica tells what it sees: take the maximum.",
)
TRACKED = Gauge(
    "salon_rooms_tracked_participants",
    "Participants whose presence is watched: all of the region, by every replica.",
)
OPEN_ROOMS = Gauge(
    "salon_rooms_open_rooms",
    "Rooms of the region with somebody in; told by the replica that looks after it, 0 by others.",
)
PARTICIPANTS = Gauge(
    "salon_rooms_participants",
    "Participants in the region, by state: waiting, joining, present; told by the replica that looks after it, 0 by others.",
    ["state"],
)
PLACEMENTS = Counter(
    "salon_rooms_placements_total",
    "Sessions given a place, by result: placed, or none when no node takes people.",
    ["result"],
)
EVACUATION_SECONDS = Histogram(
    "salon_rooms_evacuation_seconds",
    "From the verdict that a node is dead to the stored move of a room that was on it.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
STREAM_MESSAGES = Gauge(
    "salon_rooms_stream_messages",
    "Messages that a partition's stream keeps; told by the replica that looks after it.",
    ["stream"],
)
STREAM_BYTES = Gauge(
    "salon_rooms_stream_bytes",
    "Bytes that a partition's stream keeps; told by the replica that looks after it.",
    ["stream"],
)
LOST = Counter(
    "salon_rooms_lost_participants_total", "Participants taken out because nobody vouched for them."
)
MOVES = Counter(
    "salon_rooms_moves_total",
    "Rooms to be brought to another node, by why (dead, drain, hot) and result (done, failed).",
    ["why", "result"],
)
REMOVALS = Counter(
    "salon_rooms_node_removals_total",
    "Sessions that nodes were told to end, by result: done, failed, dropped.",
    ["result"],
)
BAD_MESSAGES = Counter(
    "salon_rooms_bad_messages_total", "Messages that could not be read, by kind.", ["kind"]
)

_STATES = {
    room_pb2.PARTICIPANT_STATE_WAITING: "waiting",
    room_pb2.PARTICIPANT_STATE_JOINING: "joining",
    room_pb2.PARTICIPANT_STATE_PRESENT: "present",
}
_MODES = {
    presence_pb2.NODE_MODE_ACTIVE: "active",
    presence_pb2.NODE_MODE_CORDONED: "cordoned",
    presence_pb2.NODE_MODE_DRAINING: "draining",
}


def show_nodes(modes: Iterable[presence_pb2.NodeMode.ValueType]) -> None:
    """What each of the nodes that beat is for."""
    count = Count(modes)
    for mode, label in _MODES.items():
        NODES.labels(label).set(count[mode])


def show_people(rooms: int, states: Mapping[room_pb2.ParticipantState.ValueType, int]) -> None:
    """How many rooms have somebody in, and how far everybody is."""
    OPEN_ROOMS.set(rooms)
    for state, label in _STATES.items():
        PARTICIPANTS.labels(label).set(states.get(state, 0))


def forget_stream(stream: str) -> None:
    """Another replica tells of a stream."""
    for gauge in (STREAM_MESSAGES, STREAM_BYTES):
        with contextlib.suppress(KeyError):
            gauge.remove(stream)


show_nodes(())
show_people(0, {})
begin_at_zero(PLACEMENTS, ("placed", "none"))
begin_at_zero(COMMITS, ("stored", "conflict", "unheard", "recognised", "unavailable"))
begin_at_zero(PROBES, (outcome.value for outcome in ProbeOutcome))
begin_at_zero(VERDICTS, ("alive", "suspected", "isolated", "dead"))
begin_at_zero(MOVES, ("dead", "drain", "hot"), ("done", "failed"))
begin_at_zero(REMOVALS, ("done", "failed", "dropped"))
