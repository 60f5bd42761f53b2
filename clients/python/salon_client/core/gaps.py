"""How long nothing came: the longest pause in a row of arrivals, from the last before it to the first after it."""

from collections import deque
from dataclasses import dataclass

SECONDS_KEPT = 600
"""Counts by second are kept for so long."""
CARRIERS_KEPT = 100
"""So many changes of session are kept."""


@dataclass(frozen=True)
class Gap:
    """A time without arrivals."""

    seconds: float
    began_at: float
    """The last arrival before it."""
    ended_at: float | None
    """The first arrival after it; None while it lasts."""


class Arrivals:
    """One row of arrivals, looked at through a window that `mark` opens anew.

    A pause that began before the window counts in full: what is asked for is the time from the last to the next across a fault.
    """

    def __init__(self, now: float) -> None:
        self.last: float | None = None
        """When the last one came, in this window or before."""
        self.count = 0
        """How many came in this window."""
        self._marked_at = now
        self._longest: Gap | None = None
        self._seconds: deque[tuple[int, int]] = deque(maxlen=SECONDS_KEPT)

    def note(self, now: float) -> None:
        """One has come."""
        before = self._marked_at if self.last is None else self.last
        if self._longest is None or now - before > self._longest.seconds:
            self._longest = Gap(now - before, before, now)
        self.last = now
        self.count += 1
        second, count = self._seconds[-1] if self._seconds else (int(now), 0)
        if self._seconds and second == int(now):
            self._seconds[-1] = (second, count + 1)
        else:
            self._seconds.append((int(now), 1))

    def mark(self, now: float) -> None:
        """Open a new window."""
        self._marked_at = now
        self._longest = None
        self.count = 0
        self._seconds.clear()

    def longest(self, now: float) -> Gap:
        """The longest pause of this window, the one that lasts included."""
        since = self._marked_at if self.last is None else self.last
        if self._longest is None or now - since > self._longest.seconds:
            return Gap(now - since, since, None)
        return self._longest

    @property
    def by_second(self) -> dict[int, int]:
        """How many came in each whole second of the clock; seconds without any are left out."""
        return dict(self._seconds)


class Carriers:
    """Which sessions carried something, each from when to when, and in what turns."""

    def __init__(self) -> None:
        self.turns: deque[int] = deque(maxlen=CARRIERS_KEPT)
        """The sessions in turn: two that alternate show up again and again."""
        self._spans: dict[int, tuple[float, float]] = {}

    def note(self, session: int, now: float) -> None:
        """A session carried something."""
        if not self.turns or self.turns[-1] != session:
            self.turns.append(session)
        first, _ = self._spans.get(session, (now, now))
        self._spans[session] = (first, now)

    def mark(self) -> None:
        """Open a new window."""
        self.turns.clear()
        self._spans.clear()

    def overlap(self) -> float:
        """For how long, at most, two sessions carried something at the same time."""
        spans = sorted(self._spans.values())
        return max(
            (
                min(one[1], two[1]) - two[0]
                for index, one in enumerate(spans)
                for two in spans[index + 1 :]
                if two[0] < one[1]
            ),
            default=0.0,
        )
