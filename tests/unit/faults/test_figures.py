"""Percentiles, verdicts, and what stands in the table."""

import json
from pathlib import Path

import pytest
from faults.figures import Figure, Outcome, Sample, Who, percentile, table, write
from faults.node_faults import back_at
from hypothesis import given
from hypothesis import strategies as st

BOUND = Figure("packets", p95=1.0, bystanders=0.2)


def outcome(*samples: tuple[Who, float]) -> Outcome:
    made = Outcome("kill", seed=1, runs=1)
    row = made.row(BOUND)
    row.samples += [Sample(1, who, "x", seconds) for who, seconds in samples]
    return made


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_this_part_does_not_exceed(values: list[float], part: float) -> None:
    found = percentile(values, part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values) - 1e-6
    assert sum(value < found for value in values) < part * len(values) + 1e-6


def test_one_of_twenty_may_be_late() -> None:
    assert percentile([0.1] * 19 + [9.0], 0.95) == 0.1
    assert percentile([0.1] * 18 + [9.0, 9.0], 0.95) == 9.0


def test_native_and_chromium_are_judged_apart() -> None:
    many = [(Who.NATIVE, 0.5)] * 100
    assert outcome(*many, (Who.CHROMIUM, 0.9)).holds
    assert not outcome(*many, (Who.CHROMIUM, 1.1)).holds


def test_one_bystander_is_enough() -> None:
    assert outcome((Who.NATIVE, 0.5), (Who.BYSTANDER, 0.19)).holds
    assert not outcome((Who.NATIVE, 0.5), (Who.BYSTANDER, 0.1), (Who.BYSTANDER, 0.21)).holds


def test_a_finding_fails_a_scenario_whatever_the_figures() -> None:
    made = outcome((Who.NATIVE, 0.5))
    made.find(3, "a room was lost")
    assert not made.holds
    assert table([made]).endswith("kill: run 3: a room was lost")


def test_a_scenario_that_never_ran_has_not_held() -> None:
    assert not Outcome("cut", seed=1).holds
    assert "FAILED" in table([Outcome("cut", seed=1)])


def test_the_table_tells_spread_and_bound() -> None:
    text = table([outcome((Who.NATIVE, 0.5), (Who.NATIVE, 1.5), (Who.BYSTANDER, 0.1))])
    assert "0.50 / 1.50 / 1.50" in text
    assert "p95 1, bystanders 0.2" in text
    assert "FAILED" in text


def test_all_samples_are_written(tmp_path: Path) -> None:
    write([outcome((Who.NATIVE, 0.5))], tmp_path / "deep" / "latest.json", {"commit": "abc"})
    said = json.loads((tmp_path / "deep" / "latest.json").read_text())
    assert said["commit"] == "abc"
    assert said["scenarios"][0]["figures"][0]["samples"] == [
        {"run": 1, "who": "native", "name": "x", "seconds": 0.5}
    ]


@pytest.mark.parametrize(
    ("heights", "ended", "back"),
    [
        ([(1.0, 360)], 5.5, 5.5),
        ([(1.0, 360), (5.5, 180), (7.0, 360)], 5.5, 7.0),
        ([(1.0, 360), (5.5, 180), (6.0, 360), (6.5, 180), (8.0, 360)], 5.5, 8.0),
        ([(1.0, 360), (5.5, 180)], 5.5, None),
        ([(1.0, 360)], None, None),
    ],
)
def test_a_picture_is_back_when_it_stays_as_tall_as_before(
    heights: list[tuple[float, int]], ended: float | None, back: float | None
) -> None:
    assert back_at({"heights": heights, "frames": {"ended": ended}}, 5.0, 360) == back
