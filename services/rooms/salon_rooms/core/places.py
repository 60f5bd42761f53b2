"""Which node serves a room, and where its people's media goes.

Until nodes relay to one another a room is on one active node; whenever that changes the epoch grows and everybody
goes along.
"""

from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError

from salon_rooms.core.command import Moment
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.room import Draft, copied


def active_node(placement: room_pb2.Placement) -> NodeRef | None:
    """The node that takes new participants."""
    for node in placement.nodes:
        if node.state == room_pb2.PLACED_NODE_STATE_ACTIVE:
            return NodeRef(node.node_id, node.boot_id)
    return None


def node_of(place: room_pb2.ParticipantPlace) -> NodeRef:
    """The incarnation that a place is on."""
    return NodeRef(place.node_id, place.boot_id)


def take_place(draft: Draft, participant: room_pb2.Participant, moment: Moment, random: bytes) -> None:
    """Place a participant, a copy that the caller puts into the draft, on the room's active node; a dead one is
    replaced first. Raises SalonError UNAVAILABLE.
    """
    active = active_node(draft.head.placement)
    if active is None or not moment.nodes.is_alive(active, moment.now):
        chosen = moment.nodes.choose(moment.now, random, avoid=active)
        if chosen is None:
            raise no_node()
        move_room(draft, chosen, moment, but=participant.id)
        active = chosen
    if node_of(participant.place) != active:
        put_on(participant, active, draft)


def move_room(draft: Draft, to: NodeRef, moment: Moment, but: str) -> None:
    """Make `to` the active node and place everybody there, telling each of them except `but`, who is not touched."""
    draft.head.placement.epoch += 1
    epoch = draft.head.placement.epoch
    del draft.head.placement.nodes[:]
    draft.head.placement.nodes.add(
        node_id=to.node_id, boot_id=to.boot_id, state=room_pb2.PLACED_NODE_STATE_ACTIVE
    )
    draft.emit(room_pb2.Event(placement_changed=room_pb2.PlacementChanged(epoch=epoch)))
    for participant in list(draft.participants()):
        if participant.id == but or not participant.HasField("place"):
            continue
        alive = moment.nodes.is_alive(node_of(participant.place), moment.now)
        moved = copied(participant)
        put_on(moved, to, draft)
        draft.put(moved)
        draft.emit(
            room_pb2.Event(
                participant_moved=room_pb2.ParticipantMoved(
                    participant_id=moved.id, epoch=epoch, make_before_break=alive
                )
            )
        )


def put_on(participant: room_pb2.Participant, node: NodeRef, draft: Draft) -> None:
    """Write a node into a participant's place."""
    participant.place.node_id = node.node_id
    participant.place.boot_id = node.boot_id
    participant.place.epoch = draft.head.placement.epoch
    draft.sent_to(node.node_id)


def no_node() -> SalonError:
    """Nobody can serve media now."""
    return SalonError(Code.UNAVAILABLE, "no media node is available right now: try again in a moment")
