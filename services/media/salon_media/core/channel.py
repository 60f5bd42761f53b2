"""The data channel's messages: what a client may say and how often, and what it is told and when.

Owns the limits of both directions. Slot maps leave at once, because a tile is covered from the message on; everything
else is merged to at most four messages a second. What cannot leave yet is merged too, so nothing queues up.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from google.protobuf.message import DecodeError
from salon.media.v1 import channel_pb2
from salon_common.errors import Code, SalonError, invalid

from salon_media.core.offer import SlotKind

MAX_MESSAGE_BYTES: Final = 16 * 1024
MESSAGES_PER_SECOND: Final = 20
MAX_HEIGHT: Final = 8192
"""Taller wishes mean the same: the largest layer."""
MERGE_SECONDS: Final = 0.25
"""Least time between two messages that are not slot maps."""

_MergedKind = Literal["roster", "speakers"]

Wish = tuple[int, int, int]
"""Slot index, source number, height."""


class ClientInbox:
    """Reads one client's messages: a token bucket of one second's worth, and checks."""

    def __init__(self, video_slots: int, now: float) -> None:
        self._video_slots = video_slots
        self._tokens = float(MESSAGES_PER_SECOND)
        self._at = now

    def read(self, data: bytes, now: float) -> channel_pb2.ClientMessage:
        """Raises SalonError: RESOURCE_EXHAUSTED when the client talks too much, INVALID_ARGUMENT for an odd message."""
        self._spend(now)
        if len(data) > MAX_MESSAGE_BYTES:
            raise invalid("message", f"is {len(data)} bytes long, the limit is {MAX_MESSAGE_BYTES}")
        try:
            message = channel_pb2.ClientMessage.FromString(data)
        except DecodeError as error:
            raise invalid("message", "is no ClientMessage") from error
        if message.WhichOneof("body") == "layout":
            self._check_layout(message.layout)
        return message

    def _spend(self, now: float) -> None:
        self._tokens = min(MESSAGES_PER_SECOND, self._tokens + (now - self._at) * MESSAGES_PER_SECOND)
        self._at = now
        if self._tokens < 1:
            raise SalonError(Code.RESOURCE_EXHAUSTED, f"more than {MESSAGES_PER_SECOND} messages a second")
        self._tokens -= 1

    def _check_layout(self, layout: channel_pb2.Layout) -> None:
        slots = {wish.slot for wish in layout.slots}
        if len(slots) != len(layout.slots):
            raise invalid("layout.slots", "names a slot twice")
        if slots and max(slots) >= self._video_slots:
            raise invalid(
                "layout.slots", f"names slot {max(slots)}, but {self._video_slots} video slots were offered"
            )


def layout_wishes(layout: channel_pb2.Layout) -> list[Wish]:
    """A checked layout as the engine takes it. A wish without a source is the same as none."""
    return [
        (wish.slot, wish.source, min(wish.max_height, MAX_HEIGHT)) for wish in layout.slots if wish.source
    ]


class ClientOutbox:
    """What one client has yet to be told."""

    def __init__(self) -> None:
        self._slots: dict[tuple[SlotKind, int], channel_pb2.SlotAssignment] = {}
        self._merged: dict[_MergedKind, channel_pb2.NodeMessage] = {}
        self._first: _MergedKind = "roster"
        """Of two that wait, the one that leaves first: they take turns."""
        self._merge_until = 0.0

    def note_slots(self, changes: Iterable[tuple[SlotKind, int, int, int]]) -> None:
        """(kind, index, source or 0, first RTP timestamp) of slots that changed."""
        for kind, index, source, first_timestamp in changes:
            self._slots[kind, index] = channel_pb2.SlotAssignment(
                kind=kind, slot=index, source=source, first_timestamp=first_timestamp if source else 0
            )

    def note_speakers(self, sources: Sequence[int], dominant: int) -> None:
        """Who is heard now, loudest first."""
        speakers = channel_pb2.Speakers(sources=sources[:4], dominant=dominant)
        self._merged["speakers"] = channel_pb2.NodeMessage(speakers=speakers)

    def note_roster(self, microphones: Sequence[int]) -> None:
        """Whose media can be had now."""
        self._merged["roster"] = channel_pb2.NodeMessage(roster=channel_pb2.Roster(microphones=microphones))

    def next_at(self) -> float | None:
        """When something should leave; None when there is nothing."""
        if self._slots:
            return 0.0
        return self._merge_until if self._merged else None

    def take(self, now: float) -> list[bytes]:
        """The messages that leave now."""
        messages = []
        if self._slots:
            slot_map = channel_pb2.SlotMap(slots=self._slots.values())
            messages.append(channel_pb2.NodeMessage(slot_map=slot_map).SerializeToString())
            self._slots = {}
        if self._merged and now >= self._merge_until:
            kind = self._first if self._first in self._merged else next(iter(self._merged))
            messages.append(self._merged.pop(kind).SerializeToString())
            self._first = "speakers" if kind == "roster" else "roster"
            self._merge_until = now + MERGE_SECONDS
        return messages
