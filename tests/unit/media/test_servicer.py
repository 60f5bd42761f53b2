from typing import cast

import pytest
from salon.media.v1 import media_pb2
from salon.rooms.v1 import presence_pb2
from salon_common.errors import Code, SalonError
from salon_media.core.mode import ACTIVE, Mode, Purpose, draining
from salon_media.servicer import Context, MediaServicer
from unit.media.fake_engine import FakeEngine
from unit.media.test_node import PARTICIPANT, ROOM, Harness, harness

__all__ = ["harness"]
CONTEXT = cast("Context", None)


def servicer(harness: Harness) -> MediaServicer:
    return MediaServicer("media-1", harness.node, harness.state, harness.engine, harness.clock)


async def test_admit_inspect_and_remove(harness: Harness) -> None:
    answer = await servicer(harness).Admit(harness.request(), CONTEXT)
    assert answer.answer.startswith("v=0\r\n")
    inspected = await servicer(harness).Inspect(media_pb2.InspectRequest(), CONTEXT)
    assert inspected == media_pb2.InspectResponse(
        node_id="media-1", boot_id="boot", rooms=1, participants=1, datagrams_in=3, datagrams_out=4
    )
    request = media_pb2.RemoveRequest(room_id=ROOM, participant_id=PARTICIPANT, session_number=1)
    assert await servicer(harness).Remove(request, CONTEXT) == media_pb2.RemoveResponse()
    assert harness.state.participants == 0
    assert isinstance(harness.engine, FakeEngine)


async def test_a_refusal_leaves_one_line_that_names_who_and_not_the_offer(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    request = harness.request()
    request.offer = "secret"
    with caplog.at_level("INFO"), pytest.raises(SalonError):
        await servicer(harness).Admit(request, CONTEXT)
    (record,) = caplog.records
    assert (
        record.getMessage()
        == "not admitted: INVALID_ARGUMENT: offer: line 1 is not of the form <letter>=<value>"
    )
    assert vars(record)["room"] == ROOM
    assert vars(record)["participant"] == PARTICIPANT


async def test_the_mode_is_set_and_told_at_once(harness: Harness) -> None:
    await harness.node.admit(harness.request())
    harness.node.mode_changed.clear()
    request = media_pb2.SetModeRequest(boot_id="boot", mode=presence_pb2.NODE_MODE_CORDONED)
    answer = await servicer(harness).SetMode(request, CONTEXT)
    assert answer == media_pb2.SetModeResponse(participants=1)
    assert harness.state.mode == Mode(Purpose.CORDONED)
    assert harness.node.mode_changed.is_set()
    request.mode = presence_pb2.NODE_MODE_ACTIVE
    await servicer(harness).SetMode(request, CONTEXT)
    assert harness.state.mode == ACTIVE


async def test_a_mode_that_cannot_be_is_refused(harness: Harness) -> None:
    with pytest.raises(SalonError, match="mode: must be active, cordoned or draining"):
        await servicer(harness).SetMode(media_pb2.SetModeRequest(boot_id="boot"), CONTEXT)
    harness.node.set_mode(draining(harness.clock.now(), 60, ending=True))
    request = media_pb2.SetModeRequest(boot_id="boot", mode=presence_pb2.NODE_MODE_ACTIVE)
    with pytest.raises(SalonError) as caught:
        await servicer(harness).SetMode(request, CONTEXT)
    assert caught.value.code is Code.FAILED_PRECONDITION
    assert harness.state.mode.purpose is Purpose.DRAINING
