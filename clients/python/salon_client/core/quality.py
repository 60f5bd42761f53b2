"""How well it goes for the one who is here: when media and the first picture came, how long pictures stood still, and what was
missed when a session was lost or replaced.

Takes what arrives and when; `take` gives the figures since the last time, as the protocol's ReportQuality has them.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Literal

from salon.signaling.v1 import signaling_pb2

Cause = Literal["crash", "silence", "move"]

FREEZE_SECONDS: Final = 0.5
"""A picture without a new frame for longer stands still, and did from its last frame on."""
FLOWING_SECONDS: Final = 2.0
"""Frames that came so lately are what is missed; without them, whether anything comes is all that can be told."""
SETTLED_SECONDS: Final = 3.0
"""After the first frame by the new session: clients let the old one go within this."""
GIVEN_UP_SECONDS: Final = 60.0
"""A gap is told as so long at most."""
MAX_GAPS: Final = 8

_CAUSES: Final = {
    "crash": signaling_pb2.GAP_CAUSE_CRASH,
    "silence": signaling_pb2.GAP_CAUSE_SILENCE,
    "move": signaling_pb2.GAP_CAUSE_MOVE,
}


@dataclass
class _Picture:
    """A camera that is shown and on."""

    last: float | None = None
    """The last frame; None before the first."""
    counted: float = 0.0
    """Until when it was counted as watched."""


@dataclass
class _Pause:
    """The longest pause between two arrivals since the last one before an interruption."""

    cause: Cause
    frames: bool
    """Whether frames are looked at; else anything that arrives."""
    last: float
    longest: float = 0.0
    settled_at: float | None = None

    def note(self, now: float) -> None:
        self.longest = max(self.longest, now - self.last)
        self.last = now


@dataclass
class _Totals:
    watched: float = 0.0
    frozen: float = 0.0
    gaps: list[tuple[Cause, float]] = field(default_factory=list)


class QualityMeter:
    """One stay in a room, from the click on."""

    def __init__(self, now: float) -> None:
        self._clicked = now
        self._connected: float | None = None
        self._expected: bool | None = None
        self._first_frame: float | None = None
        self._told: set[str] = set()
        self._pictures: dict[int, _Picture] = {}
        self._last_packet: float | None = None
        self._last_frame: float | None = None
        self._pause: _Pause | None = None
        self._totals = _Totals()

    @property
    def has_first(self) -> bool:
        """Whether there is a first picture to tell that was not told yet."""
        return self._expected is True and self._first_frame is not None and "first_frame" not in self._told

    def handle_people(self, cameras: Collection[int], *, pictures: bool) -> None:
        """Whose cameras are on and shown, by source; and, the first time, whether anybody sends a picture already: only then the first
        frame says how fast Salon is.
        """
        if self._expected is None:
            self._expected = pictures
        self._pictures = {source: self._pictures.get(source) or _Picture() for source in cameras}

    def handle_connected(self, now: float) -> None:
        """A media session is up."""
        if self._connected is None:
            self._connected = now

    def handle_packet(self, now: float) -> None:
        """Something arrived from a node."""
        self._last_packet = now
        if self._pause and not self._pause.frames:
            self._arrive(self._pause, now)

    def handle_frame(self, source: int, now: float, *, is_picture: bool) -> None:
        """A frame was shown or played."""
        self._last_frame = now
        if self._pause and self._pause.frames:
            self._arrive(self._pause, now)
        if not is_picture:
            return
        if self._first_frame is None:
            self._first_frame = now
        picture = self._pictures.get(source)
        if picture:
            self._count(picture, now)
            picture.last = picture.counted = now

    def handle_interruption(self, cause: Cause, now: float) -> None:
        """The session was lost, or is to be replaced. What is already looked at stays what it was."""
        flowing = self._last_frame is not None and now - self._last_frame <= FLOWING_SECONDS
        last = self._last_frame if flowing else self._last_packet
        if self._pause is None and self._connected is not None and last is not None:
            self._pause = _Pause(cause, flowing, last)

    def handle_replaced(self, now: float) -> None:
        """Another session is up after an interruption."""
        if self._pause and self._pause.settled_at is None:
            self._pause.settled_at = now + SETTLED_SECONDS

    def take(self, now: float) -> signaling_pb2.ReportQualityRequest:
        """The figures since the last time."""
        for picture in self._pictures.values():
            if picture.last is not None and now - picture.last > FREEZE_SECONDS:
                self._count(picture, now)
        if self._pause and now - self._pause.last >= GIVEN_UP_SECONDS:
            self._end(self._pause, now)
        totals, self._totals = self._totals, _Totals()
        watched = round(totals.watched * 1000)
        return signaling_pb2.ReportQualityRequest(
            connected_ms=self._once("connected", self._connected),
            first_frame_ms=self._once("first_frame", self._first_frame if self._expected else None),
            watched_ms=watched,
            frozen_ms=min(watched, round(totals.frozen * 1000)),
            gaps=[
                signaling_pb2.MediaGap(cause=_CAUSES[cause], duration_ms=_millis(seconds))
                for cause, seconds in totals.gaps[:MAX_GAPS]
            ],
        )

    def _count(self, picture: _Picture, now: float) -> None:
        if picture.last is None:
            return
        span = now - picture.counted
        self._totals.watched += span
        if now - picture.last > FREEZE_SECONDS:
            self._totals.frozen += span
        picture.counted = now

    def _arrive(self, pause: _Pause, now: float) -> None:
        pause.note(now)
        if pause.settled_at is not None and now >= pause.settled_at:
            self._end(pause, now)

    def _end(self, pause: _Pause, now: float) -> None:
        self._totals.gaps.append((pause.cause, max(pause.longest, now - pause.last)))
        self._pause = None

    def _once(self, what: str, at: float | None) -> int:
        if at is None or what in self._told:
            return 0
        self._told.add(what)
        return _millis(at - self._clicked)


def _millis(seconds: float) -> int:
    return max(1, round(min(seconds, GIVEN_UP_SECONDS) * 1000))
