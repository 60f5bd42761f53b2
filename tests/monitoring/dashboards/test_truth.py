"""A real Prometheus scrapes real services while people come and go, a node is drained and another dies: every panel shows something, and
what can be counted is what was done.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from dashboards.boards import BOARDS
from dashboards.model import Board, Kind, Panel, Unit
from monitoring.dashboards.prometheus_server import Series
from monitoring.dashboards.reading import Reading, Window, ask_annotation, ask_board, ask_panel, choices
from monitoring.dashboards.show import BUSY, CALM, PEOPLE, ROOMS, Show, played

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

boards = pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))


@dataclass(frozen=True)
class Watched:
    """What was played, and how to read it off dashboards."""

    show: Show
    window: Window

    @property
    def chosen(self) -> dict[str, str]:
        """What a reader has chosen who wonders about the node that was drained."""
        return {"region": BUSY, "node": self.show.story.drained}

    async def panel(self, board: str, title: str, *, region: str = BUSY) -> Reading:
        """A panel's data over all of it."""
        (panel,) = (each for row in BOARDS[board].rows for each in row.panels if each.title == title)
        return await ask_panel(self.show.server, panel, self.chosen | {"region": region}, self.window)

    async def events(self, name: str) -> list[Series]:
        """An annotation of the region's dashboard."""
        (annotation,) = (each for each in BOARDS["region"].annotations if each.name == name)
        return await ask_annotation(self.show.server, annotation, self.chosen, self.window)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with played(tmp_path_factory.mktemp("dashboards")) as show:
        yield Watched(show, Window(show.story.began, time.time()))


def line(reading: Reading, label: str) -> list[float]:
    """The values of the series of that name."""
    for answer in reading.answers:
        for name, series in zip(answer.names(), answer.series, strict=True):
            if name == label:
                return series.finite
    raise AssertionError(f"{reading.panel.title} shows no {label}")


def number(reading: Reading) -> float:
    """The one value of a panel."""
    (answer,) = reading.answers
    (series,) = answer.series
    return series.finite[-1]


@boards
async def test_no_query_comes_back_empty(watched: Watched, board: Board) -> None:
    readings = await ask_board(watched.show.server, board, watched.chosen, watched.window)
    empty = [
        f"{reading.panel.title}: {answer.query.expr}"
        for reading in readings
        for answer in reading.answers
        if not answer.has_values
    ]
    assert empty == []


@boards
async def test_series_can_be_told_apart(watched: Watched, board: Board) -> None:
    for reading in await ask_board(watched.show.server, board, watched.chosen, watched.window):
        names = [name for answer in reading.answers for name in answer.names()]
        assert len(set(names)) == len(names), reading.panel.title
        assert all(names), reading.panel.title
        assert len(names) <= 16, reading.panel.title


@boards
async def test_single_values_are_single_and_shares_are_shares(watched: Watched, board: Board) -> None:
    for reading in await ask_board(watched.show.server, board, watched.chosen, watched.window):
        if reading.panel.kind is Kind.NUMBER:
            assert _is_plausible(reading.panel, number(reading)), reading.panel.title


def _is_plausible(panel: Panel, value: float) -> bool:
    return 0 <= value <= 1 if panel.unit is Unit.RATIO else value >= 0


async def test_readers_choose_among_regions_and_nodes(watched: Watched) -> None:
    region, node = BOARDS["node"].variables
    server, chosen, window = watched.show.server, watched.chosen, watched.window
    assert await choices(server, region, chosen, window) == [BUSY, CALM]
    assert await choices(server, node, chosen, window) == ["media-1", "media-2", "media-3"]
    assert await choices(server, node, {"region": CALM}, window) == ["media-1"]


async def test_people_are_counted_once_and_in_their_region(watched: Watched) -> None:
    people = await watched.panel("worldwide", "People, by region")
    assert max(line(people, BUSY)) == ROOMS * PEOPLE
    assert max(line(people, CALM)) == 2
    assert (
        number(await watched.panel("region", "People in rooms")) == ROOMS * PEOPLE - watched.show.story.left
    )
    assert number(await watched.panel("region", "People in rooms", region=CALM)) == 1


async def test_joins_are_counted_by_step_and_outcome(watched: Watched) -> None:
    story = watched.show.story
    steps = await watched.panel("joins", "Steps, over the shown time")
    counted = {answer.query.legend: round(answer.series[0].finite[-1]) for answer in steps.answers}
    assert counted["called"] == story.joined + story.refused
    assert counted["welcomed"] == counted["admitted"] == counted["connected"] == story.joined
    # The first in a room sees nobody, and who has not left may not have said yet that it sees somebody.
    assert ROOMS <= counted["first_frame"] <= story.joined
    assert max(line(await watched.panel("joins", "Joins, by code"), "NOT_FOUND")) > 0
    assert number(await watched.panel("worldwide", "Joins that succeed")) == 1


async def test_a_drain_and_a_death_are_seen_for_what_they_are(watched: Watched) -> None:
    moved = await watched.panel("region", "Rooms moved")
    assert max(line(moved, "drain")) > 0
    assert max(line(moved, "dead")) > 0
    assert max(line(await watched.panel("region", "Verdicts on nodes"), "dead")) > 0
    assert max(line(await watched.panel("node", "Mode"), "draining")) == 1
    missed = await watched.panel("quality", "Clients that missed media, over the shown time")
    assert line(missed, "crash")[-1] + line(missed, "silence")[-1] > 0


async def test_events_are_marked_when_they_happened(watched: Watched) -> None:
    (draining,) = await watched.events("Node draining")
    (dead,) = await watched.events("Node dead")
    assert draining.samples[0][0] < dead.samples[0][0]
    assert watched.show.story.full is not None
    assert draining.samples[0][0] > watched.show.story.full.end - 2


async def test_the_calm_region_shows_nothing_of_the_others_trouble(watched: Watched) -> None:
    assert max(line(await watched.panel("region", "Rooms moved", region=CALM), "dead")) == 0
    assert max(line(await watched.panel("region", "Nodes, by mode", region=CALM), "active")) == 1
    assert max(line(await watched.panel("worldwide", "Rooms moved off dead nodes"), CALM)) == 0


async def test_the_death_fires_its_alert_and_the_calm_region_none(watched: Watched) -> None:
    firing = await watched.show.server.query('ALERTS{alertstate="firing"}')
    assert "SalonMediaNodeDied" in {alert.labels["alertname"] for alert in firing}
    assert {alert.labels["region"] for alert in firing} == {BUSY}
    # Not the same number: the panel ends with the show, and alerts come and go.
    assert number(await watched.panel("worldwide", "Alerts")) >= 1


async def test_the_rules_that_ship_can_be_evaluated(watched: Watched) -> None:
    assert await watched.show.server.unhealthy_rules() == []


async def test_alerts_are_raised_where_things_happen_and_nowhere_else(watched: Watched) -> None:
    fired = await watched.show.server.query('max_over_time(ALERTS{alertstate="firing"}[10m])')
    raised = {(series.labels.get("region"), series.labels["alertname"]) for series in fired}
    assert (BUSY, "SalonMediaNodeDied") in raised
    assert {region for region, _ in raised} == {BUSY}


async def test_no_rule_is_left_without_a_figure(watched: Watched) -> None:
    """Burn rates alone are only there while something burns."""
    records = {record for record, kind in await watched.show.server.rules() if kind == "recording"}
    silent = {name for name in records if not await watched.show.server.query(f"last_over_time({name}[5m])")}
    assert silent <= {"region_slo:salon_burns_fast:rate", "region_slo:salon_burns_slowly:rate"}
