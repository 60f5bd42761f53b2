"""The directory of media nodes, from their heartbeats, and the choice among them.

It says which nodes are alive and where the next participant goes. What moving people does to a room is in `places`.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from salon.rooms.v1 import presence_pb2

DEAD_AFTER = 3.0
"""Seconds without a heartbeat; they come each second."""
FORGOTTEN_AFTER = 60.0
CANDIDATES_FOR = 0.25
"""Seconds for which the list of candidates is used again; each choice checks that its node is still alive."""
SHOWS_AFTER = 5.0
"""Seconds until somebody who was sent to a node shows in its measured stress."""
STRESS_OF_ONE = 0.01
"""What one participant is expected to add."""


@dataclass
class _Node:
    beat: presence_pb2.NodeHeartbeat
    heard: float
    former_boot: str = ""
    sent: deque[float] = field(default_factory=deque)


def _takes_none(beat: presence_pb2.NodeHeartbeat) -> bool:
    return beat.mode in (presence_pb2.NODE_MODE_CORDONED, presence_pb2.NODE_MODE_DRAINING)


@dataclass(frozen=True)
class NodeRef:
    """One incarnation of a node."""

    node_id: str
    boot_id: str


class Directory:
    """Who beats, how stressed they are, and what was sent to them lately."""

    def __init__(self, started: float) -> None:
        self._nodes: dict[str, _Node] = {}
        self._warm_at = started + DEAD_AFTER
        self._candidates: list[str] = []
        self._listed_at = float("-inf")

    def handle_beat(self, beat: presence_pb2.NodeHeartbeat, now: float) -> None:
        """Take a heartbeat. Late ones, and those of a former incarnation, are dropped."""
        known = self._nodes.get(beat.node_id)
        if known is None:
            self._nodes[beat.node_id] = _Node(beat, now)
            self._listed_at = float("-inf")
            return
        if beat.boot_id == known.beat.boot_id:
            if beat.sequence <= known.beat.sequence:
                return
        elif beat.boot_id == known.former_boot:
            return
        else:
            known.former_boot = known.beat.boot_id
            known.sent.clear()
        if beat.mode != known.beat.mode or now - known.heard > DEAD_AFTER:
            self._listed_at = float("-inf")
        known.beat, known.heard = beat, now

    def handle_own_outage(self, now: float) -> None:
        """Take note that nothing could be heard until now: nobody is called dead before they had time to beat again."""
        self._warm_at = now + DEAD_AFTER
        for node in self._nodes.values():
            node.heard = now
        self._listed_at = float("-inf")

    def handle_sent(self, node_id: str, now: float) -> None:
        """A participant was sent to a node."""
        if node := self._nodes.get(node_id):
            node.sent.append(now)

    def is_alive(self, ref: NodeRef, now: float) -> bool:
        """Whether this incarnation beats. Those not heard of yet count as alive until every node had time to beat."""
        node = self._nodes.get(ref.node_id)
        if node is None:
            return now < self._warm_at
        return node.beat.boot_id == ref.boot_id and now - node.heard <= DEAD_AFTER

    def alive(self, now: float) -> dict[str, bool]:
        """The nodes that beat, each with whether it is draining."""
        return {
            key: _takes_none(node.beat) for key, node in self._nodes.items() if now - node.heard <= DEAD_AFTER
        }

    def choose(self, now: float, random: bytes, avoid: NodeRef | None = None) -> NodeRef | None:
        """The less stressed of two random nodes that beat and do not drain; None when there is none."""
        if now - self._listed_at > CANDIDATES_FOR:
            self._list_candidates(now)
        drawn = int.from_bytes(random)
        first = next(self._from(drawn, now, avoid), None)
        if first is None:
            return None
        others = self._from(drawn // len(self._candidates), now, avoid)
        second = next((node for node in others if node is not first), first)
        best = min(first, second, key=lambda node: (self._stress(node, now), node.beat.participants))
        return NodeRef(best.beat.node_id, best.beat.boot_id)

    def _from(self, start: int, now: float, avoid: NodeRef | None) -> Iterator[_Node]:
        """The candidates that may be taken, from a place in the ring on."""
        count = len(self._candidates)
        for step in range(count):
            node = self._nodes[self._candidates[(start + step) % count]]
            if now - node.heard <= DEAD_AFTER and avoid != NodeRef(node.beat.node_id, node.beat.boot_id):
                yield node

    def _list_candidates(self, now: float) -> None:
        for key in [key for key, node in self._nodes.items() if now - node.heard > FORGOTTEN_AFTER]:
            del self._nodes[key]
        self._candidates = sorted(key for key, draining in self.alive(now).items() if not draining)
        self._listed_at = now

    def _stress(self, node: _Node, now: float) -> float:
        """Measured, plus those sent who do not show yet: each fades as the measurement takes them in."""
        while node.sent and now - node.sent[0] >= SHOWS_AFTER:
            node.sent.popleft()
        hidden = sum(1 - (now - at) / SHOWS_AFTER for at in node.sent)
        return node.beat.stress + hidden * STRESS_OF_ONE
