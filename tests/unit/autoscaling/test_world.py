"""The simulation itself, and in small what it shows of the manifest: no flapping, no room dropped."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from autoscaling.demand import HOUR, MINUTE, Crowd, Room, hour_factor, rooms_of_a_day
from autoscaling.figures import FLAP_SECONDS, figures, reversals
from autoscaling.hpa import DEFAULT_DOWN, Autoscaler, Spec, read_spec
from autoscaling.plot import Panel, picture
from autoscaling.world import History, World, cpu

MANIFEST = Path(__file__).parents[3] / "deploy" / "k8s" / "components" / "autoscaling" / "media.yaml"
MORNING = 4 * HOUR


@pytest.fixture(scope="module")
def shipped() -> Spec:
    return read_spec(yaml.safe_load(MANIFEST.read_text()))


@pytest.fixture(scope="module")
def rooms() -> list[Room]:
    crowd = Crowd(at=1.2 * HOUR, seconds=120, rooms=40)
    return list(rooms_of_a_day(3, 350, crowds=(crowd,), seconds=MORNING, first_hour=8.0))


def play(
    spec: Spec, rooms: list[Room], *, drain_seconds: float = 120.0, emptiest_first: bool = True
) -> History:
    world = World(
        Autoscaler(spec),
        pods=spec.least,
        seed=3,
        drain_seconds=drain_seconds,
        signal=cpu,
        emptiest_first=emptiest_first,
    )
    return world.play(rooms, MORNING)


class TestDemand:
    def test_is_the_same_for_the_same_seed_and_in_order(self, rooms: list[Room]) -> None:
        crowd = Crowd(at=1.2 * HOUR, seconds=120, rooms=40)
        assert list(rooms_of_a_day(3, 350, crowds=(crowd,), seconds=MORNING, first_hour=8.0)) == rooms
        assert [room.begins for room in rooms] == sorted(room.begins for room in rooms)
        assert all(room.begins < room.ends and 2 <= room.people <= 50 for room in rooms)

    def test_nights_are_calm_and_full_hours_are_not(self, rooms: list[Room]) -> None:
        assert hour_factor(3) < 0.1 < 0.9 < hour_factor(10.5)
        near = [room for room in rooms if min(room.begins % HOUR, -room.begins % HOUR) < 5 * MINUTE]
        assert len(near) > 2 * len(rooms) * 10 / 60 * 0.9, "twice as many as in other ten minutes"

    def test_a_larger_room_costs_more_for_each(self) -> None:
        each = [Room("r", 0, 1, people).load / people for people in (2, 6, 13, 50)]
        assert each[0] < each[1] < each[2] == each[3]


class TestWorld:
    def test_as_shipped_nothing_is_dropped_and_nothing_flaps(self, shipped: Spec, rooms: list[Room]) -> None:
        history = play(shipped, rooms)
        found = figures(history, shipped.target, shipped.least)
        assert (found.dropped, found.refused) == (0, 0)
        assert max(change for _, change in history.scalings) > 1, "it scaled out by several at once"
        assert found.flaps <= 1
        assert found.people_overloaded < 0.01
        assert found.pod_hours < 2 * found.ideal_hours

    def test_without_a_window_it_flaps(self, shipped: Spec, rooms: list[Room]) -> None:
        """What the window is for; and that the figures above could tell."""
        unsettled = replace(shipped, down=replace(DEFAULT_DOWN, stabilization=0.0))
        assert figures(play(unsettled, rooms), shipped.target, shipped.least).flaps > 5

    def test_a_drain_without_time_drops_rooms(self, shipped: Spec, rooms: list[Room]) -> None:
        hasty = replace(shipped, down=replace(DEFAULT_DOWN, stabilization=60.0))
        assert play(hasty, rooms, drain_seconds=5.0).dropped > 0
        assert play(hasty, rooms, drain_seconds=120.0).dropped == 0

    def test_the_emptiest_first_moves_fewer_people(self, shipped: Spec, rooms: list[Room]) -> None:
        eager = replace(shipped, down=replace(shipped.down, stabilization=300.0))
        newest = play(eager, rooms, emptiest_first=False)
        assert play(eager, rooms).moved_people < newest.moved_people

    def test_everybody_is_counted_once(self, shipped: Spec) -> None:
        """A room fills, stays and ends: after that nobody is left anywhere."""
        history = play(shipped, [Room("r", 60.0, 600.0, 10)])
        people = [round(moment.people, 6) for moment in history.moments]
        assert max(people) == 10.0
        assert people[-1] == 0.0


class TestFigures:
    def test_reversals_are_changes_of_direction_soon_after(self) -> None:
        scalings = [(0.0, 2), (60.0, 3), (120.0, -1), (4000.0, 1), (8000.0, -1)]
        assert reversals(scalings, FLAP_SECONDS) == 1
        assert reversals(scalings, 2 * HOUR) == 3

    def test_the_picture_has_a_panel_each(self, shipped: Spec) -> None:
        history = play(shipped, [Room("r", 60.0, 600.0, 10)])
        panel = Panel("quiet", history, [2] * len(history.moments))
        drawn = picture([panel, panel])
        assert drawn.startswith("<svg")
        assert drawn.count("quiet") == 2
