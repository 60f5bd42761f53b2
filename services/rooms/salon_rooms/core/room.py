"""A room's state as stored, what a command changes in it, and what clients are shown of it.

A `Room` and a `Change` are values: nothing in them is altered once made. `Draft` is where one command works before
its change exists. What the commands may do is not decided here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError

from salon_rooms.core.limits import DEFAULT_CAPACITY, MAX_APPLIED

_COUNTED = (room_pb2.PARTICIPANT_STATE_JOINING, room_pb2.PARTICIPANT_STATE_PRESENT)


@dataclass(frozen=True)
class Room:
    """Everything of one room but its events."""

    head: room_pb2.RoomHead
    participants: Mapping[str, room_pb2.Participant] = field(default_factory=dict)
    invites: Mapping[str, room_pb2.Invite] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The room's id."""
        return self.head.room.id

    @property
    def capacity(self) -> int:
        """How many may be in."""
        return self.head.room.settings.capacity or DEFAULT_CAPACITY

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.head.room.state == room_pb2.ROOM_STATE_ENDED

    def participant(self, participant_id: str) -> room_pb2.Participant:
        """Somebody in the room or at its door. Raises SalonError NOT_FOUND."""
        found = self.participants.get(participant_id)
        if found is None:
            raise SalonError(Code.NOT_FOUND, "you are not in this room any more: join again with its link")
        return found

    def applied(self, request_id: str) -> int | None:
        """The event number of a command that was applied lately."""
        return next((a.event_number for a in self.head.applied if a.request_id == request_id), None)

    def snapshot(self) -> room_pb2.Snapshot:
        """The room as a client sees it."""
        listed = sorted(filter(is_listed, self.participants.values()), key=lambda p: p.sources[0].number)
        return room_pb2.Snapshot(
            room=self.head.room,
            participants=map(shown, listed),
            event_number=self.head.last_event,
            epoch=self.head.placement.epoch,
        )

    def after(self, change: "Change") -> "Room":
        """The room once `change` is committed."""
        if change.head is None:
            return self
        participants = {**self.participants, **change.participants}
        return Room(
            head=change.head,
            participants={key: value for key, value in participants.items() if value is not None},
            invites={**self.invites, **change.invites},
        )


@dataclass(frozen=True)
class Removal:
    """A media session that its node may end now."""

    node_id: str
    room_id: str
    participant_id: str
    session_number: int


@dataclass(frozen=True)
class Change:
    """One atomic write, and what follows from it once it is committed. Empty when there is no head."""

    head: room_pb2.RoomHead | None = None
    participants: Mapping[str, room_pb2.Participant | None] = field(default_factory=dict)
    invites: Mapping[str, room_pb2.Invite] = field(default_factory=dict)
    events: tuple[room_pb2.Event, ...] = ()
    removals: tuple[Removal, ...] = ()
    sent: tuple[str, ...] = ()
    """Nodes that were given a participant, one entry a participant."""

    @property
    def size(self) -> int:
        """How many messages it takes to store."""
        return (self.head is not None) + len(self.participants) + len(self.invites) + len(self.events)

    def then(self, later: "Change") -> "Change":
        """Both as one write."""
        if later.head is None:
            return self
        return Change(
            head=later.head,
            participants={**self.participants, **later.participants},
            invites={**self.invites, **later.invites},
            events=self.events + later.events,
            removals=self.removals + later.removals,
            sent=self.sent + later.sent,
        )


UNCHANGED = Change()


class Draft:
    """One command's change while it is being made. Messages put in belong to the draft: give it copies. Nodes that the
    room has left for good are dropped on the way.
    """

    def __init__(self, room: Room, wall: float) -> None:
        self.head = room_pb2.RoomHead()
        self.head.CopyFrom(room.head)
        _drop_left(self.head.placement, wall)
        self._room = room
        self._at = timestamp(wall)
        self._participants: dict[str, room_pb2.Participant | None] = {}
        self._invites: dict[str, room_pb2.Invite] = {}
        self._events: list[room_pb2.Event] = []
        self._removals: list[Removal] = []
        self._sent: list[str] = []

    def participants(self) -> Iterable[room_pb2.Participant]:
        """Everybody as of now; not to be altered."""
        for key in {**self._room.participants, **self._participants}:
            value = self._participants[key] if key in self._participants else self._room.participants[key]
            if value is not None:
                yield value

    def put(self, participant: room_pb2.Participant) -> None:
        """Store a newcomer or a changed participant."""
        self._participants[participant.id] = participant

    def drop(self, participant: room_pb2.Participant) -> None:
        """Take a participant out, and their media session with them."""
        self._participants[participant.id] = None
        if participant.state in _COUNTED:
            self.head.occupancy -= 1
        if participant.place.node_id:
            self.remove_session(participant)
            for node in self.head.placement.nodes:
                if node.state == room_pb2.PLACED_NODE_STATE_LEAVING:
                    self._remove_at(node.node_id, participant)

    def remove_session(self, participant: room_pb2.Participant) -> None:
        """Have the participant's node end their media session."""
        self._remove_at(participant.place.node_id, participant)

    def _remove_at(self, node_id: str, participant: room_pb2.Participant) -> None:
        self._removals.append(Removal(node_id, self._room.id, participant.id, participant.session_number))

    def put_invite(self, invite: room_pb2.Invite) -> None:
        """Store a new or changed invite."""
        self._invites[invite.id] = invite

    def emit(self, event: room_pb2.Event) -> int:
        """Number an event and store it."""
        self.head.last_event += 1
        event.number = self.head.last_event
        event.at.CopyFrom(self._at)
        self._events.append(event)
        return event.number

    def remember(self, request_id: str, event_number: int) -> None:
        """Note a command as applied."""
        self.head.applied.append(room_pb2.AppliedCommand(request_id=request_id, event_number=event_number))
        del self.head.applied[:-MAX_APPLIED]

    def sent_to(self, node_id: str) -> None:
        """Note that a node was given a participant."""
        self._sent.append(node_id)

    def change(self) -> Change:
        """What has been put in, as a value."""
        return Change(
            head=self.head,
            participants=self._participants,
            invites=self._invites,
            events=tuple(self._events),
            removals=tuple(self._removals),
            sent=tuple(self._sent),
        )


def timestamp(wall: float) -> Timestamp:
    """Unix seconds as the protocol has them."""
    at = Timestamp()
    at.FromMicroseconds(round(wall * 1e6))
    return at


def is_over(node: room_pb2.PlacedNode, wall: float) -> bool:
    """Whether a leaving node's deadline has passed."""
    return node.deadline.ToMicroseconds() <= wall * 1e6


def _drop_left(placement: room_pb2.Placement, wall: float) -> None:
    for at in reversed(range(len(placement.nodes))):
        node = placement.nodes[at]
        if node.state == room_pb2.PLACED_NODE_STATE_LEAVING and is_over(node, wall):
            del placement.nodes[at]


def is_listed(participant: room_pb2.Participant) -> bool:
    """Whether others see the participant: viewers are counted, not listed."""
    return participant.role != room_pb2.ROLE_VIEWER and participant.state in _COUNTED


def shown(participant: room_pb2.Participant) -> room_pb2.Participant:
    """A participant as other clients see them."""
    public = copied(participant)
    for private in ("account", "invite_id", "place", "request_id", "unheard_at"):
        public.ClearField(private)
    return public


def copied(participant: room_pb2.Participant) -> room_pb2.Participant:
    """A copy, to be altered."""
    copy = room_pb2.Participant()
    copy.CopyFrom(participant)
    return copy
