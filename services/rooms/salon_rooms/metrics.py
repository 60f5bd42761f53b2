"""What the service counts. No label grows with rooms or people."""

from prometheus_client import Counter, Gauge, Histogram

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
NODES = Gauge("salon_rooms_media_nodes", "Media nodes that beat.")
PROBES = Counter("salon_rooms_probes_total", "Probes of nodes' health ports, by outcome.", ["outcome"])
VERDICTS = Counter(
    "salon_rooms_node_verdicts_total", "Changes of what is thought of a node, by its new health.", ["health"]
)
REPLICAS = Gauge("salon_rooms_replicas", "Rooms replicas that beat, this one included.")
TRACKED = Gauge("salon_rooms_tracked_participants", "Participants whose presence is watched.")
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
