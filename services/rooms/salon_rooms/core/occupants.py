"""Where everybody is: an index of the store's participants by node, for evacuations, moves and listings."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import LEAVING_SECONDS

Key = tuple[str, str]
"""Room id and participant id."""


@dataclass
class _Whereabouts:
    node: NodeRef
    coming_from: NodeRef | None = None
    """The node that was left for this one, until the participant is present here."""
    since: float = 0.0


class Occupants:
    """The rooms of each node and how many people each has there; and who is on the way from a node to another."""

    def __init__(self) -> None:
        self._people: dict[Key, _Whereabouts] = {}
        self._rooms: dict[NodeRef, Counter[str]] = {}
        self._leavers: dict[NodeRef, set[Key]] = {}

    def handle_stored(
        self, room_id: str, participant_id: str, node: NodeRef, now: float, *, is_present: bool
    ) -> None:
        """A participant as the store has them now. An empty node id means that they have no place yet."""
        key = (room_id, participant_id)
        known = self._people.get(key)
        if known is None:
            self._people[key] = known = _Whereabouts(node)
            self._count(node, room_id, 1)
        elif node != known.node:
            self._arrived(key, known)
            self._count(known.node, room_id, -1)
            self._count(node, room_id, 1)
            if known.node.node_id:
                known.coming_from, known.since = known.node, now
                self._leavers.setdefault(known.node, set()).add(key)
            known.node = node
        if is_present:
            self._arrived(key, known)

    def handle_out(self, room_id: str, participant_id: str) -> None:
        """A participant is not in the room any more."""
        key = (room_id, participant_id)
        known = self._people.pop(key, None)
        if known is not None:
            self._arrived(key, known)
            self._count(known.node, room_id, -1)

    def nodes(self) -> list[NodeRef]:
        """The nodes that somebody is placed on."""
        return list(self._rooms)

    def rooms_on(self, node: NodeRef) -> Mapping[str, int]:
        """The rooms of a node, each with how many people it has there."""
        return dict(self._rooms.get(node, {}))

    def people_on(self, node: NodeRef) -> int:
        """How many people are placed on a node."""
        return sum(self._rooms.get(node, {}).values())

    def leaving(self, node: NodeRef, now: float) -> int:
        """How many people were moved away from a node and are not present elsewhere yet. Whoever has not arrived within the
        time that a node goes on is not waited for.
        """
        keys = self._leavers.get(node, set())
        return sum(1 for key in keys if now - self._people[key].since < LEAVING_SECONDS)

    def _count(self, node: NodeRef, room_id: str, change: int) -> None:
        if not node.node_id:
            return
        rooms = self._rooms.setdefault(node, Counter())
        rooms[room_id] += change
        if not rooms[room_id]:
            del rooms[room_id]
        if not rooms:
            del self._rooms[node]

    def _arrived(self, key: Key, known: _Whereabouts) -> None:
        if known.coming_from is None:
            return
        leavers = self._leavers[known.coming_from]
        leavers.discard(key)
        if not leavers:
            del self._leavers[known.coming_from]
        known.coming_from = None
