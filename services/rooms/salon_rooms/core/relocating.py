"""Commands that bring a whole room to another node. Each does nothing when the room is not where it was thought to be: who
gives them looks again later.
"""

from dataclasses import dataclass

from salon_rooms.core.command import Command, Moment, Outcome
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import NoNodeError, active_node, move_room, takes_rooms
from salon_rooms.core.room import Draft, Room


@dataclass(frozen=True)
class Evacuate(Command[bool]):
    """The room's node is dead. The reply is whether the room was moved."""

    node: NodeRef
    random: bytes
    """CHOICE_BYTES."""
    spread_ms: int
    """Over how long everybody who was on the node comes back to the others."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[bool]:
        """Moves the room. Raises SalonError UNAVAILABLE when no node is left."""
        if room is None or not _is_on(room, self.node) or moment.nodes.is_alive(self.node, moment.now):
            return Outcome(reply=False)
        chosen = moment.nodes.choose(moment.now, self.random, avoid=self.node)
        if chosen is None:
            raise NoNodeError
        draft = Draft(room, moment.wall)
        move_room(draft, chosen, moment, spread=self.spread_ms)
        return Outcome(reply=True, change=draft.change())


@dataclass(frozen=True)
class MoveRoom(Command[bool]):
    """The room is to leave a living node. The reply is whether it was moved."""

    node: NodeRef
    random: bytes
    """CHOICE_BYTES."""
    to: NodeRef | None = None
    """Where to, and nowhere else; any other node when not given."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[bool]:
        """Moves the room. Raises SalonError UNAVAILABLE when no node can take it."""
        if room is None or not _is_on(room, self.node):
            return Outcome(reply=False)
        chosen = self._target(moment)
        if chosen is None:
            raise NoNodeError
        draft = Draft(room, moment.wall)
        move_room(draft, chosen, moment)
        return Outcome(reply=True, change=draft.change())

    def _target(self, moment: Moment) -> NodeRef | None:
        if self.to is None:
            return moment.nodes.choose(moment.now, self.random, avoid=self.node)
        return self.to if self.to != self.node and takes_rooms(self.to, moment) else None


def _is_on(room: Room, node: NodeRef) -> bool:
    return not room.ended and active_node(room.head.placement) == node
