"""Which node serves a room, and where its people's media goes.

Until nodes relay to one another a room is on one active node; whenever that changes the epoch grows and everybody
goes along. A node that is left while it lives is leaving: it serves whom it still has until its deadline, so that they
can connect to the new one before they let go of it. A leaving node whose deadline has passed counts as gone, and goes out
of the placement with the room's next change (`Draft`).
"""

from collections.abc import Iterator

from salon.rooms.v1 import nodes_pb2, presence_pb2, room_pb2
from salon_common.errors import Code, SalonError

from salon_rooms.core.command import Moment
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.room import Draft, copied, is_over, timestamp

LEAVING_SECONDS = 15.0
"""How long a node that a room leaves goes on serving those whom it has."""
SETTLED_SECONDS = 5.0
"""How long it does once everybody is present at the new one: clients let go within 3.5 s of connecting there."""
SPREAD_MS_A_PERSON = 12
"""A node takes a rejoin in 8-10 ms of its processor."""
MAX_SPREAD_MS = 10_000
FEW = 3
"""So many rejoin at once without being in each other's way."""


def active_node(placement: room_pb2.Placement) -> NodeRef | None:
    """The node that takes new participants."""
    for node in placement.nodes:
        if node.state == room_pb2.PLACED_NODE_STATE_ACTIVE:
            return NodeRef(node.node_id, node.boot_id)
    return None


def leaving_nodes(placement: room_pb2.Placement, wall: float) -> Iterator[NodeRef]:
    """The nodes that still serve those whom they have."""
    for node in placement.nodes:
        if node.state == room_pb2.PLACED_NODE_STATE_LEAVING and not is_over(node, wall):
            yield NodeRef(node.node_id, node.boot_id)


def node_of(place: room_pb2.ParticipantPlace) -> NodeRef:
    """The incarnation that a place is on."""
    return NodeRef(place.node_id, place.boot_id)


def spread_ms(people: int, nodes: int) -> int:
    """Over how many milliseconds so many people rejoin on so many nodes."""
    if people <= FEW:
        return 0
    return min(SPREAD_MS_A_PERSON * people // max(nodes, 1), MAX_SPREAD_MS)


def must_leave(node: NodeRef, moment: Moment) -> bool:
    """Whether a room's next session had better be elsewhere: the node is dead or silent, takes nobody new, or cannot be
    asked to.
    """
    return (
        not moment.nodes.answers(node, moment.now)
        or moment.nodes.mode(node) == presence_pb2.NODE_MODE_DRAINING
        or moment.nodes.health(node, moment.now) == nodes_pb2.NODE_HEALTH_ISOLATED
    )


def takes_rooms(node: NodeRef, moment: Moment) -> bool:
    """Whether a room may be brought to a node."""
    return (
        moment.nodes.health(node, moment.now) == nodes_pb2.NODE_HEALTH_ALIVE
        and moment.nodes.mode(node) == presence_pb2.NODE_MODE_ACTIVE
    )


def take_place(draft: Draft, participant: room_pb2.Participant, moment: Moment, random: bytes) -> None:
    """Place a participant, a copy that the caller puts into the draft, on the room's active node, for a session of the
    placement's epoch; a node that must be left is replaced first. Raises SalonError UNAVAILABLE.
    """
    active = active_node(draft.head.placement)
    if active is None or must_leave(active, moment):
        chosen = moment.nodes.choose(moment.now, random, avoid=active)
        if chosen is not None:
            move_room(draft, chosen, moment, but=participant.id)
            active = chosen
        elif active is None or not moment.nodes.is_alive(active, moment.now):
            raise NoNodeError
    put_on(participant, active, draft)


def move_room(draft: Draft, to: NodeRef, moment: Moment, *, but: str = "", spread: int | None = None) -> None:
    """Make `to` the active node of a new epoch and place everybody there, telling each of them except `but`, who is not
    touched. The node that is left goes on for a while if it lives.
    """
    placement = draft.head.placement
    left = _living(placement, to, moment)
    placement.epoch += 1
    del placement.nodes[:]
    for node in left:
        placement.nodes.add(
            node_id=node.node_id,
            boot_id=node.boot_id,
            state=room_pb2.PLACED_NODE_STATE_LEAVING,
            deadline=timestamp(moment.wall + LEAVING_SECONDS),
        )
    placement.nodes.add(node_id=to.node_id, boot_id=to.boot_id, state=room_pb2.PLACED_NODE_STATE_ACTIVE)
    draft.emit(room_pb2.Event(placement_changed=room_pb2.PlacementChanged(epoch=placement.epoch)))

    movers = [p for p in draft.participants() if p.id != but and p.HasField("place")]
    within = spread_ms(len(movers), 1) if spread is None else spread
    for participant in movers:
        moved = copied(participant)
        put_on(moved, to, draft)
        draft.put(moved)
        told = room_pb2.ParticipantMoved(
            participant_id=moved.id,
            epoch=placement.epoch,
            make_before_break=_may_be_heard(participant, left),
            spread_ms=within,
        )
        draft.emit(room_pb2.Event(participant_moved=told))


def put_on(participant: room_pb2.Participant, node: NodeRef, draft: Draft) -> None:
    """Write a node, and the placement's epoch, into a participant's place. On another node they have yet to connect."""
    if node_of(participant.place) != node:
        participant.place.node_id = node.node_id
        participant.place.boot_id = node.boot_id
        participant.ClearField("unheard_at")
        if _is_present(participant):
            participant.state = room_pb2.PARTICIPANT_STATE_JOINING
        draft.sent_to(node.node_id)
    participant.place.epoch = draft.head.placement.epoch


def settle(draft: Draft, wall: float) -> None:
    """Let the leaving nodes go soon, once everybody is present on the active one."""
    left = [n for n in draft.head.placement.nodes if n.state == room_pb2.PLACED_NODE_STATE_LEAVING]
    if not left or any(p.HasField("place") and not _is_present(p) for p in draft.participants()):
        return
    for node in left:
        if not is_over(node, wall + SETTLED_SECONDS):
            node.deadline.CopyFrom(timestamp(wall + SETTLED_SECONDS))


class NoNodeError(SalonError):
    """Nobody can serve media now."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE, "no media node is available right now: try again in a moment")


def _is_present(participant: room_pb2.Participant) -> bool:
    return participant.state == room_pb2.PARTICIPANT_STATE_PRESENT


def _living(placement: room_pb2.Placement, to: NodeRef, moment: Moment) -> list[NodeRef]:
    """The nodes that may have people of the room, apart from the one that they go to."""
    active = active_node(placement)
    nodes = [*leaving_nodes(placement, moment.wall), *([active] if active else [])]
    return [node for node in nodes if node != to and moment.nodes.is_alive(node, moment.now)]


def _may_be_heard(participant: room_pb2.Participant, living: list[NodeRef]) -> bool:
    """Whether somebody may have media on a node that lives: their place's, or, while they were on their way there, one
    that was being left already.
    """
    return node_of(participant.place) in living or (
        bool(living) and participant.state == room_pb2.PARTICIPANT_STATE_JOINING
    )
