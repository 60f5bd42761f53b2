"""What it means for a room that its people hear their node no more.

One who asks is first of all given a new session: their own network may be what failed. The room leaves the node when the
node does not answer either, or when most of its people ask: a node whose media port alone is cut off answers all who
probe it.
"""

from collections.abc import Iterable

from salon.rooms.v1 import room_pb2

from salon_rooms.core.command import Moment
from salon_rooms.core.places import move_room, node_of
from salon_rooms.core.room import Draft, timestamp

ASKED_WITHIN = 5.0
"""Seconds for which an ask speaks against the node."""


def is_unheard(participant: room_pb2.Participant, epoch: int) -> bool:
    """Whether somebody's present place is the one that fell silent; 0 means that none did."""
    return epoch != 0 and participant.HasField("place") and participant.place.epoch == epoch


def note_unheard(draft: Draft, participant: room_pb2.Participant, moment: Moment, random: bytes) -> None:
    """Take note that a participant, a copy that the caller puts into the draft, hears their node no more; the room
    leaves the node if that is called for, and if there is another.
    """
    participant.unheard_at.CopyFrom(timestamp(moment.wall))
    node = node_of(participant.place)
    everybody = [participant, *(other for other in draft.participants() if other.id != participant.id)]
    if moment.nodes.answers(node, moment.now) and not most_ask(everybody, moment.wall):
        return
    chosen = moment.nodes.choose(moment.now, random, avoid=node)
    if chosen is not None:
        move_room(draft, chosen, moment, but=participant.id)


def most_ask(people: Iterable[room_pb2.Participant], wall: float) -> bool:
    """Whether more than half of those who are present, or were until they asked, have asked lately."""
    asked = others = 0
    for participant in people:
        if _asks(participant, wall):
            asked += 1
        elif participant.state == room_pb2.PARTICIPANT_STATE_PRESENT:
            others += 1
    return asked > others


def _asks(participant: room_pb2.Participant, wall: float) -> bool:
    if not participant.HasField("unheard_at"):
        return False
    return participant.unheard_at.ToMicroseconds() > (wall - ASKED_WITHIN) * 1e6
