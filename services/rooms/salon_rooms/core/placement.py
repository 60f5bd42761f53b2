"""The directory of media nodes: who is alive, by the evidence of each, and the choice among them.

What one node's evidence means is in `suspicion`; what moving people does to a room is in `places`. Verdicts fall in
`handle_*` and in `tick`, which is called ten times a second; what is asked in between is as of then.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from salon.rooms.v1 import nodes_pb2, presence_pb2

from salon_rooms.core.suspicion import (
    DEAD_AFTER,
    LATE_AFTER,
    Evidence,
    Health,
    ProbeOutcome,
    Watch,
)

FORGOTTEN_AFTER = 60.0
"""Seconds for which the dead are remembered."""
FORMERS = 16
"""Incarnations of one node that are remembered: what they still say is not taken for a newer one's."""
STALLED_AFTER = 1.0
"""Seconds without a tick after which this replica itself stood still, and heartbeats wait to be read."""
PROBES_AT_ONCE = 64
CANDIDATES_FOR = 0.25
"""Seconds for which the list of candidates is used again; each choice checks that its node is still alive."""
SHOWS_AFTER = 5.0
"""Seconds until somebody who was sent to a node shows in its measured stress."""
STRESS_OF_ONE = 0.01
"""What one participant is expected to add."""

_DEAD = nodes_pb2.NODE_HEALTH_DEAD
_DOUBTS = {
    presence_pb2.DOUBT_REASON_UNHEARD: Evidence.UNHEARD,
    presence_pb2.DOUBT_REASON_UNANSWERED: Evidence.UNANSWERED,
}


@dataclass(frozen=True)
class NodeRef:
    """One incarnation of a node."""

    node_id: str
    boot_id: str


@dataclass(frozen=True)
class ProbeWanted:
    """A node whose health port is to be asked now. It is not asked for again until the outcome is handled."""

    ref: NodeRef
    address: str


@dataclass(frozen=True)
class Verdict:
    """A node is thought of differently now."""

    ref: NodeRef
    health: Health
    evidence: Evidence


@dataclass
class _Node:
    beat: presence_pb2.NodeHeartbeat
    watch: Watch
    told: Health = nodes_pb2.NODE_HEALTH_ALIVE
    former: dict[str, float] = field(default_factory=dict)
    """Incarnations before this one, each with when it was condemned."""
    sent: deque[float] = field(default_factory=deque)

    @property
    def ref(self) -> NodeRef:
        return NodeRef(self.beat.node_id, self.beat.boot_id)


class Directory:
    """All nodes that were heard of lately: how each is, how stressed it is, and what was sent to it lately."""

    def __init__(self, started: float) -> None:
        self._nodes: dict[str, _Node] = {}
        """In the order of their last heartbeats."""
        self._suspects: dict[str, None] = {}
        self._strangers: dict[str, None] = {}
        self._verdicts: list[Verdict] = []
        self._warm_at = started + DEAD_AFTER
        self._ticked = started
        self._candidates: list[str] = []
        self._listed_at = float("-inf")

    # ---- evidence

    def handle_beat(self, beat: presence_pb2.NodeHeartbeat, now: float) -> None:
        """Take a heartbeat. Late ones, and those of a former incarnation, are dropped."""
        known = self._nodes.get(beat.node_id)
        if known is None or beat.boot_id != known.beat.boot_id:
            if known is None or beat.boot_id not in known.former:
                self._begin(beat, known, now)
            return
        if beat.sequence <= known.beat.sequence or not known.watch.handle_beat(now):
            return
        if beat.mode != known.beat.mode:
            self._listed_at = float("-inf")
        known.beat = beat
        self._nodes[beat.node_id] = self._nodes.pop(beat.node_id)
        self._judge(known, now)

    def handle_own_outage(self, now: float) -> None:
        """Take note that nothing could be heard until now: nobody is judged by silence before they had time to beat again."""
        self._warm_at = now + DEAD_AFTER
        for node in self._nodes.values():
            node.watch.handle_own_outage(now)
        self._listed_at = float("-inf")

    def handle_sent(self, node_id: str, now: float) -> None:
        """A participant was sent to a node."""
        if node := self._nodes.get(node_id):
            node.sent.append(now)

    def handle_disconnect(self, ref: NodeRef, now: float) -> None:
        """A node's connection to NATS has ended."""
        if node := self._find(ref):
            node.watch.handle_disconnect(now)
            self._judge(node, now)

    def handle_doubt(self, doubt: presence_pb2.NodeDoubt, now: float) -> None:
        """Somebody doubts a node: an ask, or a call without an answer."""
        node, evidence = self._find(NodeRef(doubt.node_id, doubt.boot_id)), _DOUBTS.get(doubt.reason)
        if node and evidence:
            asker = doubt.asker if evidence is Evidence.UNHEARD else ""
            node.watch.handle_doubt(evidence, asker, now)
            self._judge(node, now)

    def handle_probe(self, ref: NodeRef, outcome: ProbeOutcome, now: float) -> None:
        """A probe that was wanted has ended."""
        if node := self._find(ref):
            node.watch.handle_probe(outcome, now)
            self._judge(node, now)

    def tick(self, now: float) -> None:
        """Judge by the passing of time. A tick that comes late means that this replica itself stood still."""
        if now - self._ticked > STALLED_AFTER:
            self.handle_own_outage(now)
        self._ticked = now
        for node_id in list(self._suspects):
            self._judge(self._nodes[node_id], now)
        for node in self._late(now):
            self._judge(node, now)

    def poll_probes(self, now: float, limit: int = PROBES_AT_ONCE) -> list[ProbeWanted]:
        """The probes to be made now, at most `limit`; those who are suspected come first."""
        wanted: list[ProbeWanted] = []
        for node_id in (*self._suspects, *self._strangers):
            if len(wanted) == limit:
                break
            node = self._nodes[node_id]
            if node.watch.take_probe(now):
                wanted.append(ProbeWanted(node.ref, node.beat.health_address))
        return wanted

    def take_verdicts(self) -> list[Verdict]:
        """What changed since the last time."""
        taken, self._verdicts = self._verdicts, []
        return taken

    # ---- what is known

    def is_alive(self, ref: NodeRef, now: float) -> bool:
        """Whether this incarnation is not dead. Those never heard of count as alive until every node had time to beat."""
        node = self._nodes.get(ref.node_id)
        if node is None:
            return now < self._warm_at
        return node.beat.boot_id == ref.boot_id and node.watch.health != _DEAD

    def health(self, ref: NodeRef, now: float) -> Health:
        """What is thought of an incarnation."""
        if node := self._find(ref):
            return node.watch.health
        return nodes_pb2.NODE_HEALTH_SUSPECTED if self.is_alive(ref, now) else _DEAD

    def answers(self, ref: NodeRef, now: float) -> bool:
        """Whether an incarnation is neither dead, nor silent when it was probed last."""
        node = self._find(ref)
        return node.watch.answers if node else self.is_alive(ref, now)

    def is_probed(self, ref: NodeRef, now: float) -> bool:
        """Whether a suspicion waits for the outcome of a probe that is under way or wanted now."""
        node = self._find(ref)
        return node is not None and node.watch.is_probed(now)

    def mode(self, ref: NodeRef) -> presence_pb2.NodeMode.ValueType:
        """What a node was told to do; UNSPECIFIED for one that is not known."""
        node = self._find(ref)
        return _mode(node.beat) if node else presence_pb2.NODE_MODE_UNSPECIFIED

    def alive(self, now: float) -> dict[str, bool]:
        """The nodes that beat, each with whether it takes no rooms."""
        return {
            key: _mode(node.beat) != presence_pb2.NODE_MODE_ACTIVE
            for key, node in self._nodes.items()
            if node.watch.health != _DEAD and now - node.watch.heard <= DEAD_AFTER
        }

    def modes(self, now: float) -> list[presence_pb2.NodeMode.ValueType]:
        """What each of the nodes that beat is for."""
        return [_mode(self._nodes[node_id].beat) for node_id in self.alive(now)]

    def gone(self) -> set[str]:
        """The nodes whose processes are proved to have ended: no outage of something else explains their silence."""
        return {key for key, node in self._nodes.items() if node.watch.is_gone}

    def draining(self, now: float) -> list[tuple[NodeRef, float]]:
        """The nodes that are to be emptied, each with its deadline in Unix seconds; 0 when it gave none."""
        return [
            (node.ref, node.beat.drain_deadline.ToNanoseconds() / 1e9)
            for node in self._nodes.values()
            if node.beat.mode == presence_pb2.NODE_MODE_DRAINING and self.is_alive(node.ref, now)
        ]

    def dead(self, now: float) -> list[NodeRef]:
        """The incarnations condemned in the last 60 s. `is_alive` is false of the longer dead too, and of the unknown."""
        found: list[NodeRef] = []
        for node_id, node in self._nodes.items():
            condemned = node.former | {node.beat.boot_id: node.watch.condemned_at}
            found += [
                NodeRef(node_id, boot) for boot, at in condemned.items() if 0 <= now - at <= FORGOTTEN_AFTER
            ]
        return found

    def beats(self, now: float) -> list[tuple[presence_pb2.NodeHeartbeat, Health]]:
        """The last heartbeat of each node, by id, with what is thought of the node."""
        self._forget(now)
        return [(node.beat, node.watch.health) for _, node in sorted(self._nodes.items())]

    # ---- the choice

    def choose(self, now: float, random: bytes, avoid: NodeRef | None = None) -> NodeRef | None:
        """The less stressed of two random nodes that are alive and take rooms; None when there is none."""
        if now - self._listed_at > CANDIDATES_FOR:
            self._list_candidates(now)
        return self._choose_of(_is_well, now, random, avoid) or self._choose_of(
            _may_be_well, now, random, avoid
        )

    def _choose_of(
        self, takes: Callable[[_Node, float], bool], now: float, random: bytes, avoid: NodeRef | None
    ) -> NodeRef | None:
        def ring(start: int) -> Iterator[_Node]:
            """The candidates that may be taken, from a place in the ring on."""
            count = len(self._candidates)
            for step in range(count):
                node = self._nodes.get(self._candidates[(start + step) % count])
                if node and takes(node, now) and (avoid is None or avoid != node.ref):
                    yield node

        drawn = int.from_bytes(random)
        first = next(ring(drawn), None)
        if first is None:
            return None
        others = ring(drawn // len(self._candidates))
        second = next((node for node in others if node is not first), first)
        return min(first, second, key=lambda node: (self._stress(node, now), node.beat.participants)).ref

    def _list_candidates(self, now: float) -> None:
        self._forget(now)
        self._candidates = sorted(
            key
            for key, node in self._nodes.items()
            if _mode(node.beat) == presence_pb2.NODE_MODE_ACTIVE and _may_be_well(node, now)
        )
        self._listed_at = now

    def _stress(self, node: _Node, now: float) -> float:
        """Measured, plus those sent who do not show yet: each fades as the measurement takes them in."""
        while node.sent and now - node.sent[0] >= SHOWS_AFTER:
            node.sent.popleft()
        hidden = sum(1 - (now - at) / SHOWS_AFTER for at in node.sent)
        return node.beat.stress + hidden * STRESS_OF_ONE

    # ---- inside

    def _find(self, ref: NodeRef) -> _Node | None:
        node = self._nodes.get(ref.node_id)
        return node if node and node.beat.boot_id == ref.boot_id else None

    def _begin(self, beat: presence_pb2.NodeHeartbeat, known: _Node | None, now: float) -> None:
        """A new incarnation: whatever had the name before is gone."""
        made = _Node(beat, Watch(now, has_address=bool(beat.health_address)))
        if known:
            if known.watch.health != _DEAD:
                known.watch.condemn(Evidence.RESTARTED, now)
                self._judge(known, now)
            formers = [*known.former.items(), (known.beat.boot_id, known.watch.condemned_at)]
            made.former = dict(formers[-FORMERS:])
            del self._nodes[beat.node_id]
        self._nodes[beat.node_id] = made
        self._listed_at = float("-inf")
        self._judge(made, now)

    def _judge(self, node: _Node, now: float) -> None:
        node_id = node.beat.node_id
        node.watch.judge(now, anybody_heard=self._hears_anybody(now))
        if node.watch.health != node.told:
            node.told = node.watch.health
            self._verdicts.append(Verdict(node.ref, node.told, node.watch.evidence))
            if node.told == nodes_pb2.NODE_HEALTH_ALIVE:
                self._listed_at = float("-inf")
        _keep(self._suspects, node_id, node.watch.is_suspected)
        _keep(self._strangers, node_id, node.watch.is_stranger)

    def _hears_anybody(self, now: float) -> bool:
        """Whether any node was heard lately: the last in the order of heartbeats. One that is judged by its silence is not it."""
        last = next(reversed(self._nodes.values()))
        return now - last.watch.heard <= LATE_AFTER

    def _late(self, now: float) -> list[_Node]:
        """Those whose heartbeat is late: the first ones, as the order is that of the heartbeats."""
        found: list[_Node] = []
        for node in self._nodes.values():
            if now - node.watch.heard <= LATE_AFTER:
                break
            found.append(node)
        return found

    def _forget(self, now: float) -> None:
        for key in [k for k, node in self._nodes.items() if now - node.watch.condemned_at > FORGOTTEN_AFTER]:
            del self._nodes[key]


def _keep(ids: dict[str, None], node_id: str, belongs: bool) -> None:
    if belongs:
        ids[node_id] = None
    else:
        ids.pop(node_id, None)


def _mode(beat: presence_pb2.NodeHeartbeat) -> presence_pb2.NodeMode.ValueType:
    return beat.mode or presence_pb2.NODE_MODE_ACTIVE


def _is_well(node: _Node, now: float) -> bool:
    """Heard, and nothing speaks against it."""
    return node.watch.health == nodes_pb2.NODE_HEALTH_ALIVE and now - node.watch.heard <= DEAD_AFTER


def _may_be_well(node: _Node, now: float) -> bool:
    """In need: suspected, while the probe that settles it is awaited. A try there is better than none."""
    suspected = node.watch.health == nodes_pb2.NODE_HEALTH_SUSPECTED and node.watch.answers
    return _is_well(node, now) or (suspected and now - node.watch.heard <= DEAD_AFTER)
