"""What a stay was like for the one who was here: the firsts, frozen pictures, and gaps by their cause."""

import asyncio

import pytest
from salon.signaling.v1 import signaling_pb2
from salon_client.core.quality import QualityMeter
from salon_client.quality import QualityReporter
from salon_common.errors import Code, SalonError

CAMERA, MICROPHONE = 7, 8


def meter_at_work(*, pictures: bool = True) -> QualityMeter:
    """Clicked at 100.0, connected 0.4 s later."""
    meter = QualityMeter(100.0)
    meter.handle_people([CAMERA], pictures=pictures)
    meter.handle_connected(100.4)
    return meter


def play(meter: QualityMeter, begin: float, end: float, step: float = 0.1) -> None:
    """A picture each `step` from `begin` to `end`, both included."""
    for number in range(round((end - begin) / step) + 1):
        now = begin + number * step
        meter.handle_packet(now)
        meter.handle_frame(CAMERA, now, is_picture=True)


def gaps(report: signaling_pb2.ReportQualityRequest) -> list[tuple[int, int]]:
    return [(gap.cause, gap.duration_ms) for gap in report.gaps]


def test_the_firsts_are_told_once() -> None:
    meter = meter_at_work()
    assert meter.take(100.5).connected_ms == 400
    meter.handle_frame(MICROPHONE, 100.6, is_picture=False)
    assert not meter.has_first
    meter.handle_frame(CAMERA, 100.7, is_picture=True)
    assert meter.has_first
    report = meter.take(101.0)
    assert (report.connected_ms, report.first_frame_ms) == (0, 700)
    assert not meter.has_first
    assert meter.take(102.0).first_frame_ms == 0


def test_waiting_for_somebody_to_come_is_no_slow_first_frame() -> None:
    meter = meter_at_work(pictures=False)
    meter.handle_people([CAMERA], pictures=True)
    meter.handle_frame(CAMERA, 160.0, is_picture=True)
    assert not meter.has_first, "or a report would follow at each look"
    assert meter.take(161.0).first_frame_ms == 0


def test_a_picture_that_moves_is_watched() -> None:
    meter = meter_at_work()
    play(meter, 101.0, 103.0)
    report = meter.take(103.0)
    assert (report.watched_ms, report.frozen_ms) == (2000, 0)


def test_a_picture_that_stands_still_froze_at_its_last_frame() -> None:
    meter = meter_at_work()
    play(meter, 101.0, 102.0)
    play(meter, 102.8, 103.0)
    report = meter.take(103.0)
    assert (report.watched_ms, report.frozen_ms) == (2000, 800)


def test_a_freeze_over_several_reports_is_counted_once() -> None:
    meter = meter_at_work()
    play(meter, 101.0, 102.0)
    first = meter.take(110.0)
    assert (first.watched_ms, first.frozen_ms) == (9000, 8000)
    play(meter, 111.0, 111.0)
    second = meter.take(111.0)
    assert (second.watched_ms, second.frozen_ms) == (1000, 1000)


def test_a_camera_that_is_off_freezes_nothing() -> None:
    meter = meter_at_work()
    play(meter, 101.0, 102.0)
    meter.handle_people([], pictures=False)
    assert meter.take(120.0).frozen_ms == 0
    meter.handle_people([CAMERA], pictures=True)
    play(meter, 121.0, 122.0)
    report = meter.take(122.0)
    assert (report.watched_ms, report.frozen_ms) == (1000, 0)


def test_a_crash_is_missed_from_the_last_frame_to_the_next() -> None:
    meter = meter_at_work()
    play(meter, 101.0, 102.0)
    meter.handle_interruption("crash", 102.4)
    meter.handle_interruption("silence", 103.0)
    meter.handle_replaced(103.0)
    play(meter, 103.2, 107.0)
    assert gaps(meter.take(107.0)) == [(signaling_pb2.GAP_CAUSE_CRASH, 1200)], "the first cause counts"
    assert gaps(meter.take(108.0)) == []


def test_a_good_move_is_missed_by_no_more_than_a_frame() -> None:
    meter = meter_at_work()
    play(meter, 101.0, 103.0)
    meter.handle_interruption("move", 103.0)
    play(meter, 103.1, 104.0)
    meter.handle_replaced(104.0)
    play(meter, 104.1, 107.2)
    assert gaps(meter.take(108.0)) == [(signaling_pb2.GAP_CAUSE_MOVE, 100)]


def test_while_nobody_sends_packets_tell() -> None:
    meter = meter_at_work()
    meter.handle_packet(101.0)
    meter.handle_interruption("silence", 102.0)
    meter.handle_replaced(102.5)
    for tenth in range(40):
        meter.handle_packet(102.5 + tenth / 10)
    assert gaps(meter.take(107.0)) == [(signaling_pb2.GAP_CAUSE_SILENCE, 1500)]


def test_what_never_comes_back_is_told_after_a_minute() -> None:
    meter = meter_at_work()
    play(meter, 101.0, 102.0)
    meter.handle_interruption("crash", 102.5)
    assert gaps(meter.take(120.0)) == []
    assert gaps(meter.take(170.0)) == [(signaling_pb2.GAP_CAUSE_CRASH, 60_000)]


def test_before_the_first_connection_nothing_is_missed() -> None:
    meter = QualityMeter(0.0)
    meter.handle_packet(1.0)
    meter.handle_interruption("crash", 2.0)
    meter.handle_replaced(3.0)
    meter.handle_packet(10.0)
    assert gaps(meter.take(11.0)) == []


async def test_a_reporter_tells_the_first_picture_soon_and_then_at_its_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("salon_client.quality.LOOK_SECONDS", 0.01)
    sent: asyncio.Queue[signaling_pb2.ReportQualityRequest] = asyncio.Queue()
    meter = QualityMeter(asyncio.get_running_loop().time())
    meter.handle_people([CAMERA], pictures=True)
    reporting = asyncio.create_task(QualityReporter(meter, sent.put, interval=0.1).run())
    assert (await sent.get()).first_frame_ms == 0, "in time, though nothing came"
    meter.handle_frame(CAMERA, asyncio.get_running_loop().time(), is_picture=True)
    assert (await sent.get()).first_frame_ms > 0
    reporting.cancel()


async def test_a_report_that_is_lost_harms_nothing() -> None:
    async def fail(report: signaling_pb2.ReportQualityRequest) -> None:
        raise SalonError(Code.UNAVAILABLE, "nobody")

    await QualityReporter(QualityMeter(0.0), fail).report()
