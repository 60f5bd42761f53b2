"""Reading a placement. How places change is tested with the commands that change them."""

from salon.rooms.v1 import room_pb2
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import active_node, node_of


def test_the_active_node_is_not_one_that_is_leaving() -> None:
    placement = room_pb2.Placement(epoch=3)
    assert active_node(placement) is None
    placement.nodes.add(node_id="old", boot_id="b", state=room_pb2.PLACED_NODE_STATE_LEAVING)
    assert active_node(placement) is None
    placement.nodes.add(node_id="new", boot_id="c", state=room_pb2.PLACED_NODE_STATE_ACTIVE)
    assert active_node(placement) == NodeRef("new", "c")


def test_a_place_is_on_one_incarnation() -> None:
    assert node_of(room_pb2.ParticipantPlace(node_id="n", boot_id="b", epoch=4)) == NodeRef("n", "b")
