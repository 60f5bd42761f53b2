"""What happened in a run, for whoever has to understand why it went wrong."""

from collections import deque

from model.sim import Simulation

KEPT = 4000


class Trace:
    """The last lines of a run's story."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._lines: deque[str] = deque(maxlen=KEPT)

    def __call__(self, who: str, what: str) -> None:
        """Note something."""
        self._lines.append(f"{self._sim.now:9.3f}  {who:<12} {what}")

    def text(self, last: int = 120) -> str:
        """The end of the story."""
        return "\n".join(list(self._lines)[-last:])
