import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from salon.media.v1 import media_pb2
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_media.core.mode import draining
from salon_media.core.node_state import CONNECT_SECONDS, NodeState
from salon_media.core.presence import PresenceReports
from salon_media.dtls import NodeCertificate
from salon_media.metrics import NodeMetrics
from salon_media.node import MediaNode
from unit.media.conftest import Offers
from unit.media.fake_engine import FakeEngine

ROOM = "local-" + "a" * 20
PARTICIPANT = "b" * 16
GONE = presence_pb2.PRESENCE_STATUS_GONE
CERTIFICATE = NodeCertificate.generateCertificate()


class Harness:
    def __init__(self, offer: str) -> None:
        self.offer = offer
        self.clock = ManualClock()
        self.engine = FakeEngine()
        self.state = NodeState("boot", 2)
        self.presence = PresenceReports("node", "boot")
        self.presence.take([], 0.0)
        numbers = itertools.count(1)
        self.node = MediaNode(
            self.state,
            self.presence,
            engine=self.engine,
            certificate=CERTIFICATE,
            addresses=["192.0.2.1"],
            clock=self.clock,
            random=lambda length: next(numbers).to_bytes(length, "big"),
            metrics=NodeMetrics(CollectorRegistry()),
        )

    def request(self, *, number: int = 1, epoch: int = 1) -> media_pb2.AdmitRequest:
        sources = [
            room_pb2.Source(kind=room_pb2.SOURCE_KIND_MICROPHONE, number=4),
            room_pb2.Source(kind=room_pb2.SOURCE_KIND_CAMERA, number=5),
        ]
        participant = room_pb2.Participant(
            id=PARTICIPANT, role=room_pb2.ROLE_SPEAKER, session_number=number, sources=sources
        )
        return media_pb2.AdmitRequest(
            boot_id="boot", room_id=ROOM, participant=participant, epoch=epoch, offer=self.offer
        )

    def statuses(self) -> list[int]:
        reports = self.presence.take(self.state.entries(), 1.0)
        return [entry.status for report in reports for entry in report.entries]


@pytest.fixture
async def harness(offers: Offers) -> AsyncIterator[Harness]:
    harness = Harness(offers("chromium_camera"))
    yield harness
    await harness.node.close()
    harness.engine.stop()


async def refusal(harness: Harness, request: media_pb2.AdmitRequest) -> SalonError:
    with pytest.raises(SalonError) as caught:
        await harness.node.admit(request)
    return caught.value


async def test_an_admission_opens_a_session_and_is_expected(harness: Harness) -> None:
    answer = await harness.node.admit(harness.request())
    (spec,) = harness.engine.opened
    assert f"a=ice-ufrag:{spec.local_ufrag}\r\n" in answer
    assert "a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host\r\n" in answer
    assert f"a=fingerprint:sha-256 {CERTIFICATE.fingerprint}\r\n" in answer
    assert [send.source for send in spec.sends] == [4, 5]
    assert harness.node.presence_changed.is_set()
    assert harness.statuses() == [presence_pb2.PRESENCE_STATUS_EXPECTED]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"room_id": "x"}, "room_id"),
        ({"participant": room_pb2.Participant(id="x", session_number=1)}, "participant.id"),
        ({"participant": room_pb2.Participant(id=PARTICIPANT)}, "participant.session_number"),
        ({"offer": "x"}, "offer"),
        ({"participant": room_pb2.Participant(id=PARTICIPANT, session_number=1)}, "participant.sources"),
    ],
)
async def test_a_bad_request_changes_nothing(harness: Harness, change: dict[str, object], field: str) -> None:
    await harness.node.admit(harness.request())
    request = harness.request(number=2)
    for name, value in change.items():
        request.ClearField(name)  # type: ignore[arg-type] # names of the table above
        request.MergeFrom(media_pb2.AdmitRequest(**{name: value}))  # type: ignore[arg-type]
    error = await refusal(harness, request)
    assert error.code is Code.INVALID_ARGUMENT
    assert error.message.startswith(f"{field}: ")
    assert harness.state.participants == 1
    assert harness.engine.closed == []


async def test_a_retry_closes_the_session_before(harness: Harness) -> None:
    await harness.node.admit(harness.request())
    await harness.node.admit(harness.request())
    first, second = harness.engine.opened
    assert harness.engine.closed == [first.session]
    assert first.room == second.room
    assert harness.state.participants == 1


async def test_what_the_engine_refuses_leaves_nothing_behind(harness: Harness) -> None:
    harness.engine.refuses = "two sends with one SSRC"
    error = await refusal(harness, harness.request())
    assert error.code is Code.INVALID_ARGUMENT
    assert error.message == "offer: contradicts itself: two sends with one SSRC"
    assert harness.state.participants == 0


async def test_removal(harness: Harness) -> None:
    await harness.node.admit(harness.request())
    await harness.node.remove(ROOM, PARTICIPANT, 1)
    await harness.node.remove(ROOM, PARTICIPANT, 1)
    assert harness.engine.closed == [harness.engine.opened[0].session]
    assert harness.statuses() == [GONE]
    assert (await refusal(harness, harness.request())).code is Code.FAILED_PRECONDITION
    with pytest.raises(SalonError, match="participant_id"):
        await harness.node.remove(ROOM, "x", 1)


async def test_who_never_connects_is_let_go(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salon_media.node.HOUSEKEEPING_SECONDS", 0)
    await harness.node.admit(harness.request())
    harness.clock.advance(CONNECT_SECONDS)
    keeping = asyncio.create_task(harness.node.keep_house())
    async with asyncio.timeout(5):
        while not harness.engine.closed:  # noqa: ASYNC110 - the loop under test has no event to wait for
            await asyncio.sleep(0)
    keeping.cancel()
    assert harness.statuses() == [GONE]


async def test_who_is_left_when_draining_is_over_is_let_go(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("salon_media.node.HOUSEKEEPING_SECONDS", 0)
    await harness.node.admit(harness.request())
    assert not harness.node.empty.is_set()
    harness.node.set_mode(draining(harness.clock.now(), 3.0))
    harness.clock.advance(3.0)
    keeping = asyncio.create_task(harness.node.keep_house())
    await asyncio.wait_for(harness.node.empty.wait(), 5)
    keeping.cancel()
    assert harness.statuses() == [GONE]


async def test_a_failed_room_and_silence_end_sessions(harness: Harness) -> None:
    await harness.node.admit(harness.request())
    (spec,) = harness.engine.opened
    harness.node.on_failed(spec.room)
    harness.node.on_silent(spec.session)
    await harness.node.close()
    assert harness.engine.closed == [spec.session]


async def test_events_of_unknown_sessions_are_nothing(harness: Harness) -> None:
    harness.node.on_dtls(99, b"\x16")
    harness.node.on_selected(99)
    harness.node.on_slots(99, [(3, 0, 1, 1)])
    harness.node.on_speakers(99, [1], 1)
    harness.node.on_silent(99)
    harness.node.on_failed(99)
    harness.node.on_connected(99)
    harness.node.on_epoch_seen(99, 9)
    assert harness.engine.closed == []


async def test_an_admission_whose_participant_left_meanwhile_is_taken_back(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.node.admit(harness.request())
    closing, go_on = asyncio.Event(), asyncio.Event()

    async def slow(session: int) -> None:
        closing.set()
        await go_on.wait()

    monkeypatch.setattr(harness.node, "_close", slow)
    admission = asyncio.create_task(harness.node.admit(harness.request(number=2)))
    await closing.wait()
    (entry,) = harness.state.entries()
    harness.state.remove(entry.key, 2, 0.0)
    go_on.set()
    with pytest.raises(SalonError) as caught:
        await admission
    assert caught.value.code is Code.ABORTED
    assert len(harness.engine.opened) == 1
