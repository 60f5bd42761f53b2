"""The rate limits of the public API: who is counted by what."""

from dataclasses import dataclass

from salon_common.clock import Clock
from salon_common.errors import Code, SalonError
from salon_common.ids import ParticipantId, RoomId

from salon_signaling.core.limits import Rate, RateLimit


@dataclass(frozen=True)
class Rates:
    """Each limit; see the settings for what it is for."""

    address: Rate
    room: Rate
    failures: Rate
    participant: Rate


class Guards:
    """Takes from the limits before anything is asked of another service. All raise SalonError RESOURCE_EXHAUSTED."""

    def __init__(self, rates: Rates, clock: Clock) -> None:
        self._clock = clock
        self._addresses = RateLimit(rates.address, what="requests from your address")
        self._rooms = RateLimit(rates.room, what="people opening this link at once")
        self._failures = RateLimit(rates.failures, what="wrong links from your address")
        self._participants = RateLimit(rates.participant, what="requests")

    def admit_address(self, address: str) -> None:
        """A request that no session token vouches for."""
        self._addresses.take(address, self._clock.now())

    def admit_lookup(self, address: str, room: RoomId) -> None:
        """A link is looked up."""
        now = self._clock.now()
        self._failures.check(address, now)
        self._rooms.take(room, now)

    def note_failure(self, address: str, error: SalonError) -> None:
        """A link led nowhere: whoever tries many is guessing."""
        if error.code in (Code.NOT_FOUND, Code.PERMISSION_DENIED):
            self._failures.charge(address, self._clock.now())

    def admit_participant(self, participant: ParticipantId) -> None:
        """A call of somebody who is in."""
        self._participants.take(participant, self._clock.now())
