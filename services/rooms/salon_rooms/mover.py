"""Has rooms moved away from living nodes: from those that are being emptied, and from those that are too hot.

Each node has one replica that leads this. Which rooms go next is decided in `core.moving`.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_common.clock import Clock
from salon_common.errors import SalonError

from salon_rooms import metrics
from salon_rooms.core.entering import CHOICE_BYTES
from salon_rooms.core.moving import Drain, NodeLoad, Rebalance
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.relocating import MoveRoom
from salon_rooms.core.replicas import Replicas
from salon_rooms.writer import Writers

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Moving:
    node: NodeRef
    people: int
    task: asyncio.Task[None]


class Mover:
    """One replica's part in moving rooms that could stay where they are."""

    def __init__(
        self,
        writers: Writers,
        tracker: PresenceTracker,
        nodes: Directory,
        replicas: Replicas,
        clock: Clock,
        token_bytes: Callable[[int], bytes],
    ) -> None:
        self._writers = writers
        self._occupants = tracker.occupants
        self._nodes = nodes
        self._replicas = replicas
        self._clock = clock
        self._token_bytes = token_bytes
        self._drains: dict[NodeRef, Drain] = {}
        self._rebalance = Rebalance()
        self._moving: dict[str, _Moving] = {}

    def look_again(self) -> None:
        """Begin the moves that are due. Called when the feed has just been followed."""
        now = self._clock.now()
        draining = dict(self._nodes.draining(now))
        self._drains = {node: self._drains.get(node) or Drain() for node in draining}
        for node, deadline in draining.items():
            if self._replicas.is_own(node.node_id, now):
                self._empty(node, deadline - self._clock.wall() if deadline else float("inf"), now)
        self._cool(now)

    async def close(self) -> None:
        """Let what is under way end."""
        await asyncio.gather(*(moving.task for moving in list(self._moving.values())))

    def _empty(self, node: NodeRef, seconds_left: float, now: float) -> None:
        rooms = {r: n for r, n in self._occupants.rooms_on(node).items() if r not in self._moving}
        if not rooms or self._nodes.choose(now, self._token_bytes(CHOICE_BYTES), avoid=node) is None:
            return
        told = sum(moving.people for moving in self._moving.values() if moving.node == node)
        under_way = self._occupants.leaving(node, now) + told
        for room_id in self._drains[node].next_rooms(rooms, under_way, seconds_left):
            self._begin(room_id, MoveRoom(node, self._token_bytes(CHOICE_BYTES)), rooms[room_id], "drain")

    def _cool(self, now: float) -> None:
        loads = [
            _load(beat, health)
            for beat, health in self._nodes.beats(now)
            if health == nodes_pb2.NODE_HEALTH_ALIVE and beat.mode != presence_pb2.NODE_MODE_DRAINING
        ]
        reliefs = self._rebalance.plan(
            loads, self._occupants.rooms_on, lambda node: self._replicas.is_own(node.node_id, now), now
        )
        for relief in reliefs:
            if relief.room_id not in self._moving:
                command = MoveRoom(relief.node, self._token_bytes(CHOICE_BYTES), relief.to)
                people = self._occupants.rooms_on(relief.node)[relief.room_id]
                self._begin(relief.room_id, command, people, "hot")

    def _begin(self, room_id: str, command: MoveRoom, people: int, why: str) -> None:
        task = asyncio.get_running_loop().create_task(self._move(room_id, command, people, why))
        self._moving[room_id] = _Moving(command.node, people, task)

    async def _move(self, room_id: str, command: MoveRoom, people: int, why: str) -> None:
        extra = {"room": room_id, "node": command.node.node_id, "people": people, "why": why}
        try:
            moved = await self._writers.submit(room_id, command)
        except SalonError as error:
            metrics.MOVES.labels(why, "failed").inc()
            _log.warning("a room could not be moved: %s", error.message, extra=extra)
        except Exception:  # noqa: BLE001 - one room's fault is not the others'
            metrics.MOVES.labels(why, "failed").inc()
            _log.exception("a move failed", extra=extra)
        else:
            if moved:
                metrics.MOVES.labels(why, "done").inc()
                _log.info("moved", extra=extra)
        finally:
            del self._moving[room_id]


def _load(beat: presence_pb2.NodeHeartbeat, health: nodes_pb2.NodeHealth.ValueType) -> NodeLoad:
    takes_rooms = beat.mode in (presence_pb2.NODE_MODE_ACTIVE, presence_pb2.NODE_MODE_UNSPECIFIED)
    return NodeLoad(NodeRef(beat.node_id, beat.boot_id), beat.stress, takes_rooms)
