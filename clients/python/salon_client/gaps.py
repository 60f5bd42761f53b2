"""Measures, at the receiver, how long nothing came from others: for fault tests and diagnosis.

`GapMeter(room)` hears of every RTP packet and of every frame that is handed on. Times are of the machine's monotonic clock, so those of several
processes on one machine can be compared.
"""

import time
from collections.abc import Mapping, Sequence

from salon_client.core.gaps import Arrivals, Carriers, Gap
from salon_client.room import Room

__all__ = ["Gap", "GapMeter"]


class GapMeter:
    """Counts from now on; `mark` starts a new window.

    A source is meant by its number in the room. A gap that began before the window counts in full; a source that was never heard has
    one since the mark, and one that is new has none before its first packet.
    """

    def __init__(self, room: Room) -> None:
        self._marked_at = time.monotonic()
        self._packets: dict[int, Arrivals] = {}
        self._frames: dict[int, Arrivals] = {}
        self._frame_carriers: dict[int, Carriers] = {}
        self._anything = Arrivals(self._marked_at)
        self._carriers = Carriers()
        room.media.observe(self)

    # ---- told by the media

    def note_packet(self, session: int, source: int) -> None:
        """An RTP packet of a source, or with 0 a report of the node."""
        now = time.monotonic()
        self._anything.note(now)
        self._carriers.note(session, now)
        if source:
            _row(self._packets, source, now).note(now)

    def note_frame(self, session: int, source: int) -> None:
        """A decoded frame was handed on."""
        now = time.monotonic()
        _row(self._frames, source, now).note(now)
        self._frame_carriers.setdefault(source, Carriers()).note(session, now)

    # ---- what is asked of it

    def mark(self) -> float:
        """Start a window: when."""
        self._marked_at = time.monotonic()
        for row in (*self._packets.values(), *self._frames.values(), self._anything):
            row.mark(self._marked_at)
        for carriers in (*self._frame_carriers.values(), self._carriers):
            carriers.mark()
        return self._marked_at

    @property
    def sources(self) -> Sequence[int]:
        """All sources that a packet came from since the start."""
        return tuple(self._packets)

    def packets(self, source: int) -> Gap:
        """The longest gap between two packets of a source."""
        return self._asked(self._packets, source).longest(time.monotonic())

    def frames(self, source: int) -> Gap:
        """The longest gap between two frames of a source that were handed on."""
        return self._asked(self._frames, source).longest(time.monotonic())

    def anything(self) -> Gap:
        """The longest time without any packet or report of a node: what is left to measure while everybody is quiet."""
        return self._anything.longest(time.monotonic())

    def last_packet(self, source: int) -> float | None:
        """When the last packet of a source came, in this window or before."""
        return self._asked(self._packets, source).last

    def last_frame(self, source: int) -> float | None:
        """When the last frame of a source was handed on, in this window or before."""
        return self._asked(self._frames, source).last

    def count_packets(self, source: int) -> int:
        """How many packets of a source came in this window."""
        return self._asked(self._packets, source).count

    def frames_by_second(self, source: int) -> Mapping[int, int]:
        """How many frames of a source were handed on in each whole second of the clock: 50 of sound, unless it is heard twice."""
        return self._asked(self._frames, source).by_second

    def frame_turns(self, source: int) -> Sequence[int]:
        """Which media sessions the handed-on frames of a source came by, in turn: in a good move each once, in order."""
        return tuple(self._frame_carriers.get(source, Carriers()).turns)

    def overlap(self) -> float:
        """For how many seconds packets came from two nodes."""
        return self._carriers.overlap()

    def _asked(self, rows: dict[int, Arrivals], source: int) -> Arrivals:
        return rows.get(source) or Arrivals(self._marked_at)


def _row(rows: dict[int, Arrivals], source: int, now: float) -> Arrivals:
    row = rows.get(source)
    if row is None:
        row = rows[source] = Arrivals(now)
    return row
