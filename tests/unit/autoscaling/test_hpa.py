"""The autoscaler's algorithm, by the rules of Kubernetes's documentation."""

import pytest
from autoscaling.hpa import (
    DEFAULT_DOWN,
    DEFAULT_UP,
    SYNC_SECONDS,
    Autoscaler,
    Policy,
    Rules,
    Sample,
    Spec,
    read_quantity,
    read_spec,
)
from hypothesis import given
from hypothesis import strategies as st

AT_ONCE = Rules(0.0, (Policy("Percent", 900, 15.0),))

ALL_AT_ONCE = Rules(0.0, DEFAULT_DOWN.policies)


def spec(up: Rules = AT_ONCE, down: Rules = ALL_AT_ONCE) -> Spec:
    return Spec(least=1, most=50, target=0.5, up=up, down=down)


def pods(count: int, value: float | None, *, unready: int = 0) -> list[Sample]:
    return [Sample(True, value)] * count + [Sample(False, None)] * unready


class TestAdvice:
    @pytest.mark.parametrize(
        ("value", "wanted"), [(0.5, 4), (0.54, 4), (0.46, 4), (0.56, 5), (1.0, 8), (0.25, 2), (0.0, 1)]
    )
    def test_is_the_average_over_the_target_outside_the_tolerance(self, value: float, wanted: int) -> None:
        assert Autoscaler(spec()).sync(4, pods(4, value), 0.0) == wanted

    def test_pods_that_start_count_as_idle_when_more_are_wanted(self) -> None:
        """Two at 1.0 ask for four, and two more are on their way already."""
        assert Autoscaler(spec()).sync(4, pods(2, 1.0, unready=2), 0.0) == 4

    def test_pods_that_start_do_not_count_when_fewer_are_wanted(self) -> None:
        assert Autoscaler(spec()).sync(4, pods(3, 0.15, unready=1), 0.0) == 1

    def test_pods_without_a_metric_count_against_the_change(self) -> None:
        assert Autoscaler(spec()).sync(4, [*pods(2, 1.0), *pods(2, None)], 0.0) == 4
        assert Autoscaler(spec()).sync(4, [*pods(2, 0.25), *pods(2, None)], 0.0) == 3

    def test_without_any_metric_nothing_changes(self) -> None:
        assert Autoscaler(spec()).sync(4, pods(0, None, unready=4), 0.0) == 4


class TestStabilisation:
    def test_scale_in_waits_until_the_most_that_was_advised_is_old(self) -> None:
        scaler = Autoscaler(spec(down=Rules(60.0, DEFAULT_DOWN.policies)))
        assert scaler.sync(4, pods(4, 0.5), 0.0) == 4
        assert scaler.sync(4, pods(4, 0.1), 15.0) == 4
        assert scaler.sync(4, pods(4, 0.1), 59.0) == 4
        assert scaler.sync(4, pods(4, 0.1), 60.0) == 1

    def test_scale_out_waits_for_its_own_window(self) -> None:
        scaler = Autoscaler(spec(up=Rules(30.0, AT_ONCE.policies)))
        assert scaler.sync(4, pods(4, 0.5), 0.0) == 4
        assert scaler.sync(4, pods(4, 1.0), 15.0) == 4
        assert scaler.sync(4, pods(4, 1.0), 30.0) == 8


class TestRate:
    def test_pods_a_period(self) -> None:
        scaler = Autoscaler(spec(down=Rules(0.0, (Policy("Pods", 1, 60.0),))))
        assert scaler.sync(4, pods(4, 0.1), 0.0) == 3
        assert scaler.sync(3, pods(3, 0.1), 45.0) == 3
        assert scaler.sync(3, pods(3, 0.1), 60.0) == 2

    def test_a_share_is_rounded_outward(self) -> None:
        assert Autoscaler(spec(up=Rules(0.0, (Policy("Percent", 10, 15.0),)))).sync(3, pods(3, 2.0), 0.0) == 4
        assert (
            Autoscaler(spec(down=Rules(0.0, (Policy("Percent", 10, 15.0),)))).sync(3, pods(3, 0.0), 0.0) == 2
        )

    def test_the_policy_that_allows_most_counts_unless_said_otherwise(self) -> None:
        both = (Policy("Percent", 100, 15.0), Policy("Pods", 4, 15.0))
        assert Autoscaler(spec(up=Rules(0.0, both))).sync(2, pods(2, 9.0), 0.0) == 6
        assert Autoscaler(spec(up=Rules(0.0, both, fastest=False))).sync(2, pods(2, 9.0), 0.0) == 4

    def test_what_a_period_brought_in_the_other_direction_is_counted_too(self) -> None:
        scaler = Autoscaler(spec(up=Rules(0.0, (Policy("Pods", 2, 60.0),))))
        assert scaler.sync(4, pods(4, 0.1), 0.0) == 1
        assert scaler.sync(1, pods(1, 9.0), 15.0) == 6, "two more than the four of a period ago"

    @given(st.lists(st.floats(0, 3), min_size=1, max_size=40), st.integers(1, 50))
    def test_the_bounds_hold_whatever_is_measured(self, values: list[float], current: int) -> None:
        scaler = Autoscaler(Spec(2, 12, 0.5))
        for number, value in enumerate(values):
            current = scaler.sync(current, pods(current, value), number * SYNC_SECONDS)
            assert 2 <= current <= 12


class TestManifest:
    def test_is_read_with_the_defaults_of_kubernetes(self) -> None:
        metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageValue": "600m"}}}
        read = read_spec({"spec": {"minReplicas": 2, "maxReplicas": 9, "metrics": [metric]}})
        assert read == Spec(2, 9, 0.6, DEFAULT_UP, DEFAULT_DOWN)

    def test_is_read_with_what_it_says(self) -> None:
        metric = {"type": "Pods", "pods": {"metric": {"name": "x"}, "target": {"averageValue": "3"}}}
        down = {
            "stabilizationWindowSeconds": 900,
            "selectPolicy": "Min",
            "tolerance": "50m",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
        }
        read = read_spec(
            {
                "spec": {
                    "minReplicas": 2,
                    "maxReplicas": 9,
                    "metrics": [metric],
                    "behavior": {"scaleDown": down},
                }
            }
        )
        assert read.target == 3.0
        assert read.down == Rules(900, (Policy("Pods", 1, 120),), fastest=False, tolerance=0.05)
        assert read.up == DEFAULT_UP

    @pytest.mark.parametrize(("text", "value"), [("600m", 0.6), ("1", 1.0), ("0.75", 0.75), (2, 2.0)])
    def test_quantities(self, text: str | float, value: float) -> None:
        assert read_quantity(text) == value
