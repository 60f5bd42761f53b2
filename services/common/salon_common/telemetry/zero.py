"""Counters that begin at 0 for every value of their labels.

A series that appears with its first event begins at 1: no rate ever sees that event, and the first failure of a process is the
one that is looked for.
"""

from collections.abc import Iterable
from itertools import product

from prometheus_client import Counter, Histogram


def begin_at_zero(metric: Counter | Histogram, *values: Iterable[str]) -> None:
    """Tell of every combination of these values, in the order of the metric's labels, before anything happened."""
    for combination in product(*values):
        metric.labels(*combination)
