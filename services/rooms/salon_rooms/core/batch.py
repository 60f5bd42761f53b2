"""Several commands applied onto one another, as one atomic write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from salon_rooms.core.command import Command, Moment
from salon_rooms.core.formats import check_known
from salon_rooms.core.room import UNCHANGED, Change, Room

MAX_MESSAGES = 500
"""In one write; JetStream takes 1,000."""


@dataclass(frozen=True)
class Batch:
    """What some commands do together."""

    room: Room | None
    """The room after them."""
    change: Change
    outcomes: tuple[Any, ...]
    """The reply or the error of each command that was taken, in order. Those beyond wait for the next batch."""


def apply_all(room: Room | None, commands: Sequence[Command[Any]], moment: Moment) -> Batch:
    """Apply commands in order until the write is full. One that fails, or would change a room of a later release, leaves no
    trace in it.
    """
    change = UNCHANGED
    outcomes: list[Any] = []
    for command in commands:
        try:
            outcome = command.apply(room, moment)
            if room is not None and outcome.change.head is not None:
                check_known(room.head)
        except Exception as error:  # noqa: BLE001 - one command's fault, even a bug, is not the others'
            outcomes.append(error)
            continue
        together = change.then(outcome.change)
        if outcomes and together.size > MAX_MESSAGES:
            break
        change = together
        outcomes.append(outcome.reply)
        if outcome.change.head is not None:
            room = (room or Room(outcome.change.head)).after(outcome.change)
    return Batch(room, change, tuple(outcomes))
