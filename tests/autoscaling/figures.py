"""What is said of a day: how often the number of pods changed, turned round, fell short, and what it cost."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from autoscaling.demand import HOUR
from autoscaling.world import TICK, History

FLAP_SECONDS: Final = 30 * 60.0
"""A change that is undone so soon was not worth it."""


@dataclass(frozen=True)
class Figures:
    """One day under one policy."""

    scalings: int
    reversals: int
    """Changes of direction within an hour."""
    flaps: int
    """Those within half an hour."""
    overload_minutes: float
    """Minutes of nodes over their one core."""
    people_overloaded: float
    """The part of all people's time that was spent on such nodes."""
    pod_hours: float
    """Draining ones included."""
    ideal_hours: float
    """Of as many pods as the load needs at each instant at the target."""
    moved: float
    """How often a person was moved to another node."""
    longest_drain: float
    dropped: int
    refused: int


def reversals(scalings: Sequence[tuple[float, int]], within: float) -> int:
    """How often the direction changed so soon after the last change."""
    pairs = itertools.pairwise(scalings)
    return sum((a > 0) != (b > 0) and at_b - at_a <= within for (at_a, a), (at_b, b) in pairs)


def figures(history: History, target: float, least: int) -> Figures:
    """Of one day."""
    moments = history.moments
    hours = TICK / HOUR
    people = sum(moment.people for moment in moments)
    return Figures(
        scalings=len(history.scalings),
        reversals=reversals(history.scalings, HOUR),
        flaps=reversals(history.scalings, FLAP_SECONDS),
        overload_minutes=sum(moment.overloaded for moment in moments) * TICK / 60,
        people_overloaded=sum(moment.people_overloaded for moment in moments) / max(people, 1.0),
        pod_hours=sum(moment.pods + moment.draining for moment in moments) * hours,
        ideal_hours=sum(max(least, math.ceil(moment.load / target)) for moment in moments) * hours,
        moved=history.moved_people,
        longest_drain=max(history.drains, default=0.0),
        dropped=history.dropped,
        refused=history.refused,
    )
