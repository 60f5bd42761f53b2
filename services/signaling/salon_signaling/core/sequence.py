"""Puts the events of one room in order: what comes out is contiguous, whatever is lost, doubled or early.

Owns the number that a participant has been given last, and the few events that came before their turn. Knows no time
and asks nobody: `behind` says that something is missing, and the owner gets it.
"""

from collections.abc import Iterator

from salon.rooms.v1 import room_pb2

MAX_EARLY = 256
"""How many events are kept for their turn; a replay brings those that found no room."""


class EventSequence:
    """The events after `last`, each released once and in order."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._newest = last
        self._early: dict[int, room_pb2.Event] = {}

    @property
    def last(self) -> int:
        """The number that was released last."""
        return self._last

    @property
    def behind(self) -> bool:
        """Whether an event is known to exist that cannot be released yet."""
        return self._newest > self._last

    def expect(self, number: int) -> None:
        """Note that events up to `number` exist."""
        self._newest = max(self._newest, number)

    def insert(self, event: room_pb2.Event) -> None:
        """Take an event in. One that was released before, or has no room before its turn, is dropped."""
        self.expect(event.number)
        if event.number == self._last + 1 or (event.number > self._last and len(self._early) < MAX_EARLY):
            self._early[event.number] = event

    def skip_to(self, number: int) -> bool:
        """Go on after `number`: a snapshot stands for everything before. False if that would be a step back."""
        if number <= self._last:
            return False
        self._last = number
        self.expect(number)
        for early in [n for n in self._early if n <= number]:
            del self._early[early]
        return True

    def release(self) -> Iterator[room_pb2.Event]:
        """The events whose turn it is."""
        while (event := self._early.pop(self._last + 1, None)) is not None:
            self._last = event.number
            yield event
