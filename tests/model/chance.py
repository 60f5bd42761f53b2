"""Where a run's luck comes from: a seed, or a walk through every sequence of choices."""

import random
from collections.abc import Iterator
from typing import Protocol


class Chance(Protocol):
    """Decides what nobody in the world decides."""

    def pick(self, count: int) -> int:
        """One of 0 … count - 1; 0 is what usually happens."""
        ...

    def fraction(self) -> float:
        """Evenly from [0, 1)."""
        ...

    def bytes(self, count: int) -> bytes:
        """Random bytes, as ids and choices of nodes are made of."""
        ...


class Seeded:
    """The same seed, the same run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, count: int) -> int:
        """As `Chance` says."""
        return self._random.randrange(count)

    def fraction(self) -> float:
        """As `Chance` says."""
        return self._random.random()

    def bytes(self, count: int) -> bytes:
        """As `Chance` says."""
        return self._random.randbytes(count)


class Explored:
    """Walks through every sequence of choices with at most `deviations` that are not 0, depth first, by running the whole
    story once for each. What is not a choice is the same in each run.
    """

    def __init__(self, deviations: int) -> None:
        self._deviations = deviations
        self._path: list[tuple[int, int]] = []
        self._at = 0
        self._spent = 0
        self._seeded = Seeded(0)

    @property
    def choices(self) -> dict[int, int]:
        """What this run chose that is not usual, by the number of the choice."""
        return {at: chosen for at, (chosen, _) in enumerate(self._path[: self._at]) if chosen}

    def pick(self, count: int) -> int:
        """The choice of this run."""
        if self._at == len(self._path):
            self._path.append((0, count if self._spent < self._deviations else 1))
        chosen, _ = self._path[self._at]
        self._at += 1
        self._spent += chosen != 0
        return chosen

    def fraction(self) -> float:
        """In the middle."""
        return 0.5

    def bytes(self, count: int) -> bytes:
        """The same in each run."""
        return self._seeded.bytes(count)

    def runs(self) -> Iterator[int]:
        """Count the runs while there are choices left."""
        number = 0
        while True:
            self._at = self._spent = 0
            self._seeded = Seeded(0)
            yield number
            number += 1
            while self._path and self._path[-1][0] + 1 == self._path[-1][1]:
                self._path.pop()
            if not self._path:
                return
            chosen, count = self._path[-1]
            self._path[-1] = (chosen + 1, count)
