"""Regions in which many things go wrong: whatever it was, nobody is lost and everything is whole again afterwards.

A failing run prints its scenario, which is a value: `RUNS=1 SEED=<seed> make test-model` plays it again, step by step.
"""

import os
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model.faults import Fault, Kind
from model.observer import Violation
from model.scenario import Scenario, scenario, simplified
from model.world import Size

RUNS = int(os.environ.get("RUNS", "100"))
SEED = int(os.environ.get("SEED", "0"))


def test_seeded_scenarios() -> None:
    for seed in range(SEED, SEED + RUNS):
        try:
            scenario(seed).play()
        except Violation:
            simplified(scenario(seed)).play()
            raise


def test_a_seed_gives_the_same_run_again() -> None:
    rough = replace(scenario(5), rough=True)
    assert rough.play().trace.text(last=4000) == rough.play().trace.text(last=4000)


SIZES = st.builds(
    Size,
    rooms=st.integers(1, 2),
    people=st.integers(1, 4),
    nodes=st.integers(2, 4),
    replicas=st.integers(1, 3),
    signaling=st.integers(1, 2),
    capacity=st.integers(4, 6),
)
FAULTS = st.builds(
    Fault,
    kind=st.sampled_from(Kind),
    at=st.integers(0, 60).map(lambda tenths: tenths / 5),
    target=st.integers(0, 3),
    lasts=st.sampled_from([0.3, 1.5, 4.0, 12.0]),
)


@settings(max_examples=max(RUNS // 4, 1), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 9), faults=st.lists(FAULTS, max_size=8), size=SIZES, rough=st.booleans())
def test_any_faults_in_any_order(seed: int, faults: list[Fault], size: Size, rough: bool) -> None:
    Scenario(seed, tuple(faults), size, rough).play()
