"""The wall clock of one service jumps an hour, and back: nobody is put out, media and messages go on, and people can join.

The clock is moved for one process at a time by a library that is built here and preloaded; the services know nothing of it. Monotonic
clocks cannot jump: a frozen process is their case.
"""

import asyncio
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

from faults.crowd import join_native
from faults.figures import Figure, Outcome, Who
from faults.nats_outage import natives_agree
from faults.node_faults import Reading, mark_all, native_gap, page_gap
from faults.stage import VIEWER, Cast, Stage, choose_victim
from salon_common.errors import Code, SalonError

SHIM = Path(__file__).with_name("clock_shim.c")
HOUR = 3600
AWAY_SECONDS = 8.0
BACK_SECONDS = 5.0
MEDIA = Figure("packets", p95=0.5, bystanders=0.5)
_WHOLE_RUN_SECONDS = 120.0


class Clocks:
    """The offsets of the processes that were started with `settings`."""

    def __init__(self, directory: Path) -> None:
        """Build the library. Raises SalonError when there is no compiler."""
        self._offsets = directory / "clocks"
        self._offsets.mkdir(parents=True)
        self._library = directory / "clock_shim.so"
        command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(self._library), str(SHIM), "-ldl"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SalonError(
                Code.FAILED_PRECONDITION, f"clocks cannot be moved without a C compiler ({error})"
            ) from None

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        """What the services are started with."""
        preload = {"LD_PRELOAD": str(self._library), "FAULT_CLOCKS": str(self._offsets)}
        return dict.fromkeys(("rooms", "signaling", "media"), preload)

    def set(self, pid: int, seconds: int) -> None:
        """Put a process's wall clock so far off."""
        (self._offsets / f"{pid}.new").write_text(str(seconds))
        (self._offsets / f"{pid}.new").rename(self._offsets / str(pid))


async def run_clock_jump(
    stage: Stage, clocks: Clocks, chance: random.Random, run: int, outcome: Outcome
) -> None:
    """One jump and the way back, in one service."""
    async with asyncio.timeout(_WHOLE_RUN_SECONDS):
        node = choose_victim(chance, stage.media_names)
        cast = await stage.seat(node, run)
        victim = ("rooms-1", "signaling-1", node)[run % 3]
        offset = chance.choice((-HOUR, HOUR))
        before = await cast.members.report() | await cast.bystanders.report()
        reading = Reading(outcome, run, await mark_all(stage, cast))
        clocks.set(stage.stack.pid(victim), offset)
        await asyncio.sleep(AWAY_SECONDS)
        about = f"with the clock of {victim} {offset:+d} s"
        await still_works(stage, cast, f"{about}, run {run}", reading)
        clocks.set(stage.stack.pid(victim), 0)
        await asyncio.sleep(BACK_SECONDS)
        await natives_agree(cast, before, run, outcome, f"{about} and back ")
        await read_media(stage, cast, reading)
        await stage.clear(cast)
        outcome.runs += 1


async def still_works(stage: Stage, cast: Cast, about: str, reading: Reading) -> None:
    """While the clock is wrong, somebody can write, and somebody new can come and go."""
    first = cast.members.natives[0]
    try:
        await first.process.call("say", name=first.name, text=about)
        guest = await join_native(first.process, cast.links[0], "Guest", stage.stack.signaling_grpc, VIEWER)
        await guest.process.call("leave", names=[guest.name], quietly=False)
    except (RuntimeError, TimeoutError) as error:
        reading.outcome.find(reading.run, f"{about}: {error}")


async def read_media(stage: Stage, cast: Cast, reading: Reading) -> None:
    """Everybody's longest gap over the whole."""
    natives, bystanders, pages = await asyncio.gather(
        cast.members.report(), cast.bystanders.report(), stage.pages.gaps()
    )
    reading.outcome.note(reading.run, jumped_at=reading.since, natives=natives)
    for who, reports in ((Who.NATIVE, natives), (Who.BYSTANDER, bystanders)):
        for name, report in reports.items():
            reading.add(MEDIA, who, name, native_gap(report, "packets"))
    for name, gaps in pages.items():
        reading.add(MEDIA, Who.CHROMIUM, name, page_gap(gaps, idle=False))
