"""A day of rooms: calm nights, working hours, calls that begin at the full and half hour, and one crowd that nobody announced."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
MINUTE: Final = 60.0


@dataclass(frozen=True)
class Room:
    """One call, from its first to its last minute."""

    name: str
    begins: float
    ends: float
    people: int

    @property
    def load(self) -> float:
        """What part of a node it takes when all are in: more for each in a larger room, until their screens are full. The order of
        what was measured, no more.
        """
        return self.people * (0.002 + 0.0005 * min(self.people - 1, 12))


@dataclass(frozen=True)
class Crowd:
    """Everybody at once, as after a link was shown on television."""

    at: float
    seconds: float
    rooms: int


def hour_factor(hour: float) -> float:
    """How busy an hour of the day is, from 0 to 1."""
    humps = ((10.5, 2.0, 1.0), (15.0, 2.2, 0.95), (20.5, 1.8, 0.55))
    return 0.06 + 0.94 * min(1.0, sum(h * math.exp(-(((hour - at) / wide) ** 2)) for at, wide, h in humps))


def rooms_of_a_day(
    seed: int,
    per_hour: float,
    *,
    crowds: tuple[Crowd, ...] = (),
    seconds: float = DAY,
    first_hour: float = 0.0,
) -> Iterator[Room]:
    """The rooms by their beginnings, `per_hour` of them in the busiest hour. Time 0 is `first_hour`."""
    chance = random.Random(seed)
    found: list[Room] = []
    for half in range(round(seconds / HOUR * 2)):
        begins = half * HOUR / 2
        expected = (
            per_hour / 2 * hour_factor((first_hour + begins / HOUR) % 24) * (1.3 if half % 2 == 0 else 0.7)
        )
        found += [_any(chance, begins) for _ in range(_poisson(chance, expected))]
    for crowd in crowds:
        found += [_of_crowd(chance, crowd) for _ in range(crowd.rooms)]
    found.sort(key=lambda room: room.begins)
    for number, room in enumerate(found):
        yield Room(f"r{number:05}", room.begins, room.ends, room.people)


def _any(chance: random.Random, half_hour: float) -> Room:
    return _planned(chance, half_hour) if chance.random() < 0.6 else _spontaneous(chance, half_hour)


def _planned(chance: random.Random, full: float) -> Room:
    begins = max(0.0, full + chance.gauss(0, 75))
    lasts = chance.choice((25, 50, 50)) * MINUTE * chance.uniform(0.7, 1.15)
    return Room("", begins, begins + lasts, min(50, 2 + int(chance.expovariate(1 / 5))))


def _spontaneous(chance: random.Random, half_hour: float) -> Room:
    begins = half_hour + chance.uniform(0, HOUR / 2)
    return Room(
        "",
        begins,
        begins + MINUTE + chance.expovariate(1 / (12 * MINUTE)),
        2 + int(chance.expovariate(1 / 1.5)),
    )


def _of_crowd(chance: random.Random, crowd: Crowd) -> Room:
    begins = crowd.at + chance.uniform(0, crowd.seconds)
    return Room(
        "", begins, begins + chance.uniform(5, 25) * MINUTE, min(50, 2 + int(chance.expovariate(1 / 6)))
    )


def _poisson(chance: random.Random, mean: float) -> int:
    return max(0, round(chance.gauss(mean, math.sqrt(mean))))
