"""Whether a node has fallen silent.

A node sends something at least each 200 ms, so datagrams that stop growing in number mean that it is gone, frozen or cut off. A look
that comes late itself proves nothing: then it was this process that stood still.
"""

LOOK_SECONDS = 0.25
"""How often to look."""
SILENCE_SECONDS = 1.0
"""No growth for so long is silence."""
_LATE_SECONDS = 0.75


class SilenceWatch:
    """Watches one count of received datagrams."""

    def __init__(self, now: float) -> None:
        self._count = -1
        self._grew_at = now
        self._looked_at = now

    def look(self, count: int, now: float) -> bool:
        """Take a reading; whether the node is silent."""
        late = now - self._looked_at > _LATE_SECONDS
        self._looked_at = now
        if count != self._count or late:
            self._count = count
            self._grew_at = now
        return now - self._grew_at >= SILENCE_SECONDS
