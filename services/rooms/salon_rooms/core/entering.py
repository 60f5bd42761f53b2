"""Commands that bring somebody in, or bring them to another node."""

from dataclasses import dataclass

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import ID_BYTES, make_id

from salon_rooms.core.asking import is_unheard, note_unheard
from salon_rooms.core.command import Command, Moment, Outcome, running
from salon_rooms.core.links import check_usable, find_invite, used_once
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import (
    NoNodeError,
    active_node,
    move_room,
    must_leave,
    node_of,
    put_on,
    take_place,
)
from salon_rooms.core.room import Draft, Room, copied, is_listed, shown, timestamp

CHOICE_BYTES = 8
"""Random bytes for choosing a node."""

_KINDS = (
    room_pb2.SOURCE_KIND_MICROPHONE,
    room_pb2.SOURCE_KIND_CAMERA,
    room_pb2.SOURCE_KIND_SCREEN,
    room_pb2.SOURCE_KIND_SCREEN_AUDIO,
)


@dataclass(frozen=True)
class Join(Command[rooms_pb2.JoinResponse]):
    """Reserves a place, or takes an existing participant up again."""

    request: rooms_pb2.JoinRequest
    random: bytes
    """ID_BYTES for a participant's id, CHOICE_BYTES for a node."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.JoinResponse]:
        """Raises SalonError NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION, RESOURCE_EXHAUSTED, UNAVAILABLE."""
        if self.request.participant_id:
            room = running(room)
            return self._resume(room, room.participant(self.request.participant_id), moment)
        return self._enter(running(room), moment)

    def _enter(self, room: Room, moment: Moment) -> Outcome[rooms_pb2.JoinResponse]:
        invite = find_invite(room, self.request.invite_secret)
        if again := self._earlier_try(room, invite):
            return self._resume(room, again, moment)
        check_usable(invite, moment.wall)
        if room.head.room.settings.locked:
            raise SalonError(Code.FAILED_PRECONDITION, "the room is locked: ask somebody inside to unlock it")
        if room.head.occupancy >= room.capacity:
            raise SalonError(Code.RESOURCE_EXHAUSTED, "the room is full")

        draft = Draft(room, moment.wall)
        newcomer = self._newcomer(room, invite, moment.wall)
        draft.head.next_ordinal += 1
        draft.head.occupancy += 1
        if invite_after := used_once(invite, moment.wall):
            draft.put_invite(invite_after)
        self._start_session(draft, newcomer, moment)
        if is_listed(newcomer):
            joined = room_pb2.ParticipantJoined(participant=shown(newcomer))
            draft.emit(room_pb2.Event(participant_joined=joined))
        return self._answer(room, draft, newcomer)

    def _resume(
        self, room: Room, participant: room_pb2.Participant, moment: Moment
    ) -> Outcome[rooms_pb2.JoinResponse]:
        if not self.request.wants_media:
            return Outcome(_response(room, participant))
        draft = Draft(room, moment.wall)
        resumed = copied(participant)
        self._start_session(draft, resumed, moment)
        return self._answer(room, draft, resumed)

    def _start_session(self, draft: Draft, participant: room_pb2.Participant, moment: Moment) -> None:
        """A new number even for a retry: the session of the first try may exist, and be about to end."""
        if self.request.wants_media:
            participant.session_number += 1
            if is_unheard(participant, self.request.unheard_epoch):
                note_unheard(draft, participant, moment, self.random[ID_BYTES:])
            take_place(draft, participant, moment, self.random[ID_BYTES:])
        draft.put(participant)

    def _earlier_try(self, room: Room, invite: room_pb2.Invite) -> room_pb2.Participant | None:
        """Whom this request has brought in already. The rest must fit too: clients choose request ids, some badly."""
        for participant in room.participants.values():
            if (
                participant.request_id == self.request.request_id
                and participant.invite_id == invite.id
                and participant.name == self.request.name
                and participant.account == self.request.account
            ):
                return participant
        return None

    def _newcomer(self, room: Room, invite: room_pb2.Invite, wall: float) -> room_pb2.Participant:
        ordinal = room.head.next_ordinal
        participant = room_pb2.Participant(
            id=make_id(self.random[:ID_BYTES]),
            name=self.request.name,
            role=invite.role,
            state=room_pb2.PARTICIPANT_STATE_JOINING,
            sources=[room_pb2.Source(kind=kind, number=4 * ordinal + kind - 1) for kind in _KINDS],
            joined_at=timestamp(wall),
            invite_id=invite.id,
            request_id=self.request.request_id,
        )
        if self.request.HasField("account"):
            participant.account.CopyFrom(self.request.account)
            if self.request.account == room.head.owner:
                participant.role = room_pb2.ROLE_HOST
        return participant

    def _answer(
        self, room: Room, draft: Draft, participant: room_pb2.Participant
    ) -> Outcome[rooms_pb2.JoinResponse]:
        change = draft.change()
        return Outcome(_response(room.after(change), participant), change)


@dataclass(frozen=True)
class Locate(Command[NodeRef | None]):
    """Which node it is that somebody hears no more. The reply is None when they have another place by now."""

    participant_id: str
    unheard_epoch: int

    def apply(self, room: Room | None, moment: Moment) -> Outcome[NodeRef | None]:
        """Changes nothing."""
        participant = room.participants.get(self.participant_id) if room else None
        if participant is None or not is_unheard(participant, self.unheard_epoch):
            return Outcome(None)
        return Outcome(node_of(participant.place))


@dataclass(frozen=True)
class Replace(Command[rooms_pb2.ReplaceResponse]):
    """Finds another node for a participant whose node did not answer or was not heard."""

    request: rooms_pb2.ReplaceRequest
    random: bytes
    """CHOICE_BYTES."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.ReplaceResponse]:
        """Raises SalonError NOT_FOUND, FAILED_PRECONDITION, UNAVAILABLE."""
        room = running(room)
        participant = room.participant(self.request.participant_id)
        failed = node_of(self.request.failed)
        if participant.HasField("place") and participant.place != self.request.failed:
            return Outcome(rooms_pb2.ReplaceResponse(place=participant.place))
        if self._is_worth_keeping(room, failed, moment):
            return Outcome(rooms_pb2.ReplaceResponse(place=participant.place))

        draft = Draft(room, moment.wall)
        replaced = copied(participant)
        lives = moment.nodes.is_alive(failed, moment.now)
        if active_node(room.head.placement) != failed:
            take_place(draft, replaced, moment, self.random)
        else:
            chosen = moment.nodes.choose(moment.now, self.random, avoid=failed)
            if chosen is None and lives:
                return Outcome(rooms_pb2.ReplaceResponse(place=participant.place))
            if chosen is None:
                raise NoNodeError
            move_room(draft, chosen, moment, but=replaced.id)
            put_on(replaced, chosen, draft)
        if lives:
            draft.remove_session(participant)
        draft.put(replaced)
        return Outcome(rooms_pb2.ReplaceResponse(place=replaced.place), draft.change())

    def _is_worth_keeping(self, room: Room, failed: NodeRef, moment: Moment) -> bool:
        """A node that is well and has somebody else's media is not what fails."""
        return self._serves_others(room) and not must_leave(failed, moment)

    def _serves_others(self, room: Room) -> bool:
        """Whether the node has somebody else's media: then it is not the node that fails."""
        return any(
            other.id != self.request.participant_id
            and other.state == room_pb2.PARTICIPANT_STATE_PRESENT
            and node_of(other.place) == node_of(self.request.failed)
            for other in room.participants.values()
        )


def _response(room: Room, participant: room_pb2.Participant) -> rooms_pb2.JoinResponse:
    return rooms_pb2.JoinResponse(
        participant=participant, snapshot=room.snapshot(), placement=room.head.placement
    )
