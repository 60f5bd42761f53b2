"""`make simulate-scaling`: a day under the autoscaler that the manifests describe, and under others, as a table and a picture.

The first policy is read from the manifest itself. Writes docs/scaling.svg.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import yaml
from autoscaling.demand import DAY, HOUR, Crowd, Room, rooms_of_a_day
from autoscaling.figures import Figures, figures
from autoscaling.hpa import DEFAULT_DOWN, DEFAULT_UP, Autoscaler, Spec, read_spec
from autoscaling.plot import Panel, picture
from autoscaling.world import History, Signal, World, cpu, people, stress

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "deploy" / "k8s" / "components" / "autoscaling" / "media.yaml"
PICTURE = ROOT / "docs" / "scaling.svg"
ROOMS_PER_HOUR = 1400.0
CROWD = Crowd(at=13.2 * HOUR, seconds=120, rooms=150)
DRAIN_SECONDS = 120.0
PEOPLE_PER_NODE = 120.0


@dataclass(frozen=True)
class Variant:
    """One way to scale."""

    title: str
    spec: Spec
    signal: Signal = cpu
    emptiest_first: bool = True
    shown: bool = False


def variants(shipped: Spec) -> list[Variant]:
    """What ships, and what it was compared with."""
    half_hour = replace(shipped.down, stabilization=1800.0)
    unsettled = replace(shipped.down, stabilization=0.0, policies=DEFAULT_DOWN.policies)
    return [
        Variant("as shipped", shipped, shown=True),
        Variant("Salon's stress as the signal", shipped, stress),
        Variant("people as the signal, 120 a node", replace(shipped, target=PEOPLE_PER_NODE), people),
        Variant("newest pod first", shipped, emptiest_first=False),
        Variant("window of half an hour", replace(shipped, down=half_hour)),
        Variant("Kubernetes's defaults", replace(shipped, up=DEFAULT_UP, down=DEFAULT_DOWN), shown=True),
        Variant("no stabilisation", replace(shipped, down=unsettled), shown=True),
    ]


def play(variant: Variant, rooms: Sequence[Room], seed: int) -> History:
    """The day under one variant."""
    world = World(
        Autoscaler(variant.spec),
        pods=variant.spec.least,
        seed=seed,
        drain_seconds=DRAIN_SECONDS,
        signal=variant.signal,
        emptiest_first=variant.emptiest_first,
    )
    return world.play(rooms, DAY)


def row(title: str, day: Figures) -> str:
    """One line of the table."""
    cells = (
        title,
        day.scalings,
        f"{day.reversals} / {day.flaps}",
        f"{day.overload_minutes:.0f}",
        f"{100 * day.people_overloaded:.2f} %",
        f"{day.pod_hours:.0f} / {day.ideal_hours:.0f}",
        f"{day.moved:.0f}",
        f"{day.longest_drain:.0f} s",
        day.dropped + day.refused,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Play the day and show it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rooms", type=float, default=ROOMS_PER_HOUR, help="rooms that begin in the busiest hour"
    )
    args = parser.parse_args()
    shipped = read_spec(yaml.safe_load(MANIFEST.read_text()))
    rooms = list(rooms_of_a_day(args.seed, args.rooms, crowds=(CROWD,)))
    print(f"{len(rooms)} rooms with {sum(room.people for room in rooms)} people in a day\n")
    print(
        "| | scalings | turned round in 1 h / 30 min | node minutes over a core | people's time there | pod hours / ideal |"
        " people moved | longest drain | rooms dropped or refused |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    panels = []
    for variant in variants(shipped):
        history = play(variant, rooms, args.seed)
        print(row(variant.title, figures(history, shipped.target, shipped.least)), flush=True)
        if variant.shown:
            needed = [max(shipped.least, math.ceil(m.load / shipped.target)) for m in history.moments]
            panels.append(
                Panel(
                    f"{variant.title}: pods (line), needed (grey), a node over its core (red)",
                    history,
                    needed,
                )
            )
    PICTURE.write_text(picture(panels))
    print(f"\n{PICTURE.relative_to(ROOT)} is written")


if __name__ == "__main__":
    main()
