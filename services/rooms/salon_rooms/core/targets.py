"""The media nodes as Prometheus wants to be told of them (`http_sd`): where to scrape, and what to call it."""

from collections.abc import Iterable

from salon.rooms.v1 import nodes_pb2, presence_pb2

from salon_rooms.core.suspicion import Health

Target = dict[str, list[str] | dict[str, str]]


def media_targets(beats: Iterable[tuple[presence_pb2.NodeHeartbeat, Health]], region: str) -> list[Target]:
    """One target a node that is not dead. Those that are doubted, or cut off from NATS, are the ones to look at."""
    return [
        {"targets": [beat.metrics_address], "labels": {"node": beat.node_id, "region": region}}
        for beat, health in beats
        if health != nodes_pb2.NODE_HEALTH_DEAD and beat.metrics_address
    ]
