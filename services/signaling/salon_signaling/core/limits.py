"""Rate limits: token buckets by key, in a table of bounded size. Pure; `now` in seconds."""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

from salon_common.errors import Code, SalonError


@dataclass(frozen=True)
class Rate:
    """So many a second on average, so many at once."""

    per_second: float
    burst: float


class RateLimit:
    """One limit for each key. The table forgets the key that was used longest ago when it is full."""

    def __init__(self, rate: Rate, *, what: str, max_keys: int = 50_000) -> None:
        """`what` names the limited thing in the refusal: "joins from your address"."""
        self._rate = rate
        self._what = what
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def check(self, key: str, now: float) -> None:
        """Raise SalonError RESOURCE_EXHAUSTED when nothing is left for this key; take nothing."""
        self._require(self._level(key, now), 1.0)

    def take(self, key: str, now: float, cost: float = 1.0) -> None:
        """Take `cost`, or raise SalonError RESOURCE_EXHAUSTED and take nothing."""
        level = self._level(key, now)
        self._require(level, cost)
        self._store(key, level - cost, now)

    def charge(self, key: str, now: float, cost: float = 1.0) -> None:
        """Take `cost` after the fact, as far as there is any."""
        self._store(key, max(self._level(key, now) - cost, 0.0), now)

    def _level(self, key: str, now: float) -> float:
        level, since = self._buckets.get(key, (self._rate.burst, now))
        return min(self._rate.burst, level + max(now - since, 0.0) * self._rate.per_second)

    def _require(self, level: float, cost: float) -> None:
        if level < cost:
            wait = max(1, ceil((cost - level) / self._rate.per_second))
            raise SalonError(Code.RESOURCE_EXHAUSTED, f"too many {self._what}: try again in {wait} s")

    def _store(self, key: str, level: float, now: float) -> None:
        self._buckets[key] = (level, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
