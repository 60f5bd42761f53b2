"""Which media pod Kubernetes should delete first when it needs fewer: the one with the fewest people, since all of them are moved.

Kubernetes deletes the pod with the lowest `controller.kubernetes.io/pod-deletion-cost` first, among those that are ready. A
pod's cost is the number of its people. What it has now is read from the pods, so that nothing here outlives a restart but the
rate: each write is a write of the whole pod, so costs follow people roughly, and seldom.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from salon.rooms.v1 import nodes_pb2, presence_pb2

DRAINING_COST: Final = -1
"""A node that is being emptied takes nobody: without it nothing is lost, whoever is still there."""
DEAD_COST: Final = -2

STEP: Final = 5
"""A cost is written again when it is off by more people than this …"""
SHARE: Final = 0.2
"""… and by more than this part of what is written."""
POD_SECONDS: Final = 30.0
"""At least so long between two writes to one pod."""
AT_ONCE: Final = 10
"""Pods written in one round; the others wait for the next."""


@dataclass(frozen=True)
class Pod:
    """A media pod, as Kubernetes has it. Its name is its node's id."""

    name: str
    cost: int
    """What is written there; without anything Kubernetes takes 0."""


@dataclass(frozen=True)
class CostPatch:
    """A cost to be written."""

    pod: str
    cost: int


class Scaling:
    """The costs of a region's media pods."""

    def __init__(self) -> None:
        self._written: dict[str, float] = {}

    def plan(self, nodes: Iterable[nodes_pb2.NodeStatus], pods: Sequence[Pod], now: float) -> list[CostPatch]:
        """What to write now: those that are furthest off first. They count as written."""
        self._written = {name: at for name, at in self._written.items() if now - at < POD_SECONDS}
        costs = {node.node_id: cost_of(node) for node in nodes}
        due = [(off, pod.name, cost) for pod in pods for off, cost in self._due(pod, costs)]
        patches = [CostPatch(name, cost) for _, name, cost in sorted(due, key=_furthest_first)[:AT_ONCE]]
        self._written |= {patch.pod: now for patch in patches}
        return patches

    def _due(self, pod: Pod, costs: Mapping[str, int]) -> list[tuple[float, int]]:
        """By how much a pod's cost is off, and what it should be; nothing when it may stay."""
        wanted = costs.get(pod.name)
        if wanted is None or pod.name in self._written or not is_off(pod.cost, wanted):
            return []
        return [(abs(wanted - pod.cost), wanted)]


def cost_of(node: nodes_pb2.NodeStatus) -> int:
    """What deleting a node's pod costs: its people, with those on their way to it."""
    if node.health == nodes_pb2.NODE_HEALTH_DEAD:
        return DEAD_COST
    if node.mode == presence_pb2.NODE_MODE_DRAINING:
        return DRAINING_COST
    return max(node.participants, node.placed)


def is_off(written: int, wanted: int) -> bool:
    """Whether a cost has to be written: it is far off, or wrong about whether there is anybody to be moved."""
    if min(written, wanted) <= 0:
        return written != wanted
    return abs(wanted - written) > max(STEP, SHARE * written)


def _furthest_first(due: tuple[float, str, int]) -> tuple[float, str]:
    off, name, _ = due
    return -off, name
