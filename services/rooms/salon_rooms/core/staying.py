"""Commands of those who are in: chat, sources, being heard, and leaving or getting lost."""

from dataclasses import dataclass
from enum import Enum

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError

from salon_rooms.core.command import Command, Moment, Outcome, existing, running
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import leaving_nodes, node_of, settle
from salon_rooms.core.room import Draft, Room, copied, is_listed, shown


@dataclass(frozen=True)
class SendChat(Command[rooms_pb2.SendChatResponse]):
    """Writes to everybody."""

    request: rooms_pb2.SendChatRequest

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.SendChatResponse]:
        """Raises SalonError NOT_FOUND, FAILED_PRECONDITION."""
        room = running(room)
        writer = room.participant(self.request.participant_id)
        request_id = f"{writer.id}/{self.request.request_id}"
        number = room.applied(request_id)
        if number is not None:
            return Outcome(rooms_pb2.SendChatResponse(event_number=number))
        draft = Draft(room, moment.wall)
        chat = room_pb2.ChatMessage(participant_id=writer.id, name=writer.name, text=self.request.text)
        number = draft.emit(room_pb2.Event(chat=chat))
        draft.remember(request_id, number)
        return Outcome(rooms_pb2.SendChatResponse(event_number=number), draft.change())


@dataclass(frozen=True)
class SetSources(Command[rooms_pb2.SetSourcesResponse]):
    """Says which sources a participant sends now."""

    request: rooms_pb2.SetSourcesRequest

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.SetSourcesResponse]:
        """Raises SalonError NOT_FOUND, FAILED_PRECONDITION, PERMISSION_DENIED."""
        room = running(room)
        participant = room.participant(self.request.participant_id)
        if participant.role == room_pb2.ROLE_VIEWER and self.request.active:
            raise SalonError(
                Code.PERMISSION_DENIED, "viewers send nothing: ask the host to make you a speaker"
            )
        changed = copied(participant)
        for source in changed.sources:
            source.active = source.kind in self.request.active
        if changed == participant:
            return Outcome(rooms_pb2.SetSourcesResponse())
        draft = Draft(room, moment.wall)
        draft.put(changed)
        number = draft.emit(_changed(changed))
        return Outcome(rooms_pb2.SetSourcesResponse(event_number=number), draft.change())


class Vouched(Enum):
    """What a rooms replica thinks of somebody that a node has."""

    RIGHT = "right"
    """The participant belongs there, or may be there still."""
    WRONG = "wrong"
    """Not in the room, on another node, or with a later session: the node may end what it has."""
    EARLY = "early"
    """The node knows a later session than what was read: nothing to do now."""


@dataclass(frozen=True)
class Connected(Command[Vouched]):
    """A node says that it has somebody's media."""

    participant_id: str
    session_number: int
    node: NodeRef

    def apply(self, room: Room | None, moment: Moment) -> Outcome[Vouched]:
        """Makes those present who were joining. A node that the room is leaving may have any session but a later one."""
        participant = room.participants.get(self.participant_id) if room else None
        if room is None or participant is None:
            return Outcome(Vouched.WRONG)
        if self.session_number > participant.session_number:
            return Outcome(Vouched.EARLY)
        if node_of(participant.place) != self.node:
            is_leaving = self.node in leaving_nodes(room.head.placement, moment.wall)
            return Outcome(Vouched.RIGHT if is_leaving else Vouched.WRONG)
        if self.session_number < participant.session_number:
            return Outcome(Vouched.WRONG)
        if participant.state == room_pb2.PARTICIPANT_STATE_PRESENT:
            return Outcome(Vouched.RIGHT)
        draft = Draft(room, moment.wall)
        present = copied(participant)
        present.state = room_pb2.PARTICIPANT_STATE_PRESENT
        draft.put(present)
        settle(draft, moment.wall)
        if is_listed(present):
            draft.emit(_changed(present))
        return Outcome(Vouched.RIGHT, draft.change())


@dataclass(frozen=True)
class Leave(Command[rooms_pb2.LeaveResponse]):
    """Takes a participant out. Who is out already stays out: a retry is no error. Who has begun a session since the one
    that the request is about stays in.
    """

    request: rooms_pb2.LeaveRequest

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.LeaveResponse]:
        """Raises SalonError NOT_FOUND for an unknown room."""
        room = existing(room)
        participant = room.participants.get(self.request.participant_id)
        if participant is None or 0 < self.request.session_number < participant.session_number:
            return Outcome(rooms_pb2.LeaveResponse())
        reason = self.request.reason or room_pb2.LEAVE_REASON_LEFT
        return Outcome(rooms_pb2.LeaveResponse(), _out(room, participant, reason, moment).change())


@dataclass(frozen=True)
class Lost(Command[bool]):
    """Nobody vouches for a participant any more. The reply is whether they were taken out."""

    participant_id: str
    session_number: int
    """The session that was judged; who has begun another since is not lost."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[bool]:
        """Takes the participant out."""
        participant = room.participants.get(self.participant_id) if room else None
        if room is None or participant is None or participant.session_number != self.session_number:
            return Outcome(reply=False)
        return Outcome(
            reply=True, change=_out(room, participant, room_pb2.LEAVE_REASON_LOST, moment).change()
        )


def _out(
    room: Room, participant: room_pb2.Participant, reason: room_pb2.LeaveReason.ValueType, moment: Moment
) -> Draft:
    draft = Draft(room, moment.wall)
    draft.drop(participant)
    # A viewer comes and goes unseen; their own signaling must learn of a removal, though.
    if is_listed(participant) or reason == room_pb2.LEAVE_REASON_REMOVED:
        left = room_pb2.ParticipantLeft(participant_id=participant.id, reason=reason)
        draft.emit(room_pb2.Event(participant_left=left))
    return draft


def _changed(participant: room_pb2.Participant) -> room_pb2.Event:
    return room_pb2.Event(participant_changed=room_pb2.ParticipantChanged(participant=shown(participant)))
