"""What every process of the model has around it."""

from dataclasses import dataclass

from model.chance import Chance
from model.network import Nats, Network
from model.sim import Simulation
from model.trace import Trace

REGION = "local"
WALL = 1_700_000_000.0
"""Unix seconds when the simulation's clock is at 0."""


@dataclass(frozen=True)
class Surroundings:
    """The one of this run."""

    sim: Simulation
    chance: Chance
    network: Network
    nats: Nats
    trace: Trace

    @property
    def wall(self) -> float:
        """Unix seconds now: everybody's clock is right."""
        return WALL + self.sim.now
