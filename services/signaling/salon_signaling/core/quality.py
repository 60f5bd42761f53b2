"""What clients say of how well it goes: which figures can be true, and how often somebody is heard.

Anybody in a room can report anything, so that a figure is only taken within bounds that a real client keeps, and what is told
once a stay is taken once. The memory is bounded: whoever reported longest ago is forgotten.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from salon.signaling.v1 import signaling_pb2
from salon_common.errors import invalid

from salon_signaling.core.limits import Rate, RateLimit

MAX_MS: Final = 60_000
"""Longer than anybody waits for a picture."""
MAX_PICTURES: Final = 64
MAX_SPAN_SECONDS: Final = 120.0
"""What one report covers: reports come each 30 s, and one or two may be lost."""
MAX_GAPS: Final = 8
REPORTS: Final = Rate(1 / 15, 4)
"""One each 30 s, the one with the first frame and the last one: twice that."""

_CAUSES = {
    signaling_pb2.GAP_CAUSE_CRASH: "crash",
    signaling_pb2.GAP_CAUSE_SILENCE: "silence",
    signaling_pb2.GAP_CAUSE_MOVE: "move",
}
CAUSES: Final = tuple(_CAUSES.values())


@dataclass(frozen=True)
class Quality:
    """One report's figures, in seconds."""

    connected: float | None
    """Until media was connected; None when it does not say."""
    first_frame: float | None
    """Until the first frame of somebody else; None when it does not say."""
    watched: float
    frozen: float
    gaps: tuple[tuple[str, float], ...]
    """Each with its cause."""


@dataclass
class _Stay:
    connected: bool = False
    first_frame: bool = False
    reported: float | None = None


class QualityReports:
    """Takes the reports of all participants."""

    def __init__(self, max_stays: int = 20_000) -> None:
        self._rate = RateLimit(REPORTS, what="reports", max_keys=max_stays)
        self._stays: OrderedDict[str, _Stay] = OrderedDict()
        self._max_stays = max_stays

    def take(self, participant: str, request: signaling_pb2.ReportQualityRequest, now: float) -> Quality:
        """The figures of a report. Raises SalonError: INVALID_ARGUMENT for what cannot be, RESOURCE_EXHAUSTED for too many."""
        self._rate.take(participant, now)
        stay = self._stays.get(participant) or _Stay()
        span = MAX_SPAN_SECONDS if stay.reported is None else min(MAX_SPAN_SECONDS, now - stay.reported + 5.0)
        quality = _read(request, span)
        new_connected = quality.connected is not None and not stay.connected
        new_frame = quality.first_frame is not None and not stay.first_frame
        self._remember(
            participant, _Stay(stay.connected or new_connected, stay.first_frame or new_frame, reported=now)
        )
        return replace(
            quality,
            connected=quality.connected if new_connected else None,
            first_frame=quality.first_frame if new_frame else None,
        )

    def _remember(self, participant: str, stay: _Stay) -> None:
        self._stays[participant] = stay
        self._stays.move_to_end(participant)
        while len(self._stays) > self._max_stays:
            self._stays.popitem(last=False)


def _read(request: signaling_pb2.ReportQualityRequest, span: float) -> Quality:
    watched, frozen = request.watched_ms / 1000, request.frozen_ms / 1000
    if watched > span * MAX_PICTURES:
        raise invalid(
            "watched_ms", f"must be what {MAX_PICTURES} pictures can be watched since the last report"
        )
    if frozen > watched:
        raise invalid("frozen_ms", "must be at most watched_ms")
    if len(request.gaps) > MAX_GAPS:
        raise invalid("gaps", f"must be at most {MAX_GAPS}")
    return Quality(
        _once("connected_ms", request.connected_ms),
        _once("first_frame_ms", request.first_frame_ms),
        watched,
        frozen,
        tuple(_read_gap(gap) for gap in request.gaps),
    )


def _once(field: str, millis: int) -> float | None:
    if millis > MAX_MS:
        raise invalid(field, f"must be at most {MAX_MS}")
    return millis / 1000 or None


def _read_gap(gap: signaling_pb2.MediaGap) -> tuple[str, float]:
    cause = _CAUSES.get(gap.cause)
    if cause is None:
        raise invalid("gaps.cause", "must be crash, silence or move")
    if not 1 <= gap.duration_ms <= MAX_MS:
        raise invalid("gaps.duration_ms", f"must be 1-{MAX_MS}")
    return cause, gap.duration_ms / 1000
