"""`make test-faults`: breaks parts of a running Salon at random moments, and says what its participants noticed.

Prints a table of all scenarios and writes every sample to .run/faults/latest.json. Ends with 1 when a bound was not kept. One seed makes the
same choices again: victims and moments, not the scheduling of the machine.
"""

import argparse
import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from faults import clock_jumps, nats_outage, node_faults, planned_moves, service_kills
from faults.figures import Outcome, table, write
from faults.stage import Size, Stage
from salon_common.errors import SalonError
from support.chromium import require

RESULTS = Path(".run/faults/latest.json")
TRIES = 2
"""How often in a row a run may fail to come to its end before the scenario is given up."""

Scenario = Callable[[Outcome, "Options"], Awaitable[None]]


class Options(argparse.Namespace):
    """What was asked for."""

    runs: int
    seed: int
    pages: int
    outage: float
    only: list[str]
    directory: Path

    @property
    def size(self) -> Size:
        """Who takes part."""
        return Size(pages=self.pages)


StagedRun = Callable[[Stage, random.Random, int, Outcome], Awaitable[None]]


def staged(
    run_once: StagedRun,
    *,
    isolate: Sequence[str] = (),
    settings: Mapping[str, Mapping[str, str]] | None = None,
    moves: bool = False,
) -> Scenario:
    """A scenario of runs that share a stage; a run that does not end well gets the next a new stage."""

    async def scenario(outcome: Outcome, options: Options) -> None:
        chance = random.Random(outcome.seed)
        run = failures = 0
        while run < options.runs and failures < TRIES:
            async with Stage.open(
                options.directory,
                planned_moves.sized(options.size) if moves else options.size,
                isolate=isolate,
                settings=settings,
            ) as stage:
                while run < options.runs:
                    run += 1
                    show(f"{outcome.scenario}: run {run} of {options.runs}")
                    try:
                        await run_once(stage, chance, run, outcome)
                        failures = 0
                    except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the other scenarios follow
                        outcome.find(run, f"did not come to its end: {type(error).__name__}: {error}")
                        failures += 1
                        break
            keep(outcome, options.directory)

    return scenario


def keep(outcome: Outcome, directory: Path) -> None:
    """Keep the logs of the last stage, and what participants were told, where a person can read them."""
    kept = RESULTS.parent / outcome.scenario
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(directory / "stack" / "logs", kept)
    for log in directory.glob("*.log"):
        shutil.copy(log, kept)
    (kept / "timelines.json").write_text(json.dumps(outcome.timelines, indent=1))


def node_fault(fault: node_faults.NodeFault) -> Scenario:
    """A scenario of one way for a node to fail."""

    async def run_once(stage: Stage, chance: random.Random, run: int, outcome: Outcome) -> None:
        await node_faults.run_node_fault(stage, fault, chance, run, outcome)

    return staged(run_once, isolate=[node_faults.ISOLATED] if fault.isolated else ())


def service_kill(victim: str) -> Scenario:
    """A scenario of one part that is killed while people join."""

    async def scenario(outcome: Outcome, options: Options) -> None:
        def on_run(run: int) -> None:
            show(f"{outcome.scenario}: run {run} of {options.runs}")

        try:
            await service_kills.service_kill_scenario(
                outcome, victim, options.runs, options.directory, on_run
            )
        finally:
            keep(outcome, options.directory)

    return scenario


def outage() -> Scenario:
    """NATS away, once: an outage is long."""

    async def scenario(outcome: Outcome, options: Options) -> None:
        async def run_once(stage: Stage, chance: random.Random, run: int, outcome: Outcome) -> None:
            await nats_outage.run_outage(stage, options.outage, chance, run, outcome)

        once = Options(**vars(options) | {"runs": 1})
        await staged(run_once)(outcome, once)

    return scenario


def clock_jump() -> Scenario:
    """A scenario of one service whose wall clock is wrong for a while."""

    async def scenario(outcome: Outcome, options: Options) -> None:
        clocks = clock_jumps.Clocks(options.directory)

        async def run_once(stage: Stage, chance: random.Random, run: int, outcome: Outcome) -> None:
            await clock_jumps.run_clock_jump(stage, clocks, chance, run, outcome)

        await staged(run_once, settings=clocks.settings)(outcome, options)

    return scenario


def scenarios() -> dict[str, Scenario]:
    """All of them, by name, in the order in which they are run."""
    named = {fault.name: node_fault(fault) for fault in node_faults.NODE_FAULTS}
    for move in planned_moves.PLANNED_MOVES:
        named[move.name] = staged(move.run, settings=planned_moves.SETTINGS, moves=True)
    for victim in service_kills.VICTIMS:
        named[f"kill-{victim}"] = service_kill(victim)
    named["clock-jump"] = clock_jump()
    named["nats-away"] = outage()
    return named


async def play(name: str, scenario: Scenario, options: Options) -> Outcome:
    """One scenario. What keeps it from being run at all, such as missing rights, fails it."""
    outcome = Outcome(name, options.seed)
    began = time.monotonic()
    try:
        await scenario(outcome, options)
    except (SalonError, AssertionError, TimeoutError, OSError) as error:
        outcome.find(0, f"cannot be run: {error}")
    show(
        f"{name}: {outcome.runs} runs in {time.monotonic() - began:.0f} s, {'ok' if outcome.holds else 'FAILED'}"
    )
    return outcome


async def main(options: Options) -> int:
    """Everything that was asked for."""
    known = scenarios()
    if options.pages:
        require()
    outcomes = []
    for name in options.only or known:
        with tempfile.TemporaryDirectory(prefix="salon-faults-", ignore_cleanup_errors=True) as directory:
            options.directory = Path(directory)
            outcomes.append(await play(name, known[name], options))
        write(outcomes, RESULTS, about(options))
    print(table(outcomes))
    return 0 if all(outcome.holds for outcome in outcomes) else 1


def about(options: Options) -> dict[str, object]:
    """Where and on what the figures were taken."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {"commit": commit.stdout.strip(), "host": f"{psutil.cpu_count()} cores", "seed": options.seed}


def show(line: str) -> None:
    """Progress, beside the table."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="runs a scenario (20 for the figures)")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--pages", type=int, default=2, help="Chromium pages; 0 for native clients alone")
    parser.add_argument("--outage", type=float, default=40.0, help="how many seconds NATS is away")
    parser.add_argument("only", nargs="*", choices=[[], *scenarios()], help="scenarios; all by default")
    return parser.parse_args(arguments, namespace=Options())


if __name__ == "__main__":
    sys.exit(asyncio.run(main(parse())))
