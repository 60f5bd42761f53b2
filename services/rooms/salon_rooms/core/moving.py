"""Which rooms leave a living node next: one that is being emptied, or one that is too hot.

Plans are made again at each look, from what is true then; what is remembered is only what cannot be seen: how full the node
was, how long it has been hot. Acting on them is the mover's business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from salon_rooms.core.placement import NodeRef

SHARE = 0.1
"""The part of a node's people that may be on the way at a time."""
WAVE_SECONDS = 4.0
"""How long those who are told to move take to be present elsewhere, at most, when all goes well."""

HOT = 0.85
HOT_SECONDS = 5.0
"""A peak is over sooner than its people would have moved."""
COOL = 0.6
STILL_COOL = 0.75
"""What a node may rise to by what is brought to it: far enough from hot not to send it back."""
RELIEVED = 0.8
PAUSE_SECONDS = 10.0
"""Between two rooms from one hot node: what was moved has to show first."""


class Drain:
    """A node that is being emptied: at most a tenth of its people are on the way at a time, or one room. More when the
    deadline would come first.
    """

    def __init__(self) -> None:
        self._people = 0

    def next_rooms(self, rooms: Mapping[str, int], under_way: int, seconds_left: float) -> list[str]:
        """The rooms to move now, of those with people on the node: the largest first, since they take as long as the rest."""
        left = sum(rooms.values()) + under_way
        self._people = max(self._people, left)
        limit = _limit(self._people, left, seconds_left)
        chosen: list[str] = []
        for room_id, people in _by_size(rooms, largest_first=True):
            if under_way == 0 or under_way + people <= limit:
                chosen.append(room_id)
                under_way += people
        return chosen


@dataclass(frozen=True)
class NodeLoad:
    """How a living node is doing."""

    node: NodeRef
    stress: float
    takes_rooms: bool


@dataclass(frozen=True)
class Relief:
    """A room to be brought from a hot node to a cool one."""

    room_id: str
    node: NodeRef
    to: NodeRef


class Rebalance:
    """The hot nodes of a region, and when each was relieved last."""

    def __init__(self) -> None:
        self._hot_since: dict[NodeRef, float] = {}
        self._relieved_at: dict[NodeRef, float] = {}

    def plan(
        self,
        loads: Sequence[NodeLoad],
        rooms_on: Callable[[NodeRef], Mapping[str, int]],
        is_own: Callable[[NodeRef], bool],
        now: float,
    ) -> list[Relief]:
        """What to move now from the hot nodes that this replica leads."""
        hot = {load.node: load for load in loads if load.stress > HOT}
        self._hot_since = {node: self._hot_since.get(node, now) for node in hot}
        self._relieved_at = {n: at for n, at in self._relieved_at.items() if now - at < PAUSE_SECONDS}
        reliefs: list[Relief] = []
        for node, load in hot.items():
            if now - self._hot_since[node] < HOT_SECONDS or node in self._relieved_at or not is_own(node):
                continue
            relief = _relieve(load, rooms_on(node), loads)
            if relief:
                self._relieved_at[node] = now
                reliefs.append(relief)
        return reliefs


def _limit(people: int, left: int, seconds_left: float) -> float:
    """How many may be on the way: a share of all, or what empties the node in as many waves as there is time for."""
    return max(SHARE * people, left * WAVE_SECONDS / max(seconds_left, WAVE_SECONDS))


def _relieve(hot: NodeLoad, rooms: Mapping[str, int], loads: Sequence[NodeLoad]) -> Relief | None:
    """The smallest room that makes the hot node cooler than hot, or else the largest that may go, to the coolest node that
    stays cool with it. A room's part of the stress is taken to be its part of the people.
    """
    cool = [load for load in loads if load.takes_rooms and load.stress < COOL and load.node != hot.node]
    if not cool or not rooms:
        return None
    to = min(cool, key=lambda load: (load.stress, load.node.node_id))
    people = sum(rooms.values())
    largest = max(SHARE * people, min(rooms.values()))
    share = {room_id: hot.stress * count / people for room_id, count in rooms.items()}
    may_go = [
        room_id
        for room_id, count in _by_size(rooms, largest_first=False)
        if count <= largest and to.stress + share[room_id] <= STILL_COOL
    ]
    if not may_go:
        return None
    helps = (room_id for room_id in may_go if hot.stress - share[room_id] <= RELIEVED)
    return Relief(next(helps, may_go[-1]), hot.node, to.node)


def _by_size(rooms: Mapping[str, int], *, largest_first: bool) -> list[tuple[str, int]]:
    return sorted(rooms.items(), key=lambda item: (-item[1] if largest_first else item[1], item[0]))
