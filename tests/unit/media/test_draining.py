import asyncio

import pytest
from salon_media.core.mode import Purpose
from salon_media.draining import drain
from unit.media.test_node import PARTICIPANT, ROOM, Harness, harness

__all__ = ["harness"]


async def test_it_waits_until_nobody_is_left(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    await harness.node.admit(harness.request())
    with caplog.at_level("INFO"):
        async with asyncio.timeout(5):
            ending = asyncio.create_task(drain(harness.node, harness.state, harness.clock, 60))
            await harness.node.mode_changed.wait()
            assert harness.state.mode.purpose is Purpose.DRAINING
            assert not ending.done()
            await harness.node.remove(ROOM, PARTICIPANT, 1)
            await ending
    progress = next(record for record in caplog.records if record.getMessage() == "draining")
    assert (vars(progress)["participants"], vars(progress)["seconds_left"]) == (1, 60)


async def test_it_says_how_far_it_is_until_its_time_is_over(
    harness: Harness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("salon_media.draining.PROGRESS_SECONDS", 0)
    await harness.node.admit(harness.request())
    with caplog.at_level("INFO"):
        async with asyncio.timeout(5):
            ending = asyncio.create_task(drain(harness.node, harness.state, harness.clock, 60))
            while sum(record.getMessage() == "draining" for record in caplog.records) < 3:  # noqa: ASYNC110 - it logs, no more
                await asyncio.sleep(0)
            harness.clock.advance(60)
            await ending
    assert vars(caplog.records[-1])["participants"] == 1


async def test_no_time_is_no_waiting(harness: Harness) -> None:
    await harness.node.admit(harness.request())
    await drain(harness.node, harness.state, harness.clock, 0)
    assert harness.state.participants == 1


async def test_an_empty_node_has_drained_at_once(harness: Harness) -> None:
    await drain(harness.node, harness.state, harness.clock, 60)
    assert harness.state.mode.ending
