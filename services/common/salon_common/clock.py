"""Time as an argument: shells own a clock, cores are given `now`."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of time, both in seconds."""

    def now(self) -> float:
        """Monotonic: for timeouts and intervals."""
        ...

    def wall(self) -> float:
        """Since the Unix epoch: for what people and other hosts read."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()


class ManualClock:
    """Stands still until moved, for tests and simulations."""

    def __init__(self, now: float = 0.0, wall: float = 1_700_000_000.0) -> None:
        self._now = now
        self._wall = wall

    def now(self) -> float:
        """Monotonic seconds."""
        return self._now

    def wall(self) -> float:
        """Unix seconds."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Move both readings."""
        self._now += seconds
        self._wall += seconds
