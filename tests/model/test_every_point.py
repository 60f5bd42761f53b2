"""One room, two people, two nodes, two rooms replicas: one thing goes wrong at every point of a join and of a move, or with
every single message. `RUNS=…` at least as many as in `make test-model` takes every point, else each few.
"""

import os
from collections.abc import Callable

import pytest
from model.exploration import Exploration, each_message, each_point
from model.faults import Fault, Kind
from model.world import World

WHOLE = int(os.environ.get("RUNS", "0")) >= 1000
STRIDE = 1 if WHOLE else 16
MESSAGE_RUNS = 20_000 if WHOLE else 150

FAULTS = [
    Fault(Kind.CRASH_NODE, 0.0, 0, 2.0),
    Fault(Kind.CRASH_NODE, 0.0, 1, 2.0),
    Fault(Kind.RESTART_NODE, 0.0, 0, 0.1),
    Fault(Kind.RESTART_NODE, 0.0, 1, 0.1),
    Fault(Kind.FREEZE_NODE, 0.0, 0, 2.0),
    Fault(Kind.FREEZE_NODE, 0.0, 1, 2.0),
    Fault(Kind.CUT_NODE, 0.0, 0, 4.0),
    Fault(Kind.CUT_NODE_FROM_NATS, 0.0, 0, 4.0),
    Fault(Kind.DRAIN_NODE, 0.0, 0, 5.0),
    Fault(Kind.CRASH_ROOMS, 0.0, 0, 2.0),
    Fault(Kind.CRASH_ROOMS, 0.0, 1, 2.0),
    Fault(Kind.FREEZE_ROOMS, 0.0, 0, 2.0),
    Fault(Kind.CUT_ROOMS, 0.0, 1, 4.0),
    Fault(Kind.CRASH_SIGNALING, 0.0, 0, 1.0),
    Fault(Kind.NATS_AWAY, 0.0, 0, 2.0),
    Fault(Kind.VANISH, 0.0, 0, 0.0),
]


def joining(world: World) -> None:
    """Two people come."""


def moving(world: World) -> None:
    """Two people are in, and their node is to be emptied."""
    assert world.sim.run_until(world.is_whole, 10)
    room = world.store.room(world.room_ids[0])
    assert room is not None
    world.set_mode(room.head.placement.nodes[0].node_id, drain_seconds=30)


def name(fault: Fault) -> str:
    return f"{fault.kind.name.lower()}-{fault.target}"


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_at_every_point_of_a_join(fault: Fault) -> None:
    found = Exploration()
    each_point(joining, fault, found, seconds=0.15, stride=STRIDE)
    print(f"{found.runs} runs, {len(found.states)} states")
    assert found.runs >= 60 // STRIDE


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_at_every_point_of_a_move(fault: Fault) -> None:
    found = Exploration()
    each_point(moving, fault, found, seconds=1.5, stride=STRIDE)
    print(f"{found.runs} runs, {len(found.states)} states")
    assert found.runs >= 200 // STRIDE


@pytest.mark.parametrize(("prepare", "seconds"), [(joining, 0.15), (moving, 0.6)], ids=["join", "move"])
def test_any_message_of(prepare: Callable[[World], None], seconds: float) -> None:
    """Each one alone; and each two, when everything is tried."""
    found = Exploration()
    for run in each_message(prepare, found, seconds=seconds, deviations=2 if WHOLE else 1):
        if run + 1 >= MESSAGE_RUNS:
            break
    print(f"{found.runs} runs, {len(found.states)} states")
    assert found.runs >= 50
