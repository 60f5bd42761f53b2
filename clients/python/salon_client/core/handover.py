"""Two media sessions side by side while a participant moves: whose frames are shown and heard, and when the older one is let go.

Sessions are known by their numbers; a greater one is newer. Pictures change over one by one, each at the first frame that the newer session has
of it. Sound changes over in one instant for everybody: exactly one session is heard at any time, so that nobody is heard twice. It waits for the
newer session to have everybody whom the older one had, but not for ever. The older session goes on for a moment after that, because others may
still hear us by it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

ROSTER_SECONDS = 3.0
"""So long after it connected, a newer session is heard whoever is missing there."""
LINGER_SECONDS = 0.5
"""An older session is let go so long after the sound has changed over."""
VOICE_SECONDS = 0.2
"""Who was heard within this time is speaking now."""


@dataclass(frozen=True)
class Release:
    """A session that is of no use any more."""

    session: int
    epoch: int
    """Its node is told that the participant is served elsewhere at this epoch."""


@dataclass
class _Side:
    """One session."""

    epoch: int
    connected_at: float | None = None
    roster: frozenset[int] | None = None
    """Who is at its node, by microphone; None while the node has not said."""
    awaited: frozenset[int] = frozenset()
    """Whom its roster must have before it is heard."""
    heard_at: dict[int, float] = field(default_factory=dict)
    """When each source of sound last had a frame here."""
    release: tuple[float, int] | None = None
    """When it is let go, and the epoch of the session that took over."""

    def voices(self, now: float) -> int:
        return sum(now - at <= VOICE_SECONDS for at in self.heard_at.values())


class Handover:
    """All sessions of one participant: one, but for the time of a move."""

    def __init__(self) -> None:
        self._sides: dict[int, _Side] = {}
        self._heard = 0
        self._shown: dict[int, int] = {}
        self._people: frozenset[int] | None = None

    # ---- what is asked of it

    @property
    def heard(self) -> int:
        """The session whose sound is heard; 0 for none."""
        return self._heard

    def shows(self, session: int, source: int) -> bool:
        """Take a picture of a source; whether it is to be shown."""
        if session not in self._sides or session < self._shown.get(source, 0):
            return False
        self._shown[source] = session
        return True

    def sounds(self, session: int, source: int, now: float) -> bool:
        """Take a frame of sound; whether it is to be heard."""
        side = self._sides.get(session)
        if side is None:
            return False
        if len(self._sides) > 1:
            side.heard_at[source] = now
            self._change_over(now)
        return session == self._heard

    def take_released(self, now: float) -> list[Release]:
        """The sessions to let go now; they are forgotten here."""
        self._change_over(now)
        due = [
            Release(number, side.release[1])
            for number, side in self._sides.items()
            if side.release and now >= side.release[0]
        ]
        for each in due:
            self._forget(each.session)
        return due

    def next_at(self) -> float | None:
        """When `take_released` must be called at the latest; None while nothing depends on time."""
        times = [side.release[0] for side in self._sides.values() if side.release]
        times += [
            side.connected_at + ROSTER_SECONDS
            for number, side in self._sides.items()
            if number > self._heard and side.connected_at is not None
        ]
        return min(times, default=None)

    # ---- what it is told

    def handle_session(self, session: int, epoch: int) -> None:
        """A new session is being connected."""
        assert session > max(self._sides, default=0), "numbers grow"
        for side in self._sides.values():
            side.heard_at.clear()
        self._sides[session] = _Side(epoch)
        if not self._heard:
            self._heard = session

    def handle_connected(self, session: int, now: float) -> None:
        """A session is up."""
        side = self._sides.get(session)
        if side is None:
            return
        side.connected_at = now
        heard = self._sides.get(self._heard)
        if heard is None or heard.connected_at is None:
            self._hear(session, now)
        elif session > self._heard:
            side.awaited = heard.roster or frozenset()
        elif session < self._heard:
            side.release = (now + LINGER_SECONDS, heard.epoch)
        self._change_over(now)

    def handle_roster(self, session: int, microphones: Iterable[int], now: float) -> None:
        """A node says who is there."""
        side = self._sides.get(session)
        if side is not None:
            side.roster = frozenset(microphones)
            self._change_over(now)

    def handle_people(self, microphones: Iterable[int], now: float) -> None:
        """Who is in the room now, by microphone: nobody waits for those who have left."""
        self._people = frozenset(microphones)
        self._change_over(now)

    def handle_lost(self, session: int, now: float) -> None:
        """A session has failed or was closed: what it carried falls to what is left."""
        self._forget(session)
        if self._heard != session:
            return
        self._heard = 0
        connected = [number for number, side in self._sides.items() if side.connected_at is not None]
        if connected or self._sides:
            self._hear(max(connected or self._sides), now)

    # ---- the rules

    def _change_over(self, now: float) -> None:
        ready = [
            number for number, side in self._sides.items() if number > self._heard and self._ready(side, now)
        ]
        if ready:
            self._hear(max(ready), now)

    def _ready(self, side: _Side, now: float) -> bool:
        if side.connected_at is None:
            return False
        if now >= side.connected_at + ROSTER_SECONDS:
            return True
        awaited = side.awaited if self._people is None else side.awaited & self._people
        if side.roster is None or not awaited <= side.roster:
            return False
        # The node has them; what it sends may be a moment behind. How many, not who: nodes choose among many speakers.
        heard = self._sides.get(self._heard)
        return heard is None or side.voices(now) >= heard.voices(now)

    def _hear(self, session: int, now: float) -> None:
        self._heard = session
        side = self._sides[session]
        side.release = None
        for number, other in self._sides.items():
            if number < session and other.release is None and side.connected_at is not None:
                other.release = (now + LINGER_SECONDS, side.epoch)

    def _forget(self, session: int) -> None:
        self._sides.pop(session, None)
        self._shown = {source: shown for source, shown in self._shown.items() if shown != session}
