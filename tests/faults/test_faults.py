"""One of each kind of fault with native clients alone: whether everybody is served again. The figures are `make test-faults`'s.

Bounds of time are wide here: a busy machine must not fail this. That rooms are lost, that somebody hears nobody again, receives from two nodes,
or is swept, fails it anywhere.
"""

import random
from pathlib import Path

import pytest
from faults import nats_outage, planned_moves, service_kills
from faults.figures import Outcome
from faults.node_faults import ISOLATED, named, run_node_fault
from faults.stage import SMALL, Stage
from salon_client.run.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

OUTAGE_SECONDS = 15.0
"""Longer than a lease of presence."""


@pytest.fixture
def outcome(request: pytest.FixtureRequest) -> Outcome:
    return Outcome(str(request.node.name), seed=4)


@pytest.mark.parametrize("name", ["kill", "freeze", "cut-idle"])
async def test_everybody_is_served_again_when_a_node_is_lost(
    name: str, tmp_path: Path, outcome: Outcome
) -> None:
    fault = named(name)
    isolate = [ISOLATED] if fault.isolated else []
    async with Stage.open(tmp_path, SMALL, isolate=isolate) as stage:
        await run_node_fault(stage, fault, random.Random(outcome.seed), 1, outcome)
    assert outcome.runs == 1
    assert outcome.findings == []


async def test_a_drain_loses_nobody(tmp_path: Path, outcome: Outcome) -> None:
    async with Stage.open(tmp_path, SMALL, settings=planned_moves.SETTINGS) as stage:
        await planned_moves.PLANNED_MOVES[0].run(stage, random.Random(outcome.seed), 1, outcome)
    assert outcome.runs == 1
    assert outcome.findings == []


async def test_a_short_outage_of_nats_loses_nobody(tmp_path: Path, outcome: Outcome) -> None:
    async with Stage.open(tmp_path, SMALL) as stage:
        await nats_outage.run_outage(stage, OUTAGE_SECONDS, random.Random(outcome.seed), 1, outcome)
    assert outcome.runs == 1
    assert outcome.findings == []


async def test_rooms_killed_during_joins_loses_nothing(tmp_path: Path, outcome: Outcome) -> None:
    async with Stack(directory=tmp_path, media=0, web=False) as stack:
        await service_kills.run_service_kill(stack, "rooms-1", random.Random(outcome.seed), 1, outcome)
    assert outcome.findings == []
