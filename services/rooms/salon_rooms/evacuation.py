"""Has the rooms of dead nodes moved: at once when a node is found dead, and whatever was missed then at each sweep."""

import asyncio
import logging
from collections.abc import Callable

from salon_common.clock import Clock
from salon_common.errors import SalonError

from salon_rooms import metrics
from salon_rooms.core.entering import CHOICE_BYTES
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.places import spread_ms
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.relocating import Evacuate
from salon_rooms.core.replicas import Replicas
from salon_rooms.feed import Feed
from salon_rooms.store import StoreUnavailable
from salon_rooms.writer import Writers

_log = logging.getLogger(__name__)

MAX_AT_ONCE = 64
"""Rooms on their way; what does not fit waits for its turn."""
OWNER_SECONDS = 1.0
"""How long a room's own replica has for it: it may have died with the node. Then whoever looks moves the room."""


class Evacuation:
    """One replica's part in bringing people away from dead nodes."""

    def __init__(
        self,
        feed: Feed,
        writers: Writers,
        tracker: PresenceTracker,
        nodes: Directory,
        replicas: Replicas,
        clock: Clock,
        token_bytes: Callable[[int], bytes],
    ) -> None:
        self._feed = feed
        self._writers = writers
        self._occupants = tracker.occupants
        self._nodes = nodes
        self._replicas = replicas
        self._clock = clock
        self._token_bytes = token_bytes
        self._dead_since: dict[NodeRef, float] = {}
        self._rooms: set[str] = set()
        self._free = asyncio.Semaphore(MAX_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def on_dead(self, node: NodeRef) -> None:
        """A node was found dead just now."""
        self._dead_since.setdefault(node, self._clock.now())
        self._begin(self._empty(node))

    def look_again(self) -> None:
        """Move whoever is still placed on a node that is not alive. Called when the feed has just been followed."""
        now = self._clock.now()
        dead = [node for node in self._occupants.nodes() if not self._nodes.is_alive(node, now)]
        self._dead_since = {node: self._dead_since.get(node, now) for node in dead}
        for node in dead:
            self._move_rooms(node)

    async def close(self) -> None:
        """Let what is under way end."""
        await asyncio.gather(*list(self._tasks))

    async def _empty(self, node: NodeRef) -> None:
        """Those known to be there first; then those who came since the feed was followed last."""
        self._move_rooms(node)
        try:
            await self._feed.follow()
        except StoreUnavailable:
            return
        self._move_rooms(node)

    def _move_rooms(self, node: NodeRef) -> None:
        now = self._clock.now()
        rooms = self._occupants.rooms_on(node)
        if not rooms or self._nodes.choose(now, self._token_bytes(CHOICE_BYTES), avoid=node) is None:
            return
        survivors = sum(1 for takes_none in self._nodes.alive(now).values() if not takes_none)
        spread = spread_ms(self._occupants.people_on(node), survivors)
        since = self._dead_since.get(node, now)
        is_overdue = now - since > OWNER_SECONDS
        for room_id in rooms:
            if room_id not in self._rooms and (is_overdue or self._replicas.is_own(room_id, now)):
                self._rooms.add(room_id)
                self._begin(
                    self._move(room_id, Evacuate(node, self._token_bytes(CHOICE_BYTES), spread), since)
                )

    async def _move(self, room_id: str, command: Evacuate, since: float) -> None:
        extra = {"room": room_id, "node": command.node.node_id, "boot": command.node.boot_id}
        try:
            async with self._free:
                moved = await self._writers.submit(room_id, command)
        except SalonError as error:
            metrics.MOVES.labels("dead", "failed").inc()
            _log.warning("a room is still on a dead node: %s", error.message, extra=extra)
        except Exception:  # noqa: BLE001 - one room's fault is not the others'
            metrics.MOVES.labels("dead", "failed").inc()
            _log.exception("evacuation", extra=extra)
        else:
            if moved:
                metrics.MOVES.labels("dead", "done").inc()
                metrics.EVACUATION_SECONDS.observe(self._clock.now() - since)
                _log.info("moved away from a dead node", extra=extra)
        finally:
            self._rooms.discard(room_id)

    def _begin(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
