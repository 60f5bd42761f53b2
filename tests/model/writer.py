"""A room's writer in one replica: the real `Turn`, driven as `salon_rooms.writer` drives it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from model.sim import Future, Process
from model.store import ModelStore
from salon_common.errors import Code, SalonError
from salon_rooms.core.command import Command, Moment
from salon_rooms.core.room import Change
from salon_rooms.core.turn import Commit, Finished, Load, Loaded, Turn
from salon_rooms.store import StoreConflict, StoreUnavailable, StoreUnheard
from salon_rooms.writer import FRESH_SECONDS, MAX_AT_ONCE, WAIT_SECONDS

PAUSE_SECONDS = 0.02

Reply = TypeVar("Reply")


@dataclass
class _Waiting:
    command: Command[Any]
    answer: Future[Any]
    until: float


class Writer:
    """The only one of its replica that writes to its room."""

    def __init__(
        self,
        process: Process,
        room_id: str,
        store: ModelStore,
        moment: Callable[[], Moment],
        turn_id: Callable[[], str],
        on_committed: Callable[[Change], None],
    ) -> None:
        self._process = process
        self._room_id = room_id
        self._store = store
        self._moment = moment
        self._turn_id = turn_id
        self._on_committed = on_committed
        self._waiting: list[_Waiting] = []
        self._working = False
        self._state: Loaded | None = None
        self._fresh_until = 0.0

    async def submit(self, command: Command[Reply]) -> Reply:
        """Raises SalonError: the command's own, or UNAVAILABLE."""
        answer: Future[Reply] = Future()
        self._waiting.append(_Waiting(command, answer, self._process.now + WAIT_SECONDS))
        if not self._working:
            self._working = True
            self._process.spawn(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MAX_AT_ONCE], self._waiting[MAX_AT_ONCE:]
            cached = self._state if self._process.now < self._fresh_until else None
            self._state = None
            turn = Turn([each.command for each in taken], cached, self._turn_id())
            finished = await self._drive(turn, max(each.until for each in taken))
            if finished is None:
                for each in taken:
                    each.answer.fail(SalonError(Code.UNAVAILABLE, "the store did not answer in time"))
                continue
            self._state = finished.state
            self._fresh_until = self._process.now + FRESH_SECONDS
            for each, outcome in zip(taken, finished.outcomes, strict=False):
                if isinstance(outcome, Exception):
                    each.answer.fail(outcome)
                else:
                    each.answer.resolve(outcome)
            self._waiting[:0] = taken[len(finished.outcomes) :]
            if finished.change.head is not None:
                self._on_committed(finished.change)
        self._working = False

    async def _drive(self, turn: Turn, until: float) -> Finished | None:
        """Do what the turn wants; None when its time is up."""
        while self._process.now < until:
            match turn.poll(self._moment()):
                case Load():
                    try:
                        turn.handle_loaded(await self._store.load(self._process, self._room_id))
                    except StoreUnavailable:
                        await self._process.sleep(PAUSE_SECONDS)
                case Commit() as commit:
                    await self._commit(turn, commit)
                case Finished() as finished:
                    return finished
        return None

    async def _commit(self, turn: Turn, commit: Commit) -> None:
        try:
            sequence = await self._store.commit(self._process, self._room_id, commit)
        except (StoreConflict, StoreUnavailable):
            turn.handle_conflict()
            await self._process.sleep(PAUSE_SECONDS if turn.tries > 1 else 0.0)
        except StoreUnheard:
            turn.handle_unheard(commit)
        else:
            turn.handle_committed(commit, sequence)
