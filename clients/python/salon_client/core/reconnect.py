"""Which signaling address to try next, and after how long.

The first tries after a break go to each address in turn with a short random delay, so that a replica's end costs its
clients a fraction of a second and does not make them arrive all at once. Then the delays grow, each drawn from the whole
interval (full jitter), up to a limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """How delays grow, in seconds."""

    spread: float = 0.15
    """The first tries wait up to this."""
    base: float = 0.25
    """After all addresses have failed once."""
    limit: float = 5.0
    """No delay is longer."""


@dataclass(frozen=True)
class Attempt:
    """What to do next."""

    address: str
    delay: float
    """Seconds to wait first."""


class Reconnector:
    """The addresses of equal replicas, and how often they have failed in a row."""

    def __init__(self, addresses: Sequence[str], backoff: Backoff = Backoff(), *, start: int = 0) -> None:
        if not addresses:
            raise ValueError("at least one address is needed")
        self._addresses = tuple(addresses)
        self._backoff = backoff
        self._current = start % len(addresses)
        self._failures = 0

    @property
    def address(self) -> str:
        """The address in use, or tried next."""
        return self._addresses[self._current]

    @property
    def failures(self) -> int:
        """How many attempts in a row have failed."""
        return self._failures

    def succeeded(self) -> None:
        """The current address answered: the next break starts with short delays again."""
        self._failures = 0

    def failed(self) -> None:
        """The current address did not answer, or broke off: the next one's turn."""
        self._failures += 1
        self._current = (self._current + 1) % len(self._addresses)

    def next_attempt(self, random: float) -> Attempt:
        """What to do now, with `random` drawn evenly from [0, 1)."""
        if self._failures == 0:
            return Attempt(self.address, 0.0)
        rounds = (self._failures - 1) // len(self._addresses)
        if rounds == 0:
            return Attempt(self.address, random * self._backoff.spread)
        # A limit on the exponent keeps the power finite; the limit on the delay is reached long before.
        ceiling = min(self._backoff.limit, self._backoff.base * 2 ** min(rounds, 16))
        return Attempt(self.address, random * ceiling)
