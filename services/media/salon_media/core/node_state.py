"""Who is on this node: rooms, participants and their media sessions as a state machine.

Owns which session is current, which epoch of a room's placement the node has reached, and how many participants it takes. It
opens and closes nothing: every input returns a plan that the shell carries out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from salon_common.errors import Code, SalonError
from salon_common.ids import ParticipantId, RoomId

from salon_media.core.mode import ACTIVE, Mode, Purpose

CONNECT_SECONDS: Final = 15.0
"""How long an admitted client may take until its DTLS handshake is complete."""
REMEMBER_REMOVED_SECONDS: Final = 30.0
"""A removal may overtake the admission it is about; calls have deadlines far below this."""


class SessionStatus(Enum):
    """How far a session has come."""

    EXPECTED = "expected"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class ParticipantKey:
    """Participant ids are unique in their room."""

    room_id: RoomId
    participant_id: ParticipantId


@dataclass(slots=True)
class SessionEntry:
    """One media session. `session` and `room` are the numbers by which the engine knows them."""

    session: int
    room: int
    key: ParticipantKey
    session_number: int
    epoch: int
    deadline: float
    microphone: int = 0
    """The number of the participant's microphone; 0 for who has none."""
    status: SessionStatus = SessionStatus.EXPECTED


@dataclass(slots=True)
class _Room:
    handle: int
    epoch: int
    participants: dict[ParticipantId, SessionEntry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Admission:
    """Open `entry.session` in `entry.room`, after closing `replaces`."""

    entry: SessionEntry
    replaces: SessionEntry | None


class NodeState:
    """All of a node's rooms."""

    def __init__(self, boot_id: str, max_participants: int) -> None:
        self.boot_id = boot_id
        self.max_participants = max_participants
        self.mode = ACTIVE
        self._rooms: dict[RoomId, _Room] = {}
        self._handles: dict[int, _Room] = {}
        self._sessions: dict[int, SessionEntry] = {}
        self._removed: dict[ParticipantKey, tuple[int, float]] = {}
        self._last_number = 0

    @property
    def rooms(self) -> int:
        """How many rooms have somebody here."""
        return len(self._rooms)

    @property
    def participants(self) -> int:
        """How many participants have a session here."""
        return len(self._sessions)

    def entries(self) -> Iterator[SessionEntry]:
        """Every session."""
        return iter(list(self._sessions.values()))

    def entry(self, session: int) -> SessionEntry | None:
        """A session that is still current."""
        return self._sessions.get(session)

    def sessions_in(self, room: int) -> list[SessionEntry]:
        """The sessions of a room, by the engine's number of it."""
        found = self._handles.get(room)
        return list(found.participants.values()) if found else []

    def roster(self, room: int) -> tuple[int, ...]:
        """The microphones of all whose media can be had in a room, by the engine's number of it."""
        return tuple(
            sorted(
                entry.microphone
                for entry in self.sessions_in(room)
                if entry.status is SessionStatus.CONNECTED and entry.microphone
            )
        )

    def admit(
        self,
        key: ParticipantKey,
        *,
        boot_id: str,
        session_number: int,
        epoch: int,
        now: float,
        microphone: int = 0,
    ) -> Admission:
        """Take a participant, in place of an older session of theirs.

        Raises SalonError: FAILED_PRECONDITION for what is stale, RESOURCE_EXHAUSTED for a full node, UNAVAILABLE when the node's
        mode keeps them out.
        """
        room = self._rooms.get(key.room_id)
        older = room.participants.get(key.participant_id) if room else None
        self._check_current(key, room, older, boot_id, session_number, epoch)
        if older is None:
            self._check_room_for_one_more(new_room=room is None)
        if room is None:
            room = self._rooms[key.room_id] = _Room(self._next_number(), epoch)
            self._handles[room.handle] = room
        room.epoch = max(room.epoch, epoch)
        if older is not None:
            del self._sessions[older.session]
        entry = SessionEntry(
            session=self._next_number(),
            room=room.handle,
            key=key,
            session_number=session_number,
            epoch=epoch,
            deadline=now + CONNECT_SECONDS,
            microphone=microphone,
        )
        room.participants[key.participant_id] = entry
        self._sessions[entry.session] = entry
        return Admission(entry, older)

    def _check_current(
        self,
        key: ParticipantKey,
        room: _Room | None,
        older: SessionEntry | None,
        boot_id: str,
        session_number: int,
        epoch: int,
    ) -> None:
        if boot_id != self.boot_id:
            raise SalonError(
                Code.FAILED_PRECONDITION, "boot_id: this node has restarted since: place the participant anew"
            )
        if room is not None and epoch < room.epoch:
            raise SalonError(
                Code.FAILED_PRECONDITION,
                f"epoch: {epoch} is old, the room is at {room.epoch} here: ask for the place again",
            )
        # An equal number is a retry of a call whose answer was lost: its offer replaces the first one.
        newest = older.session_number if older else 0
        removed = self._removed.get(key, (0, 0.0))[0]
        if session_number < newest or session_number <= removed:
            raise SalonError(
                Code.FAILED_PRECONDITION,
                f"session_number: {session_number} is old, the participant's is {max(newest, removed + 1)} by now",
            )

    def _check_room_for_one_more(self, *, new_room: bool) -> None:
        if self.mode.purpose is Purpose.DRAINING:
            raise SalonError(Code.UNAVAILABLE, "this node is draining: place the participant on another")
        if self.mode.purpose is Purpose.CORDONED and new_room:
            raise SalonError(
                Code.UNAVAILABLE, "this node takes no new rooms: place the participant on another"
            )
        if self.participants >= self.max_participants:
            raise SalonError(
                Code.RESOURCE_EXHAUSTED, f"this node takes {self.max_participants} participants and is full"
            )

    def _next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def connect(self, session: int) -> SessionEntry | None:
        """DTLS is complete. None when the session is no longer current."""
        entry = self._sessions.get(session)
        if entry is not None:
            entry.status = SessionStatus.CONNECTED
        return entry

    def remove(self, key: ParticipantKey, session_number: int, now: float) -> SessionEntry | None:
        """The participant is out: which session to close. Idempotent; a removal older than the session changes nothing."""
        room = self._rooms.get(key.room_id)
        entry = room.participants.get(key.participant_id) if room else None
        if entry is not None and 0 < session_number < entry.session_number:
            return None
        removed = max(session_number, entry.session_number if entry else 0)
        if removed > 0:
            self._removed[key] = (removed, now + REMEMBER_REMOVED_SECONDS)
        return self.close(entry.session) if entry is not None else None

    def close(self, session: int) -> SessionEntry | None:
        """A session has ended, or must end now. None when it was not current any more."""
        entry = self._sessions.pop(session, None)
        if entry is None:
            return None
        room = self._rooms[entry.key.room_id]
        del room.participants[entry.key.participant_id]
        if not room.participants:
            del self._rooms[entry.key.room_id]
            del self._handles[room.handle]
        return entry

    def see_epoch(self, session: int, epoch: int) -> SessionEntry | None:
        """A client was placed again at `epoch`: which session to close, if that is newer than its place here.

        A client's word moves that client alone: if it moved the room's epoch here, one client could keep all others out.
        """
        entry = self._sessions.get(session)
        return self.close(session) if entry is not None and epoch > entry.epoch else None

    def set_mode(self, mode: Mode) -> None:
        """From now on the node is for this. Raises SalonError FAILED_PRECONDITION when it is ending: nothing calls that off."""
        if self.mode.ending:
            raise SalonError(Code.FAILED_PRECONDITION, "this node is ending: it drains until then")
        self.mode = mode

    def expire(self, now: float) -> list[SessionEntry]:
        """Sessions whose client did not connect in time, and everybody once draining is over; they are closed."""
        self._removed = {key: value for key, value in self._removed.items() if value[1] > now}
        over = self.mode.is_over(now)
        late = [
            entry
            for entry in self._sessions.values()
            if over or (entry.status is SessionStatus.EXPECTED and entry.deadline <= now)
        ]
        for entry in late:
            self.close(entry.session)
        return late
