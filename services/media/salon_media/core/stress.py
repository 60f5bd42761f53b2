"""How much of a node's capacity is in use: one number that placement compares."""

from typing import Final

SMOOTHING: Final = 0.3
"""Weight of the last second: a burst of joins should show, a garbage collection should not."""


class StressMeter:
    """The larger of the process's share of a core and its share of participants."""

    def __init__(self, max_participants: int) -> None:
        self._max_participants = max_participants
        self.cpu_share = 0.0
        """The process's share of a core, smoothed."""
        self._last: tuple[float, float] | None = None

    def measure(self, *, cpu_seconds: float, participants: int, now: float) -> float:
        """Stress from 0 to 1, above when overloaded. `cpu_seconds` is what the process has used since its start."""
        if self._last is not None and now > self._last[0]:
            share = (cpu_seconds - self._last[1]) / (now - self._last[0])
            self.cpu_share += SMOOTHING * (share - self.cpu_share)
        self._last = (now, cpu_seconds)
        return max(self.cpu_share, participants / self._max_participants)
