"""One turn of a room's writer: from waiting commands to their answers, through any conflict or silence of the store.

A turn says what it needs (`poll`) and is told what came of it (`handle_*`); it does no I/O, so that tests can
interleave every step of several writers. Its promise: an answer rests on a commit, or on a state that was read after
the command came; and a commit nobody heard of is recognised by its id when the head is read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from salon_rooms.core.batch import Batch, apply_all
from salon_rooms.core.command import Command, Moment
from salon_rooms.core.room import UNCHANGED, Change, Room


@dataclass(frozen=True)
class Loaded:
    """A room as the store has it."""

    room: Room | None
    sequence: int
    """The store's number of the head, for compare-and-set; 0 when there is no room."""
    batch_id: str
    """The write that stored the head."""


NOTHING = Loaded(room=None, sequence=0, batch_id="")


@dataclass(frozen=True)
class Load:
    """Wanted: the room."""


@dataclass(frozen=True)
class Commit:
    """Wanted: this write, if the head is still the expected one."""

    change: Change
    expected: int
    batch_id: str


@dataclass(frozen=True)
class Finished:
    """Done: answers for the first commands; the rest wait for the next turn."""

    outcomes: tuple[Any, ...]
    state: Loaded
    """For the next turn."""
    change: Change
    """What was committed; its removals and sent nodes are to be acted on."""


class Turn:
    """The commands of one turn on their way."""

    def __init__(self, commands: Sequence[Command[Any]], cached: Loaded | None, turn_id: str) -> None:
        self._commands = commands
        self._state = cached
        self._fresh = False
        self._turn_id = turn_id
        self._tries = 0
        self._pending: Batch | None = None
        self._unheard: dict[str, Batch] = {}
        self._finished: Finished | None = None

    @property
    def tries(self) -> int:
        """How many commits were tried."""
        return self._tries

    @property
    def finished(self) -> bool:
        """Whether it needs no more of the store."""
        return self._finished is not None

    def poll(self, moment: Moment) -> Load | Commit | Finished:
        """The next thing wanted."""
        if self._finished is not None:
            return self._finished
        if self._state is None:
            return Load()
        batch = apply_all(self._state.room, self._commands, moment)
        if batch.change.head is None:
            if not self._fresh:
                return Load()
            self._finished = Finished(batch.outcomes, self._state, UNCHANGED)
            return self._finished
        self._tries += 1
        self._pending = batch
        return Commit(batch.change, self._state.sequence, f"{self._turn_id}-{self._tries}")

    def handle_loaded(self, loaded: Loaded) -> None:
        """The store's state. One written by a commit of this turn that nobody answered ends the turn."""
        self._state = loaded
        self._fresh = True
        batch = self._unheard.get(loaded.batch_id)
        if batch is not None:
            self._finished = Finished(batch.outcomes, loaded, batch.change)

    def handle_committed(self, commit: Commit, sequence: int) -> None:
        """The write is stored; `sequence` is its head's."""
        batch = self._take_pending()
        self._finished = Finished(batch.outcomes, Loaded(batch.room, sequence, commit.batch_id), batch.change)

    def handle_conflict(self) -> None:
        """Somebody else wrote first; nothing was stored."""
        self._take_pending()
        self._state = None

    def handle_unheard(self, commit: Commit) -> None:
        """No answer: the write may be stored, may still come to be, or may be lost."""
        self._unheard[commit.batch_id] = self._take_pending()
        self._state = None

    def _take_pending(self) -> Batch:
        assert self._pending is not None, "a commit was polled"
        batch, self._pending = self._pending, None
        return batch
