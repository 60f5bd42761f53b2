"""Media pods under an autoscaler: they start late, are measured late and roughly, get rooms, are drained and end.

Who leaves a draining or hot node next, and which pod is deleted first, is decided by the services' own code.
"""

import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from autoscaling.demand import Room
from autoscaling.hpa import SYNC_SECONDS, Autoscaler, Sample
from salon.rooms.v1 import nodes_pb2
from salon_rooms.core import scaling
from salon_rooms.core.moving import Drain, NodeLoad, Rebalance
from salon_rooms.core.placement import NodeRef

TICK: Final = 5.0
FILLS_SECONDS: Final = 60.0
"""Until all are in a new room, by quarters."""
MEASURED_SECONDS: Final = 30.0
"""What a CPU figure is an average over; the autoscaler hears it one sync later."""
NOISE: Final = 0.05
CORES: Final = 1.5
"""What a node can use: more than the one core that its stress is measured by, and less than twice."""

MAX_PARTICIPANTS: Final = 400
"""As SALON_MEDIA_MAX_PARTICIPANTS is by default."""


class Signal(Protocol):
    """What the autoscaler looks at: one pod's figure."""

    def __call__(self, pod: "Pod") -> float:
        """The figure now."""
        ...


@dataclass(eq=False)
class Pod:
    """One media node."""

    name: str
    created: float
    ready_at: float
    rooms: dict[str, Room] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    """What part of each room's people is in."""
    load: float = 0.0
    people: float = 0.0
    drain: Drain | None = None
    told: set[str] = field(default_factory=set)
    """Rooms that are on their way elsewhere: that takes one tick."""
    ends_at: float = 0.0
    cost: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=round(MEASURED_SECONDS / TICK)))
    heard: float | None = None
    measured: float | None = None

    @property
    def ref(self) -> NodeRef:
        """Its node."""
        return NodeRef(self.name, "b")

    def add(self, room: Room, share: float) -> None:
        """Some more of a room's people come."""
        self.rooms[room.name] = room
        self.shares[room.name] = self.shares.get(room.name, 0.0) + share
        self._count(room, share)

    def take(self, name: str) -> tuple[Room, float]:
        """A room goes, with all who are in."""
        room, share = self.rooms.pop(name), self.shares.pop(name)
        self._count(room, -share)
        return room, share

    def counts(self) -> dict[str, int]:
        """The people of each room."""
        return {name: max(1, round(room.people * self.shares[name])) for name, room in self.rooms.items()}

    def _count(self, room: Room, share: float) -> None:
        self.load += share * room.load
        self.people += share * room.people


@dataclass
class Moment:
    """What was so at one tick."""

    at: float
    pods: int
    """Those that serve; the ones that drain are paid for too."""
    draining: int
    load: float
    overloaded: int
    people_overloaded: float
    people: float


@dataclass
class History:
    """What came of a day."""

    moments: list[Moment] = field(default_factory=list)
    scalings: list[tuple[float, int]] = field(default_factory=list)
    """When, and to how many more or fewer."""
    dropped: int = 0
    """Rooms that were still on a pod when its drain was over."""
    refused: int = 0
    """Rooms that found no pod."""
    moved_people: float = 0.0
    drains: list[float] = field(default_factory=list)
    """How long each took."""


class World:
    """A deployment of media nodes and its autoscaler."""

    def __init__(
        self,
        autoscaler: Autoscaler,
        *,
        pods: int,
        seed: int,
        drain_seconds: float,
        signal: Signal,
        emptiest_first: bool = True,
    ) -> None:
        """So many pods at first. Without `emptiest_first` nobody writes what deleting a pod costs."""
        self.history = History()
        self._autoscaler = autoscaler
        self._signal = signal
        self._drain_seconds = drain_seconds
        self._emptiest_first = emptiest_first
        self._chance = random.Random(seed)
        self._numbers = iter(range(1_000_000))
        self._pods = [self._new_pod(0.0, 0.0) for _ in range(pods)]
        self._ending: list[Pod] = []
        self._rebalance = Rebalance()
        self._scaling = scaling.Scaling()

    def play(self, rooms: Iterable[Room], seconds: float) -> History:
        """Let a stretch of time pass."""
        events = _events(rooms)
        event = next(events, None)
        for number in range(round(seconds / TICK)):
            now = number * TICK
            while event is not None and event[0] <= now:
                self._happen(event[1], event[2], now)
                event = next(events, None)
            self._tick(now)
        return self.history

    # ---- rooms

    def _happen(self, room: Room, share: float, now: float) -> None:
        pod = next((each for each in (*self._pods, *self._ending) if room.name in each.rooms), None)
        if share == 0.0:
            if pod is not None:
                pod.take(room.name)
            return
        if pod is None:
            pod = self._choose(now)
        if pod is None:
            self.history.refused += 1
        else:
            pod.add(room, share)

    def _choose(self, now: float) -> Pod | None:
        """The less loaded of two."""
        ready = [pod for pod in self._pods if pod.ready_at <= now]
        pair = self._chance.sample(ready, min(2, len(ready)))
        return min(pair, key=lambda pod: pod.load, default=None)

    def _move(self, pod: Pod, name: str, to: Pod) -> None:
        room, share = pod.take(name)
        to.add(room, share)
        self.history.moved_people += share * room.people

    # ---- time

    def _tick(self, now: float) -> None:
        self._end_drained(now)
        self._relieve(now)
        if self._emptiest_first:
            self._write_costs(now)
        if now % SYNC_SECONDS == 0:
            self._measure(now)
            self._sync(now)
        for pod in self._pods:
            pod.recent.append(self._signal(pod))
        self._note(now)

    def _end_drained(self, now: float) -> None:
        for pod in list(self._ending):
            for name in sorted(pod.told & pod.rooms.keys()):
                if to := self._choose(now):
                    self._move(pod, name, to)
            if not pod.rooms or now >= pod.ends_at:
                self.history.dropped += len(pod.rooms)
                self.history.drains.append(now - (pod.ends_at - self._drain_seconds))
                self._ending.remove(pod)
            else:
                assert pod.drain is not None
                pod.told = set(pod.drain.next_rooms(pod.counts(), 0, pod.ends_at - now))

    def _relieve(self, now: float) -> None:
        by_ref = {pod.ref: pod for pod in self._pods if pod.ready_at <= now}
        loads = [NodeLoad(ref, pod.load, takes_rooms=True) for ref, pod in by_ref.items()]
        for relief in self._rebalance.plan(loads, lambda ref: by_ref[ref].counts(), lambda _ref: True, now):
            self._move(by_ref[relief.node], relief.room_id, by_ref[relief.to])

    def _write_costs(self, now: float) -> None:
        nodes = [
            nodes_pb2.NodeStatus(node_id=pod.name, participants=round(pod.people))
            for pod in self._pods
            if pod.ready_at <= now
        ]
        by_name = {pod.name: pod for pod in self._pods}
        for patch in self._scaling.plan(nodes, [scaling.Pod(p.name, p.cost) for p in self._pods], now):
            by_name[patch.pod].cost = patch.cost

    def _measure(self, now: float) -> None:
        for pod in self._pods:
            pod.heard = pod.measured
            if pod.ready_at <= now and pod.recent:
                pod.measured = sum(pod.recent) / len(pod.recent) * self._chance.gauss(1.0, NOISE)

    def _sync(self, now: float) -> None:
        samples = [Sample(pod.ready_at <= now, pod.heard) for pod in self._pods]
        wanted = self._autoscaler.sync(len(self._pods), samples, now)
        change = wanted - len(self._pods)
        if not change:
            return
        self.history.scalings.append((now, change))
        for _ in range(change):
            self._pods.append(self._new_pod(now, now + self._start_seconds()))
        for pod in sorted(self._pods, key=lambda pod: _deletion_rank(pod, now))[: max(0, -change)]:
            self._pods.remove(pod)
            pod.drain, pod.ends_at = Drain(), now + self._drain_seconds
            self._ending.append(pod)

    def _new_pod(self, now: float, ready_at: float) -> Pod:
        return Pod(f"media-{next(self._numbers)}", now, ready_at)

    def _start_seconds(self) -> float:
        """A pod starts soon where there is room for it; one in four waits for a new machine."""
        uniform = self._chance.uniform
        return uniform(20, 40) if uniform(0, 1) < 0.75 else uniform(90, 180)

    def _note(self, now: float) -> None:
        everywhere = (*self._pods, *self._ending)
        hot = [pod for pod in everywhere if pod.load > 1.0]
        moment = Moment(
            now,
            len(self._pods),
            len(self._ending),
            sum(pod.load for pod in everywhere),
            len(hot),
            sum(pod.people for pod in hot),
            sum(pod.people for pod in everywhere),
        )
        self.history.moments.append(moment)


def cpu(pod: Pod) -> float:
    """The processor's share, as metrics.k8s.io has it."""
    return min(pod.load, CORES)


def people(pod: Pod) -> float:
    """How many are there, whatever they cost."""
    return pod.people


def stress(pod: Pod) -> float:
    """What a node says of itself: the processor's share, or its share of the participants it may have."""
    return max(cpu(pod), pod.people / MAX_PARTICIPANTS)


def _deletion_rank(pod: Pod, now: float) -> tuple[bool, int, float]:
    """The ReplicaSet's order: those that are not ready first, then the cheapest, then the newest."""
    return pod.ready_at <= now, pod.cost, -pod.created


def _events(rooms: Iterable[Room]) -> Iterator[tuple[float, Room, float]]:
    """Every coming, by quarters of a room, and every end (a share of 0), in order."""
    found: list[tuple[float, str, Room, float]] = []
    for room in rooms:
        fills = min(FILLS_SECONDS, (room.ends - room.begins) / 2)
        found += [(room.begins + fills * quarter / 4, room.name, room, 0.25) for quarter in range(4)]
        found.append((room.ends, room.name, room, 0.0))
    found.sort(key=lambda event: event[:2])
    return ((at, room, share) for at, _, room, share in found)
