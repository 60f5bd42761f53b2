"""What Prometheus is told of the media nodes."""

from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_rooms.core.targets import media_targets


def beat(node_id: str, address: str = "192.0.2.1:40000") -> presence_pb2.NodeHeartbeat:
    return presence_pb2.NodeHeartbeat(node_id=node_id, metrics_address=address)


def test_a_target_has_its_node_and_region() -> None:
    assert media_targets([(beat("n1", "[2001:db8::1]:40007"), nodes_pb2.NODE_HEALTH_ALIVE)], "eu") == [
        {"targets": ["[2001:db8::1]:40007"], "labels": {"node": "n1", "region": "eu"}}
    ]


def test_all_but_the_dead_are_scraped() -> None:
    told = media_targets(
        [(beat(name), health) for name, health in nodes_pb2.NodeHealth.items() if health], "eu"
    )
    assert [target["labels"]["node"] for target in told if isinstance(target["labels"], dict)] == [
        name for name, health in nodes_pb2.NodeHealth.items() if health not in (0, nodes_pb2.NODE_HEALTH_DEAD)
    ]


def test_a_node_that_serves_no_metrics_is_no_target() -> None:
    assert media_targets([(beat("n1", ""), nodes_pb2.NODE_HEALTH_ALIVE)], "eu") == []
