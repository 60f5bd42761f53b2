"""A replica's part in moving rooms: off dead nodes and off draining ones, as `salon_rooms.evacuation` and `mover` do it."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from model.sim import Process
from model.surroundings import Surroundings
from salon_common.errors import SalonError
from salon_rooms.core.command import Command
from salon_rooms.core.entering import CHOICE_BYTES
from salon_rooms.core.moving import Drain
from salon_rooms.core.occupants import Occupants
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.places import spread_ms
from salon_rooms.core.relocating import Evacuate, MoveRoom
from salon_rooms.core.replicas import Replicas
from salon_rooms.store import StoreUnavailable

OWNER_SECONDS = 1.0
"""As in `evacuation`: how long a room's own replica has for it."""


class ModelMoves:
    """Looks where people are, and has rooms moved."""

    def __init__(
        self,
        around: Surroundings,
        replica: Process,
        nodes: Directory,
        replicas: Replicas,
        occupants: Occupants,
        submit: Callable[[str, Command[Any]], Coroutine[Any, Any, Any]],
        follow: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._around = around
        self._replica = replica
        self._nodes = nodes
        self._replicas = replicas
        self._occupants = occupants
        self._submit = submit
        self._follow = follow
        self._dead_since: dict[NodeRef, float] = {}
        self._drains: dict[NodeRef, Drain] = {}
        self._moving: dict[str, tuple[NodeRef, int]] = {}

    def on_dead(self, node: NodeRef) -> None:
        """A node was found dead just now: those known to be there go first, then those who came since."""
        self._dead_since.setdefault(node, self._replica.now)
        self._evacuate(node)
        self._replica.spawn(self._evacuate_newcomers(node))

    def look_again(self) -> None:
        """The feed has just been followed."""
        now = self._replica.now
        dead = [node for node in self._occupants.nodes() if not self._nodes.is_alive(node, now)]
        self._dead_since = {node: self._dead_since.get(node, now) for node in dead}
        for node in dead:
            self._evacuate(node)
        draining = dict(self._nodes.draining(now))
        self._drains = {node: self._drains.get(node) or Drain() for node in draining}
        for node, deadline in draining.items():
            if self._replicas.is_own(node.node_id, now):
                self._empty(node, deadline - self._around.wall)

    async def _evacuate_newcomers(self, node: NodeRef) -> None:
        with suppress(StoreUnavailable):
            await self._follow()
            self._evacuate(node)

    def _evacuate(self, node: NodeRef) -> None:
        now = self._replica.now
        survivors = sum(1 for takes_none in self._nodes.alive(now).values() if not takes_none)
        spread = spread_ms(self._occupants.people_on(node), survivors)
        is_overdue = now - self._dead_since.get(node, now) > OWNER_SECONDS
        for room_id, people in self._occupants.rooms_on(node).items():
            if room_id not in self._moving and (is_overdue or self._replicas.is_own(room_id, now)):
                self._begin(room_id, node, people, Evacuate(node, self._random(), spread))

    def _empty(self, node: NodeRef, seconds_left: float) -> None:
        now = self._replica.now
        rooms = {r: n for r, n in self._occupants.rooms_on(node).items() if r not in self._moving}
        if not rooms or self._nodes.choose(now, self._random(), avoid=node) is None:
            return
        under_way = self._occupants.leaving(node, now)
        under_way += sum(people for of, people in self._moving.values() if of == node)
        for room_id in self._drains[node].next_rooms(rooms, under_way, seconds_left):
            self._begin(room_id, node, rooms[room_id], MoveRoom(node, self._random()))

    def _begin(self, room_id: str, node: NodeRef, people: int, command: Command[bool]) -> None:
        self._moving[room_id] = (node, people)
        self._replica.spawn(self._move(room_id, command))

    async def _move(self, room_id: str, command: Command[bool]) -> None:
        try:
            with suppress(SalonError):
                await self._submit(room_id, command)
        finally:
            del self._moving[room_id]

    def _random(self) -> bytes:
        return self._around.chance.bytes(CHOICE_BYTES)
