"""Whether a node has fallen silent.

A node sends something at least each 200 ms, so datagrams that stop growing in number mean that it is gone, frozen or cut off. Time in which this
process itself stood still does not count: what came meanwhile may not have been read yet.
"""

LOOK_SECONDS = 0.1
"""How often to look."""
SILENCE_SECONDS = 1.0
"""No growth for so long is silence."""
_STEP_SECONDS = 0.25
"""From one look to the next, no more than this counts."""


class SilenceWatch:
    """Watches one count of received datagrams."""

    def __init__(self, now: float) -> None:
        self._count = -1
        self._quiet = 0.0
        self._looked_at = now

    def look(self, count: int, now: float) -> bool:
        """Take a reading; whether the node is silent."""
        self._quiet += min(now - self._looked_at, _STEP_SECONDS)
        self._looked_at = now
        if count != self._count:
            self._count = count
            self._quiet = 0.0
        return self._quiet >= SILENCE_SECONDS
