"""A run as a value: its seed, its size and its faults. The same value gives the same run, step by step."""

from dataclasses import dataclass, field, replace

from model.chance import Seeded
from model.faults import Fault, Kind, schedule
from model.network import CALM, ROUGH, Weather
from model.observer import Violation
from model.world import Size, World

SETTLE_SECONDS = 60.0
"""For everybody to come in while the weather is rough already: calls, events and tries of calls are lost all the time."""
QUIET_SECONDS = 45.0
"""After the last fault: the longest that anything may take to be as if nothing had happened. An event that nobody heard of is
found by the streams' audit, which comes 30 s after the last one."""
ECHO_SECONDS = 6.0
"""What the last fault sets going is let begin."""


@dataclass(frozen=True)
class Scenario:
    """What happens."""

    seed: int
    faults: tuple[Fault, ...] = ()
    size: Size = field(default_factory=Size)
    rough: bool = False

    def play(self, rough: Weather = ROUGH) -> World:
        """Run it. Raises Violation, with the end of the story."""
        world = World(
            Seeded(self.seed),
            self.size,
            rough if self.rough else CALM,
            one_faulty_write_in=30 if self.rough else 0,
        )
        try:
            self._play(world)
        except Violation as violation:
            raise Violation(f"{violation}\n{self}\n{world.trace.text()}") from None
        return world

    def _play(self, world: World) -> None:
        if not world.sim.run_until(world.is_whole, SETTLE_SECONDS):
            raise Violation(f"they do not come in: {world.all_wrongs()}")
        for fault in self.faults:
            schedule(world, fault)
        world.sim.run(max((fault.at + fault.lasts for fault in self.faults), default=0.0) + 0.1)
        world.trace("QUIET", "")
        world.calm_down()
        world.sim.run(ECHO_SECONDS)
        if not world.sim.run_until(world.is_whole, QUIET_SECONDS - ECHO_SECONDS):
            raise Violation(f"after {QUIET_SECONDS:.0f} quiet seconds: {world.all_wrongs()}")
        world.check_end()


_PEOPLE = (Kind.COME, Kind.LEAVE, Kind.VANISH, Kind.WRITE)
_FAULTS = tuple(kind for kind in Kind if kind not in _PEOPLE)


def scenario(seed: int) -> Scenario:
    """A scenario as the seed has it."""
    chance = Seeded(seed)
    size = Size(
        rooms=1 + chance.pick(2),
        people=2 + chance.pick(4),
        nodes=2 + chance.pick(3),
        replicas=1 + chance.pick(3),
        signaling=1 + chance.pick(2),
        capacity=3 + chance.pick(4),
    )
    faults = [
        Fault(
            kind=_FAULTS[chance.pick(len(_FAULTS))],
            at=round(chance.fraction() * 12, 2),
            target=chance.pick(6),
            lasts=round([0.3, 1.5, 4.0, 12.0][chance.pick(4)] * (0.5 + chance.fraction()), 2),
        )
        for _ in range(1 + chance.pick(4))
    ]
    people = [
        Fault(_PEOPLE[chance.pick(len(_PEOPLE))], round(chance.fraction() * 15, 2), chance.pick(6), 0.0)
        for _ in range(chance.pick(6))
    ]
    ordered = tuple(sorted([*faults, *people], key=lambda fault: fault.at))
    return Scenario(seed, ordered, size, rough=chance.pick(2) == 1)


def simplified(failing: Scenario) -> Scenario:
    """The same failure with fewer faults, if one is not needed."""
    for fault in failing.faults:
        simpler = replace(failing, faults=tuple(each for each in failing.faults if each is not fault))
        try:
            simpler.play()
        except Violation:
            return simplified(simpler)
    return failing
