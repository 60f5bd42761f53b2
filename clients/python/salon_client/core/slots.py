"""Who a slot shows: as the node's slot map says, and exactly, frame by frame, as the packets' CSRC says.

Every packet of a slot carries the number of its source as CSRC (RFC 3550 section 5.1). A decoded frame has only its RTP
timestamp, so the timeline remembers from which timestamp on a slot shows which source.
"""

from collections import deque

from salon.media.v1 import channel_pb2

TRANSITIONS_KEPT = 64
_HALF = 1 << 31
_MASK = (1 << 32) - 1


def is_later(left: int, right: int) -> bool:
    """Whether RTP timestamp `left` is after `right`, modulo 2^32 (RFC 1982 arithmetic)."""
    return left != right and ((left - right) & _MASK) < _HALF


class SlotMap:
    """What each slot shows, as the node said last."""

    def __init__(self) -> None:
        self._sources: dict[tuple[int, int], int] = {}

    def receive(self, message: channel_pb2.SlotMap) -> None:
        """Apply the changed slots."""
        for each in message.slots:
            self._sources[each.kind, each.slot] = each.source

    def source(self, kind: "channel_pb2.SlotKind.ValueType", slot: int) -> int:
        """The number of the source shown; 0 for none."""
        return self._sources.get((kind, slot), 0)

    def shown(self, kind: "channel_pb2.SlotKind.ValueType") -> set[int]:
        """All sources shown by slots of a kind."""
        return {source for (each, _slot), source in self._sources.items() if each == kind and source}


class SlotTimeline:
    """From which timestamp on one slot shows which source."""

    def __init__(self) -> None:
        self._transitions: deque[tuple[int, int]] = deque(maxlen=TRANSITIONS_KEPT)

    def note(self, timestamp: int, source: int) -> None:
        """A packet of `source` with this timestamp arrived. Late packets change nothing."""
        if not self._transitions:
            self._transitions.append((timestamp, source))
            return
        last_timestamp, last_source = self._transitions[-1]
        if source != last_source and is_later(timestamp, last_timestamp):
            self._transitions.append((timestamp, source))

    def source_at(self, timestamp: int) -> int:
        """The source of the frame with this timestamp; 0 when that is not known any more."""
        for start, source in reversed(self._transitions):
            if not is_later(start, timestamp):
                return source
        return 0
