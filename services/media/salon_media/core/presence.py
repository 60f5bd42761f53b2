"""What the node vouches for: changes each second, everybody each five seconds, and who is gone at once.

Owns when a report is due and what is in it; `vouching` publishes it.
"""

from collections.abc import Iterable
from typing import Final

from salon.rooms.v1 import presence_pb2
from salon_common.ids import ParticipantId, RoomId

from salon_media.core.node_state import ParticipantKey, SessionEntry, SessionStatus

CHANGES_SECONDS: Final = 1.0
COMPLETE_SECONDS: Final = 5.0

_STATUS: Final = {
    SessionStatus.EXPECTED: presence_pb2.PRESENCE_STATUS_EXPECTED,
    SessionStatus.CONNECTED: presence_pb2.PRESENCE_STATUS_CONNECTED,
}


class PresenceReports:
    """The reports of one node's incarnation."""

    def __init__(self, node_id: str, boot_id: str) -> None:
        self._node_id = node_id
        self._boot_id = boot_id
        self._changes: dict[ParticipantKey, presence_pb2.PresenceEntry] = {}
        self._urgent = False
        self._changes_at = 0.0
        self._complete_at = 0.0

    def note(self, entry: SessionEntry) -> None:
        """A session was admitted or has connected. The latest word about a participant is the one that is sent."""
        self._changes[entry.key] = _entry(entry, _STATUS[entry.status])

    def note_gone(self, entry: SessionEntry) -> None:
        """A session has ended, and no newer one replaces it."""
        self._changes[entry.key] = _entry(entry, presence_pb2.PRESENCE_STATUS_GONE)
        self._urgent = True

    def next_at(self) -> float:
        """When the next report is due at the latest."""
        if self._urgent:
            return 0.0
        return min(self._changes_at, self._complete_at) if self._changes else self._complete_at

    def take(self, entries: Iterable[SessionEntry], now: float) -> list[presence_pb2.PresenceReport]:
        """The reports that are due. A complete one does not name those who are gone, so changes come first."""
        reports = []
        if self._changes and (self._urgent or now >= min(self._changes_at, self._complete_at)):
            reports.append(self._report(self._changes.values(), complete=False))
            self._changes = {}
            self._urgent = False
            self._changes_at = now + CHANGES_SECONDS
        if now >= self._complete_at:
            everybody = [_entry(entry, _STATUS[entry.status]) for entry in entries]
            reports.append(self._report(everybody, complete=True))
            self._complete_at = now + COMPLETE_SECONDS
        return reports

    def restore(self, lost: presence_pb2.PresenceReport, now: float) -> None:
        """A report could not be published: try all of it again in a second, with what is newer by then."""
        if not lost.complete:
            for entry in lost.entries:
                key = ParticipantKey(RoomId(entry.room_id), ParticipantId(entry.participant_id))
                self._changes.setdefault(key, entry)
        self._urgent = False
        self._changes_at = self._complete_at = now + CHANGES_SECONDS

    def _report(
        self, entries: Iterable[presence_pb2.PresenceEntry], *, complete: bool
    ) -> presence_pb2.PresenceReport:
        return presence_pb2.PresenceReport(
            voucher=presence_pb2.VOUCHER_MEDIA,
            sender_id=self._node_id,
            boot_id=self._boot_id,
            entries=entries,
            complete=complete,
        )


def _entry(entry: SessionEntry, status: presence_pb2.PresenceStatus.ValueType) -> presence_pb2.PresenceEntry:
    return presence_pb2.PresenceEntry(
        room_id=entry.key.room_id,
        participant_id=entry.key.participant_id,
        session_number=entry.session_number,
        status=status,
    )
