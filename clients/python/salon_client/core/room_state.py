"""What a client knows of its room: people, their sources, messages, and how far it has read.

Fed with the stream's snapshots and events. Events apply in the order of their numbers and only without a hole: a duplicate
changes nothing, and a gap is reported, so that the shell resumes after the last number it has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from salon.rooms.v1 import room_pb2

CHAT_KEPT = 1000
"""Messages remembered."""
LOG_KEPT = 100_000
"""Event numbers remembered."""
OWNERS_KEPT = 4096
"""Sources remembered, those of people who left included: their last frames may still be on the way."""


class Outcome(Enum):
    """What an event did."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    GAP = "gap"


@dataclass(frozen=True)
class Message:
    """Something that somebody wrote."""

    number: int
    participant_id: str
    name: str
    text: str


@dataclass(frozen=True)
class Owner:
    """Whose a source is."""

    participant_id: str
    name: str
    kind: "room_pb2.SourceKind.ValueType"


class RoomState:
    """A room at one event number."""

    def __init__(self) -> None:
        self.room = room_pb2.Room()
        self.participants: dict[str, room_pb2.Participant] = {}
        """Everybody who is listed, by id, in the order they came."""
        self.chat: list[Message] = []
        self.last_event = 0
        """The number of the last event that is contained."""
        self.epoch = 0
        """The highest placement epoch seen."""
        self.log: list[int] = []
        """The numbers of the events received one by one, in order."""
        self.snapshots: list[int] = []
        """The numbers at which a snapshot replaced what was known."""
        self._owners: dict[int, Owner] = {}

    def receive_snapshot(self, snapshot: room_pb2.Snapshot) -> None:
        """Replace what is known. Messages stay: they are history, not state."""
        self.room = snapshot.room
        self.participants = {each.id: each for each in snapshot.participants}
        self.last_event = snapshot.event_number
        self.snapshots.append(snapshot.event_number)
        self.see_epoch(snapshot.epoch)
        for participant in snapshot.participants:
            self._remember_owner(participant)

    def receive_event(self, event: room_pb2.Event) -> Outcome:
        """Apply the next event."""
        if event.number <= self.last_event:
            return Outcome.DUPLICATE
        if event.number > self.last_event + 1:
            return Outcome.GAP
        self.last_event = event.number
        self.log.append(event.number)
        del self.log[:-LOG_KEPT]
        self._apply(event)
        return Outcome.APPLIED

    def see_epoch(self, epoch: int) -> bool:
        """Note a placement epoch; whether it is newer than all before."""
        newer = epoch > self.epoch
        self.epoch = max(self.epoch, epoch)
        return newer

    def owner(self, source: int) -> Owner | None:
        """Whose source this number is; also of people who left."""
        return self._owners.get(source)

    def name_of(self, participant_id: str) -> str:
        """A participant's name, also of one that has left; empty when never seen."""
        listed = self.participants.get(participant_id)
        if listed is not None:
            return listed.name
        return next(
            (each.name for each in self._owners.values() if each.participant_id == participant_id), ""
        )

    def active_sources(
        self, kinds: "Sequence[room_pb2.SourceKind.ValueType]", *, without: str = ""
    ) -> Iterator[int]:
        """The numbers of the sources that are on, by kind and then by arrival, those of one participant left out."""
        for kind in kinds:
            for participant in self.participants.values():
                if participant.id != without:
                    yield from (
                        each.number for each in participant.sources if each.kind == kind and each.active
                    )

    def microphones(self) -> Iterator[int]:
        """The number of everybody's microphone, on or off: as nodes name people."""
        for participant in self.participants.values():
            yield from (
                each.number for each in participant.sources if each.kind == room_pb2.SOURCE_KIND_MICROPHONE
            )

    def _apply(self, event: room_pb2.Event) -> None:
        body = event.WhichOneof("body")
        if body == "participant_joined":
            self._put(event.participant_joined.participant)
        elif body == "participant_changed":
            self._put(event.participant_changed.participant)
        elif body == "participant_left":
            self.participants.pop(event.participant_left.participant_id, None)
        elif body == "chat":
            said = event.chat
            self.chat.append(Message(event.number, said.participant_id, said.name, said.text))
            del self.chat[:-CHAT_KEPT]
        elif body == "room_changed":
            self.room = event.room_changed.room
        elif body == "room_ended":
            self.room.state = room_pb2.ROOM_STATE_ENDED
        elif body == "placement_changed":
            self.see_epoch(event.placement_changed.epoch)
        # An unknown body is of a later version: its number counts, its content does not.

    def _put(self, participant: room_pb2.Participant) -> None:
        self.participants[participant.id] = participant
        self._remember_owner(participant)

    def _remember_owner(self, participant: room_pb2.Participant) -> None:
        for source in participant.sources:
            self._owners[source.number] = Owner(participant.id, participant.name, source.kind)
        while len(self._owners) > OWNERS_KEPT:
            del self._owners[next(iter(self._owners))]
