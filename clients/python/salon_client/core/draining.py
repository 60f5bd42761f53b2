"""How the draining of a node goes, as somebody sees it who looks at the list of nodes now and then."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from salon.rooms.v1 import nodes_pb2, presence_pb2

UNSEEN_SECONDS = 5.0
"""A node says its mode in heartbeats, and replicas hear them apart: so long the list may not show it yet."""
OVERDUE_SECONDS = 5.0
"""What the deadline ended is gone from the list so long after it."""


class Drain(Enum):
    """How far it is."""

    GOING_ON = "people are being moved"
    EMPTY = "nobody is left"
    CUT = "the deadline ended what was left"
    STOPPED = "somebody told the node something else"
    DIED = "the node is gone"


@dataclass(frozen=True)
class Left:
    """What is left on the node."""

    people: int
    rooms: int
    seconds: float
    """Until the deadline."""


class DrainWatch:
    """Follows one node from being told to drain. Times are wall-clock seconds."""

    def __init__(self, told: nodes_pb2.NodeStatus, now: float) -> None:
        self._node_id = told.node_id
        self._boot_id = told.boot_id
        self._told_at = now
        self._deadline = told.drain_deadline.ToNanoseconds() / 1e9
        self._left = _left(told, self._deadline - now)
        self._people_at_deadline: int | None = None

    @property
    def left(self) -> Left:
        """What was left at the last look."""
        return self._left

    @property
    def cut(self) -> int:
        """How many people the deadline ended."""
        return self._people_at_deadline or 0

    def look(self, nodes: Sequence[nodes_pb2.NodeStatus], now: float) -> Drain:
        """Take a list of nodes."""
        node = next((each for each in nodes if each.node_id == self._node_id), None)
        late = now - self._deadline
        if late >= 0 and self._people_at_deadline is None:
            self._people_at_deadline = self._left.people
        if node is None or node.boot_id != self._boot_id or node.health == nodes_pb2.NODE_HEALTH_DEAD:
            return Drain.CUT if self.cut else Drain.DIED
        if node.mode != presence_pb2.NODE_MODE_DRAINING:
            return Drain.GOING_ON if now - self._told_at < UNSEEN_SECONDS else Drain.STOPPED
        self._left = _left(node, -late)
        if self._left.people == 0 and self._left.rooms == 0:
            return Drain.CUT if self.cut else Drain.EMPTY
        return Drain.CUT if late >= OVERDUE_SECONDS else Drain.GOING_ON


def _left(node: nodes_pb2.NodeStatus, seconds: float) -> Left:
    # Placed: who should be there. Participants: who still has a session there.
    return Left(max(node.placed, node.participants), node.rooms, max(0.0, seconds))
