"""Counts what clients report of how well it goes. Which reports are taken is decided in `core.quality`."""

from salon.signaling.v1 import signaling_pb2
from salon_common.clock import Clock
from salon_common.errors import SalonError

from salon_signaling import metrics
from salon_signaling.core.quality import Quality, QualityReports


class QualityMeter:
    """Takes reports to Prometheus. No participant's name or id goes there."""

    def __init__(self, clock: Clock) -> None:
        self._reports = QualityReports()
        self._clock = clock

    def take(self, participant: str, request: signaling_pb2.ReportQualityRequest) -> None:
        """Count a report. Raises SalonError when it is refused."""
        try:
            quality = self._reports.take(participant, request, self._clock.now())
        except SalonError:
            metrics.QUALITY_REPORTS.labels("refused").inc()
            raise
        metrics.QUALITY_REPORTS.labels("taken").inc()
        _count(quality)


def _count(quality: Quality) -> None:
    if quality.connected is not None:
        metrics.JOIN_STEPS.labels("connected").inc()
    if quality.first_frame is not None:
        metrics.JOIN_STEPS.labels("first_frame").inc()
        metrics.FIRST_FRAME_SECONDS.observe(quality.first_frame)
    metrics.WATCHED_SECONDS.inc(quality.watched)
    metrics.FROZEN_SECONDS.inc(quality.frozen)
    for cause, seconds in quality.gaps:
        metrics.MEDIA_GAP_SECONDS.labels(cause).observe(seconds)
