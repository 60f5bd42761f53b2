"""That the model can fail: each rule that the invariants lean on is broken once, and the model has to notice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from model import moves
from model.chance import Seeded
from model.client import ModelClient
from model.faults import Fault, Kind
from model.network import Weather
from model.observer import Violation
from model.scenario import Scenario
from model.world import Size
from salon.rooms.v1 import room_pb2
from salon_client.core.handover import Handover
from salon_media.core.node_state import NodeState
from salon_rooms.core import places, relocating, staying
from salon_rooms.core.command import Moment, Outcome
from salon_rooms.core.places import move_room
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.room import Draft, Room
from salon_rooms.core.suspicion import Watch
from salon_rooms.core.turn import Commit, Turn
from salon_rooms.simulated_store import SimulatedStore
from salon_signaling.core.sequence import EventSequence

Patch = pytest.MonkeyPatch
STORMY = Weather(one_slow_in=4, slow=1.5, one_doubled_in=5)
RUNS = 60


def hunt(
    *kinds: Kind, faults: int = 6, weather: Weather = STORMY, runs: int = RUNS, size: Size = Size(nodes=2)
) -> None:
    """Play scenarios of a few kinds of faults, in stormy weather."""
    for seed in range(runs):
        chance = Seeded(seed)
        chosen = [
            Fault(
                kinds[chance.pick(len(kinds))],
                round(chance.fraction() * 6, 2),
                chance.pick(6),
                0.5 + chance.fraction() * 2,
            )
            for _ in range(faults)
        ]
        ordered = tuple(sorted(chosen, key=lambda fault: fault.at))
        Scenario(seed, ordered, size, rough=True).play(weather)
