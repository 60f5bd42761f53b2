"""Whether the engine's thread still works: a node without it would seem alive and serve nobody.

Owns the verdict; the shell looks each so often and ends the process, so that its people are placed elsewhere at once.
"""

from typing import Final

LOOK_SECONDS: Final = 0.5
STILL_LOOKS: Final = 6
"""In a row without a turn: the thread turns several times between two looks. Looks are counted, and not time, since the whole
process may have been stopped between two of them."""


class EngineWatch:
    """What was seen of the thread so far."""

    def __init__(self) -> None:
        self._turns = -1
        self._still = 0

    def look(self, *, alive: bool, turns: int) -> str | None:
        """Why the engine must be given up, or None. `turns` is its counter."""
        if not alive:
            return "the engine's thread has ended"
        self._still = self._still + 1 if turns == self._turns else 0
        self._turns = turns
        return "the engine's thread hangs" if self._still >= STILL_LOOKS else None
