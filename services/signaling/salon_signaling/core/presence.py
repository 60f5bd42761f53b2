"""Whom this replica vouches for: everybody with an open stream here. Says what changed, and who all are there.

A participant can have several streams for a moment (the newer takes over): gone is who has none left. A stream that was
taken over ends without a word, since the newer one speaks, here or at another replica.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from salon.rooms.v1 import presence_pb2
from salon_common.ids import ParticipantId, RoomId

MAX_ENTRIES = 2000
"""In one report: about 130 KB."""

_Member = tuple[RoomId, ParticipantId]
_Status = presence_pb2.PresenceStatus


@dataclass(frozen=True)
class Sender:
    """Who reports."""

    replica_id: str
    boot_id: str


class PresenceLedger:
    """The open streams of this replica."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._streams: dict[_Member, set[str]] = {}
        self._changes: dict[_Member, _Status.ValueType] = {}

    def handle_opened(self, room: RoomId, participant: ParticipantId, stream_id: str) -> None:
        """A stream is open."""
        self._streams.setdefault((room, participant), set()).add(stream_id)
        self._changes[room, participant] = presence_pb2.PRESENCE_STATUS_EXPECTED

    def handle_closed(
        self, room: RoomId, participant: ParticipantId, stream_id: str, *, taken_over: bool = False
    ) -> None:
        """A stream has ended."""
        member = (room, participant)
        streams = self._streams.get(member, set())
        streams.discard(stream_id)
        if streams:
            return
        self._streams.pop(member, None)
        if taken_over:
            self._changes.pop(member, None)
        else:
            self._changes[member] = presence_pb2.PRESENCE_STATUS_GONE

    def take_changes(self) -> list[presence_pb2.PresenceReport]:
        """Reports of what changed since the last call of either kind."""
        changes, self._changes = self._changes, {}
        return self._reports(changes.items(), complete=False)

    def take_everybody(self) -> list[presence_pb2.PresenceReport]:
        """Reports of all who are here, and of those who went since the last call of either kind."""
        gone = {m: s for m, s in self._changes.items() if s == presence_pb2.PRESENCE_STATUS_GONE}
        self._changes = {}
        present = dict.fromkeys(self._streams, presence_pb2.PRESENCE_STATUS_EXPECTED)
        return self._reports((present | gone).items(), complete=True)

    def _reports(
        self, entries: Iterable[tuple[_Member, "_Status.ValueType"]], *, complete: bool
    ) -> list[presence_pb2.PresenceReport]:
        """Everybody in one report is `complete`; more than fit are several reports that claim nothing of the rest."""
        messages = [
            presence_pb2.PresenceEntry(room_id=room, participant_id=participant, status=status)
            for (room, participant), status in entries
        ]
        chunks = [messages[start : start + MAX_ENTRIES] for start in range(0, len(messages), MAX_ENTRIES)]
        if complete and not chunks:
            chunks = [[]]
        return [
            presence_pb2.PresenceReport(
                voucher=presence_pb2.VOUCHER_SIGNALING,
                sender_id=self._sender.replica_id,
                boot_id=self._sender.boot_id,
                entries=chunk,
                complete=complete and len(chunks) == 1,
            )
            for chunk in chunks
        ]
