"""Keeps rooms true to who is there: has the lost taken out and the heard made present, in this replica's share of the
rooms.

Every replica tracks everybody, so that a share can change hands at once; who is lost is decided in `core.presence`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from salon_common.clock import Clock
from salon_common.errors import SalonError

from salon_rooms import metrics
from salon_rooms.core.placement import Directory
from salon_rooms.core.presence import HeardParticipant, LostParticipant, PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.room import Removal
from salon_rooms.core.staying import Connected, Lost, Vouched
from salon_rooms.feed import Feed
from salon_rooms.store import StoreUnavailable
from salon_rooms.writer import Writers

_log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
MAX_AT_ONCE = 200
"""Commands of the sweep under way; what does not fit is found again at the next tick or report."""


class Sweeper:
    """One replica's part in presence."""

    def __init__(
        self,
        feed: Feed,
        writers: Writers,
        tracker: PresenceTracker,
        nodes: Directory,
        replicas: Replicas,
        clock: Clock,
        remove: Callable[[Removal], None],
        on_swept: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_swept` is called when the feed has just been followed and presence judged: whoever looks at where people are
        looks then.
        """
        self._feed = feed
        self._writers = writers
        self._tracker = tracker
        self._nodes = nodes
        self._replicas = replicas
        self._clock = clock
        self._remove = remove
        self._on_swept = on_swept
        self._work: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Sweep again and again, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:  # noqa: BLE001 - presence must go on after any fault
                _log.exception("a sweep failed")
            await asyncio.sleep(TICK_SECONDS)

    async def sweep(self) -> None:
        """Take in what was stored since the last time, then judge."""
        try:
            await self._feed.follow()
        except StoreUnavailable:
            self._tracker.handle_own_outage(self._clock.now())
            return
        now = self._clock.now()
        alive = self._nodes.alive(now)
        self._tracker.handle_nodes(alive, now, self._nodes.gone())
        for lost in self._tracker.tick(now):
            if self._replicas.is_own(lost.room_id, now):
                self._start((lost.room_id, lost.participant_id), partial(self._take_out, lost))
        metrics.show_nodes(self._nodes.modes(now))
        metrics.REPLICAS.set(len(self._replicas.alive(now)))
        metrics.TRACKED.set(len(self._tracker))
        self._on_swept()

    def look_into(self, heard: Iterable[HeardParticipant]) -> None:
        """Compare what a node has with the rooms of this replica's share."""
        now = self._clock.now()
        for item in heard:
            if self._replicas.is_own(item.room_id, now):
                self._start((item.room_id, item.participant_id), partial(self._compare, item))

    async def close(self) -> None:
        """Let what is under way end."""
        await asyncio.gather(*list(self._work.values()))

    def _start(self, key: tuple[str, str], work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something about a participant, unless something is being done already."""
        if key in self._work or len(self._work) >= MAX_AT_ONCE:
            return
        self._work[key] = asyncio.create_task(self._guard(key, work()))

    async def _guard(self, key: tuple[str, str], work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SalonError as error:
            _log.info("presence: %s", error.message, extra={"room": key[0], "participant": key[1]})
        except Exception:  # noqa: BLE001 - one participant's fault is not the others'
            _log.exception("presence", extra={"room": key[0], "participant": key[1]})
        finally:
            del self._work[key]

    async def _take_out(self, lost: LostParticipant) -> None:
        out = await self._writers.submit(lost.room_id, Lost(lost.participant_id, lost.session_number))
        if out:
            metrics.LOST.inc()
            _log.info("lost", extra={"room": lost.room_id, "participant": lost.participant_id})
        # Either way what was judged is no more: whoever has a newer session comes by the feed again.
        self._tracker.handle_stored(lost.room_id, lost.participant_id, None, self._clock.now())

    async def _compare(self, heard: HeardParticipant) -> None:
        command = Connected(heard.participant_id, heard.session_number, heard.node)
        if await self._writers.submit(heard.room_id, command) is Vouched.WRONG:
            self._remove(
                Removal(heard.node.node_id, heard.room_id, heard.participant_id, heard.session_number)
            )
