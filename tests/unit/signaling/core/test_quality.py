"""Which figures of clients are taken: only what can be, each stay's firsts once, and not too often."""

import pytest
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import Code, SalonError
from salon_signaling.core.quality import MAX_GAPS, MAX_MS, QualityReports


def gap(cause: "signaling_pb2.GapCause.ValueType", ms: int) -> signaling_pb2.MediaGap:
    return signaling_pb2.MediaGap(cause=cause, duration_ms=ms)


CRASH = signaling_pb2.GAP_CAUSE_CRASH
BOUND = 125_000 * 64


def test_the_figures_of_a_report_come_in_seconds() -> None:
    request = signaling_pb2.ReportQualityRequest(
        connected_ms=400,
        first_frame_ms=650,
        watched_ms=30_000,
        frozen_ms=1500,
        gaps=[gap(CRASH, 900), gap(signaling_pb2.GAP_CAUSE_MOVE, 40)],
    )
    quality = QualityReports().take("a", request, now=0.0)
    assert (quality.connected, quality.first_frame) == (0.4, 0.65)
    assert (quality.watched, quality.frozen) == (30.0, 1.5)
    assert quality.gaps == (("crash", 0.9), ("move", 0.04))


def test_an_empty_report_says_nothing_of_the_firsts() -> None:
    quality = QualityReports().take("a", signaling_pb2.ReportQualityRequest(), now=0.0)
    assert (quality.connected, quality.first_frame, quality.watched, quality.gaps) == (None, None, 0.0, ())


def test_each_stay_tells_its_firsts_once() -> None:
    reports = QualityReports()
    firsts = signaling_pb2.ReportQualityRequest(connected_ms=400, first_frame_ms=650)
    assert reports.take("a", firsts, now=0.0).first_frame == 0.65
    again = reports.take("a", firsts, now=30.0)
    assert (again.connected, again.first_frame) == (None, None)
    assert reports.take("b", firsts, now=30.0).connected == 0.4


def test_the_first_frame_may_come_after_the_connection() -> None:
    reports = QualityReports()
    reports.take("a", signaling_pb2.ReportQualityRequest(connected_ms=400), now=0.0)
    late = signaling_pb2.ReportQualityRequest(first_frame_ms=9000)
    assert reports.take("a", late, now=10.0).first_frame == 9.0


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (signaling_pb2.ReportQualityRequest(connected_ms=MAX_MS + 1), "connected_ms"),
        (signaling_pb2.ReportQualityRequest(first_frame_ms=MAX_MS + 1), "first_frame_ms"),
        (signaling_pb2.ReportQualityRequest(watched_ms=BOUND), "watched_ms"),
        (signaling_pb2.ReportQualityRequest(watched_ms=1000, frozen_ms=1001), "frozen_ms"),
        (signaling_pb2.ReportQualityRequest(gaps=[gap(CRASH, 1)] * (MAX_GAPS + 1)), "gaps"),
        (signaling_pb2.ReportQualityRequest(gaps=[gap(CRASH, 0)]), "gaps.duration_ms"),
        (signaling_pb2.ReportQualityRequest(gaps=[gap(CRASH, MAX_MS + 1)]), "gaps.duration_ms"),
        (
            signaling_pb2.ReportQualityRequest(gaps=[gap(signaling_pb2.GAP_CAUSE_UNSPECIFIED, 5)]),
            "gaps.cause",
        ),
    ],
)
def test_what_cannot_be_is_refused(request_: signaling_pb2.ReportQualityRequest, field: str) -> None:
    with pytest.raises(SalonError, match=f"^{field}: ") as refusal:
        QualityReports().take("a", request_, now=0.0)
    assert refusal.value.code is Code.INVALID_ARGUMENT


def test_nobody_watches_longer_than_since_the_last_report() -> None:
    reports = QualityReports()
    reports.take("a", signaling_pb2.ReportQualityRequest(), now=0.0)
    one_hour = signaling_pb2.ReportQualityRequest(watched_ms=60 * 64 * 1000)
    with pytest.raises(SalonError, match=r"^watched_ms: "):
        reports.take("a", one_hour, now=30.0)
    assert reports.take("a", one_hour, now=90.0).watched == 3840.0


def test_too_many_reports_are_refused() -> None:
    reports = QualityReports()
    empty = signaling_pb2.ReportQualityRequest()
    for _ in range(4):
        reports.take("a", empty, now=0.0)
    with pytest.raises(SalonError) as refusal:
        reports.take("a", empty, now=0.0)
    assert refusal.value.code is Code.RESOURCE_EXHAUSTED
    reports.take("b", empty, now=0.0)


def test_the_memory_is_bounded() -> None:
    reports = QualityReports(max_stays=2)
    firsts = signaling_pb2.ReportQualityRequest(connected_ms=400)
    for participant in "abc":
        reports.take(participant, firsts, now=0.0)
    assert reports.take("c", firsts, now=1.0).connected is None
    assert reports.take("a", firsts, now=1.0).connected == 0.4, "whoever reported longest ago is forgotten"
