"""Every point of a short story at which something can happen, one run each, and how many states they came through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from model.chance import Explored, Seeded
from model.faults import Fault, begin
from model.network import CALM, Weather
from model.observer import Violation
from model.world import Size, World

SMALL = Size(rooms=1, people=2, nodes=2, replicas=2, signaling=1, capacity=2)
ECHO_SECONDS = 2.0
WHOLE_SECONDS = 40.0
LAST_STEP = 100_000
ANY_MESSAGE = Weather(one_slow_in=2, slow=1.0, one_doubled_in=2, one_lost_in=2)
"""Each message may be what goes wrong."""


@dataclass
class Exploration:
    """What an exploration came through."""

    runs: int = 0
    states: set[tuple[object, ...]] = field(default_factory=set)


def each_point(
    prepare: Callable[[World], None], fault: Fault, found: Exploration, *, seconds: float, stride: int = 1
) -> None:
    """Begin a fault after each step of the `seconds` that follow upon `prepare`. Raises Violation."""
    for step in range(0, LAST_STEP, stride):
        world = World(Seeded(0), SMALL)
        prepare(world)
        end = world.sim.now + seconds
        for _ in range(step):
            world.sim.step()
        if world.sim.now > end:
            return
        begin(world, fault)
        world.sim.run(fault.lasts)
        _come_to_rest(world, found, f"{fault.kind.value} after step {step}")


def each_message(
    prepare: Callable[[World], None], found: Exploration, *, seconds: float, deviations: int = 1
) -> Iterator[int]:
    """Have each message, and each write, of the `seconds` that follow upon `prepare` be lost, late or doubled; up to so many."""
    explored = Explored(deviations)
    for run in explored.runs():
        world = World(explored, SMALL)
        prepare(world)
        world.network.weather = ANY_MESSAGE
        world.store.one_faulty_in = 2
        world.sim.run(seconds)
        world.calm_down()
        world.network.weather = CALM
        _come_to_rest(world, found, f"choices {explored.choices}")
        yield run


def _come_to_rest(world: World, found: Exploration, what: str) -> None:
    try:
        world.sim.run(ECHO_SECONDS)
        world.sim.run_until(world.is_whole, WHOLE_SECONDS)
        world.check_end()
    except Violation as violation:
        raise Violation(f"{what}: {violation}\n{world.trace.text()}") from None
    found.runs += 1
    found.states |= world.states
