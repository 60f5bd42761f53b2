"""One writer task a room: it takes all commands that wait, and carries them through the store as one turn.

What a turn does and promises is in `core.turn`; here are the tasks, queues, deadlines and retries around it.
"""

import asyncio
import logging
import random
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from salon_common.clock import Clock
from salon_common.errors import Code, SalonError
from salon_common.telemetry import tracing
from salon_common.telemetry.calls import told

from salon_rooms import metrics
from salon_rooms.core.command import Command, Moment
from salon_rooms.core.formats import KNOWN
from salon_rooms.core.placement import Directory
from salon_rooms.core.places import NoNodeError
from salon_rooms.core.room import Change
from salon_rooms.core.turn import Commit, Finished, Load, Loaded, Turn
from salon_rooms.store import Store, StoreConflict, StoreUnavailable, StoreUnheard

_log = logging.getLogger(__name__)

WAIT_SECONDS = 2.0
"""How long a command may wait and be worked on; callers' deadlines are as long."""
IDLE_SECONDS = 30.0
"""How long a writer without commands keeps its room in memory."""
MAX_WAITING = 1000
MAX_AT_ONCE = 500
MAX_WRITERS = 20_000
FRESH_SECONDS = 0.1
"""A room read or written longer ago is read again first: another replica has likely changed it, and a lost batch costs the store
and the caller several times what a read does (docs/decisions/0003)."""
RETRY_SECONDS = 0.02
"""Mean pause after the second conflict in a row or after silence."""

Reply = TypeVar("Reply")


@dataclass
class _Waiting:
    command: Command[Any]
    answer: asyncio.Future[Any]
    until: float
    origin: tracing.Origin
    """The call that waits for it, in traces."""


class Writers:
    """The writers of all rooms that this replica is asked about."""

    def __init__(
        self,
        store: Store,
        nodes: Directory,
        clock: Clock,
        on_committed: Callable[[Change], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._nodes = nodes
        self._clock = clock
        self._on_committed = on_committed
        self._writers: dict[str, _Writer] = {}
        self._closing = False

    async def submit(self, room_id: str, command: Command[Reply]) -> Reply:
        """Apply a command to a room. Raises SalonError: the command's own, or UNAVAILABLE."""
        with told(lambda code: metrics.COMMANDS.labels(type(command).__name__, code.name).inc()):
            try:
                reply: Reply = await self._writer(room_id).enqueue(command)
            except NoNodeError:
                metrics.PLACEMENTS.labels("none").inc()
                raise
        return reply

    async def close(self) -> None:
        """Take nothing more, and finish what waits."""
        self._closing = True
        await asyncio.gather(*(writer.finish() for writer in list(self._writers.values())))

    def _writer(self, room_id: str) -> "_Writer":
        if self._closing:
            raise SalonError(Code.UNAVAILABLE, "this replica is stopping: try again")
        writer = self._writers.get(room_id)
        if writer is None:
            if len(self._writers) >= MAX_WRITERS:
                raise SalonError(Code.UNAVAILABLE, "too many rooms change at once: try again in a moment")
            writer = _Writer(room_id, self._store, self._moment, self._on_committed, self._remove)
            self._writers[room_id] = writer
            metrics.WRITERS.set(len(self._writers))
        return writer

    def _remove(self, room_id: str) -> None:
        del self._writers[room_id]
        metrics.WRITERS.set(len(self._writers))

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.wall(), self._nodes)


class _Writer:
    """The only task of this replica that writes to one room."""

    def __init__(
        self,
        room_id: str,
        store: Store,
        moment: Callable[[], Moment],
        on_committed: Callable[[Change], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._room_id = room_id
        self._store = store
        self._moment = moment
        self._on_committed = on_committed
        self._on_end = on_end
        self._waiting: deque[_Waiting] = deque()
        self._state: Loaded | None = None
        self._fresh_until = 0.0
        self._wake = asyncio.Event()
        self._finishing = False
        self._task = asyncio.create_task(self._run(), name=f"writer of {room_id}", context=tracing.untraced())

    async def enqueue(self, command: Command[Any]) -> Any:
        """Wait for a command's answer."""
        if len(self._waiting) >= MAX_WAITING:
            raise SalonError(Code.UNAVAILABLE, "too many changes to this room wait: try again in a moment")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(command, answer, self._moment().now + WAIT_SECONDS, tracing.captured()))
        self._wake.set()
        return await answer

    async def finish(self) -> None:
        """Work off what waits, and end."""
        self._finishing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        try:
            while await self._has_work():
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_AT_ONCE))]
                wanted = [item for item in taken if not item.answer.done()]
                if wanted:
                    await self._take_turn(wanted)
        finally:
            self._on_end(self._room_id)

    async def _has_work(self) -> bool:
        """Wait for commands; False when none came for long, or none will."""
        while not self._waiting:
            if self._finishing:
                return False
            self._wake.clear()
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                return bool(self._waiting)
        return True

    async def _take_turn(self, taken: list[_Waiting]) -> None:
        cached = self._state if self._moment().now < self._fresh_until else None
        turn = Turn([item.command for item in taken], cached, uuid.uuid4().hex)
        until = max(item.until for item in taken)
        self._state = None
        try:
            with tracing.span("turn", origins=[item.origin for item in taken], commands=len(taken)):
                async with asyncio.timeout(until - self._moment().now):
                    finished = await self._drive(turn)
        except TimeoutError:
            _fail(taken, SalonError(Code.UNAVAILABLE, "the store did not answer in time: try again"))
        except Exception as error:  # noqa: BLE001 - a bug here must not end the room's writer
            _log.exception("a turn failed", extra={"room": self._room_id})
            _fail(taken, error)
        else:
            self._state = finished.state
            self._fresh_until = self._moment().now + FRESH_SECONDS
            self._answer(taken, finished)

    async def _drive(self, turn: Turn) -> Finished:
        """Do what a turn wants until it is finished."""
        while True:
            match turn.poll(self._moment()):
                case Load():
                    await self._load(turn)
                case Commit() as commit:
                    await self._commit(turn, commit)
                case Finished() as finished:
                    return finished

    async def _load(self, turn: Turn) -> None:
        try:
            loaded = await self._store.load(self._room_id)
        except StoreUnavailable:
            metrics.COMMITS.labels("unavailable").inc()
            await _pause(1)
            return
        if loaded.room is not None and loaded.room.head.format > KNOWN:
            extra = {"room": self._room_id, "format": loaded.room.head.format, "known": KNOWN}
            _log.error("this room is of a later release, and is not changed here", extra=extra)
        turn.handle_loaded(loaded)

    async def _commit(self, turn: Turn, commit: Commit) -> None:
        try:
            with tracing.span("commit", origins=[tracing.captured()]), metrics.COMMIT_SECONDS.time():
                sequence = await self._store.commit(self._room_id, commit)
        except StoreConflict:
            metrics.COMMITS.labels("conflict").inc()
            turn.handle_conflict()
            if turn.tries > 1:
                await _pause(turn.tries - 1)
        except StoreUnheard:
            metrics.COMMITS.labels("unheard").inc()
            turn.handle_unheard(commit)
        except StoreUnavailable:
            metrics.COMMITS.labels("unavailable").inc()
            turn.handle_conflict()
            await _pause(turn.tries)
        else:
            metrics.COMMITS.labels("stored").inc()
            turn.handle_committed(commit, sequence)

    def _answer(self, taken: list[_Waiting], finished: Finished) -> None:
        metrics.COMMIT_COMMANDS.observe(len(finished.outcomes))
        for item, outcome in zip(taken, finished.outcomes, strict=False):
            if item.answer.done():
                continue
            if isinstance(outcome, Exception):
                item.answer.set_exception(outcome)
            else:
                item.answer.set_result(outcome)
        self._waiting.extendleft(reversed(taken[len(finished.outcomes) :]))
        if finished.change.head is not None:
            self._on_committed(finished.change)


def _fail(taken: list[_Waiting], error: Exception) -> None:
    for item in taken:
        if not item.answer.done():
            item.answer.set_exception(error)


async def _pause(times: int) -> None:
    await asyncio.sleep(random.uniform(0.5, 1.5) * RETRY_SECONDS * min(times, 8))  # noqa: S311 - spreads retries
