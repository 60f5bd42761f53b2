"""Pages report how well it goes: when the first picture came, that pictures were watched, and what a dead node cost."""

from pathlib import Path

import pytest
from salon_client.run.stack import Stack
from support.metrics import Series, until_told, value
from support.pages import Participant, participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

REPORTS = 60.0
"""Seconds: reports come each 30 s, and two machines' worth of Chromium runs here."""


async def test_pages_tell_what_people_saw(tmp_path: Path) -> None:
    async with (
        Stack(rooms=1, signaling=1, media=2, directory=tmp_path / "stack") as stack,
        participants(PEOPLE[:2], tmp_path) as pages,
    ):
        ada, bo = pages
        link = await stack.create_room("Watched")
        await ada.join(link.url)
        await bo.join(link.url)
        await until("they see each other", lambda: see_each_other(ada, bo))
        series = await until_told(stack, "signaling-1", has_first_frame)
        assert 0.05 < value(series, "salon_signaling_first_frame_seconds_sum") < 20
        node = await ada.page.evaluate("window.__salon.nodeId")
        await stack.kill(node)
        series = await until_told(stack, "signaling-1", has_two_gaps, REPORTS)
        gaps = [count_of_gaps(series, cause) for cause in ("crash", "silence")]
        missed = sum(
            value(series, "salon_signaling_media_gap_seconds_sum", cause=cause)
            for cause in ("crash", "silence")
        )
        assert 0.2 < missed / sum(gaps) < 10, "from the last that came to the next"
        series = await until_told(stack, "signaling-1", has_watched, REPORTS)
        frozen = value(series, "salon_signaling_frozen_seconds_total")
        assert frozen < value(series, "salon_signaling_watched_seconds_total")
        assert value(series, "salon_signaling_join_steps_total", step="connected") == 2
        assert value(series, "salon_signaling_quality_reports_total", result="refused") == 0


def has_first_frame(series: Series) -> bool:
    """Of the second one: the first found nobody."""
    return value(series, "salon_signaling_first_frame_seconds_count") == 1


def count_of_gaps(series: Series, cause: str) -> float:
    return value(series, "salon_signaling_media_gap_seconds_count", cause=cause)


def has_two_gaps(series: Series) -> bool:
    return count_of_gaps(series, "crash") + count_of_gaps(series, "silence") >= 2


def has_watched(series: Series) -> bool:
    return value(series, "salon_signaling_watched_seconds_total") > 10


async def see_each_other(ada: Participant, bo: Participant) -> bool:
    one, other = ada.person.name, bo.person.name
    seen = [(await ada.tiles()).get(other), (await bo.tiles()).get(one)]
    return seen == [other, one]
