"""Commands that make rooms and their links."""

from dataclasses import dataclass

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import ID_BYTES, SECRET_BYTES, encode_secret, hash_secret, make_id, same_hash

from salon_rooms.core.command import Command, Moment, Outcome, existing, running
from salon_rooms.core.formats import MADE
from salon_rooms.core.limits import DEFAULT_CAPACITY, MAX_INVITES
from salon_rooms.core.links import check_usable, derive_id, derive_secret, find_invite
from salon_rooms.core.room import Draft, Room, timestamp

_MAY_INVITE = (room_pb2.ROLE_HOST, room_pb2.ROLE_COHOST)


@dataclass(frozen=True)
class CreateRoom(Command[rooms_pb2.CreateRoomResponse]):
    """Makes a room, its link, and a link that makes its user the host."""

    room_id: str
    """As `links.room_id_for` derives it."""
    request: rooms_pb2.CreateRoomRequest
    key: bytes
    """The service's key for the secrets."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.CreateRoomResponse]:
        """A room that is there already was made by this same request: the answer is the same again."""
        invite, host = self._link("room", moment.wall), self._link("host", moment.wall)
        if room is not None:
            if not self._are_links_of(room, invite, host):
                raise SalonError(
                    Code.ALREADY_EXISTS,
                    "request_id: this request has made a room already, and its links were given then: use a new one",
                )
            return Outcome(self._response(room.head.room, invite.id))
        draft = Draft(Room(self._head(moment.wall)), moment.wall)
        draft.put_invite(invite)
        draft.put_invite(host)
        return Outcome(self._response(draft.head.room, invite.id), draft.change())

    def _head(self, wall: float) -> room_pb2.RoomHead:
        head = room_pb2.RoomHead(next_ordinal=1, owner=self.request.owner, format=MADE)
        head.room.id = self.room_id
        head.room.app = self.request.owner.app
        head.room.title = self.request.title
        head.room.state = room_pb2.ROOM_STATE_OPEN
        head.room.settings.CopyFrom(self.request.settings)
        head.room.settings.capacity = self.request.settings.capacity or DEFAULT_CAPACITY
        head.room.created_at.CopyFrom(timestamp(wall))
        return head

    def _link(self, purpose: str, wall: float) -> room_pb2.Invite:
        host = purpose == "host"
        return room_pb2.Invite(
            id=derive_id(self.room_id, purpose),
            secret_hash=hash_secret(derive_secret(self.key, self.room_id, purpose)),
            role=room_pb2.ROLE_HOST if host else room_pb2.ROLE_SPEAKER,
            uses_left=1 if host else 0,
            label="host" if host else "",
        )

    def _are_links_of(self, room: Room, *links: room_pb2.Invite) -> bool:
        """False when the room was made with another key."""
        return all(
            link.id in room.invites and same_hash(room.invites[link.id].secret_hash, link.secret_hash)
            for link in links
        )

    def _response(self, room: room_pb2.Room, invite_id: str) -> rooms_pb2.CreateRoomResponse:
        return rooms_pb2.CreateRoomResponse(
            room=room,
            invite_id=invite_id,
            invite_secret=derive_secret(self.key, self.room_id, "room"),
            host_secret=derive_secret(self.key, self.room_id, "host"),
        )


@dataclass(frozen=True)
class CreateInvite(Command[rooms_pb2.CreateInviteResponse]):
    """Makes another link."""

    request: rooms_pb2.CreateInviteRequest
    random: bytes
    """ID_BYTES for the id, SECRET_BYTES for the secret."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.CreateInviteResponse]:
        """Raises SalonError PERMISSION_DENIED, RESOURCE_EXHAUSTED."""
        room = running(room)
        _check_may_invite(room, self.request.participant_id)
        secret = encode_secret(self.random[ID_BYTES : ID_BYTES + SECRET_BYTES])
        invite = room_pb2.Invite(
            id=make_id(self.random[:ID_BYTES]),
            secret_hash=hash_secret(secret),
            role=self.request.role or room_pb2.ROLE_SPEAKER,
            label=self.request.label,
        )
        response = rooms_pb2.CreateInviteResponse(invite_id=invite.id, invite_secret=secret)
        if invite.id in room.invites:
            return Outcome(response)
        if len(room.invites) >= MAX_INVITES:
            raise SalonError(
                Code.RESOURCE_EXHAUSTED, f"this room has {MAX_INVITES} links, and cannot have more"
            )
        if self.request.HasField("expires_at"):
            invite.expires_at.CopyFrom(self.request.expires_at)
        draft = Draft(room, moment.wall)
        draft.put_invite(invite)
        return Outcome(response, draft.change())


@dataclass(frozen=True)
class RevokeInvite(Command[rooms_pb2.RevokeInviteResponse]):
    """Makes a link stop working for those who have not come in yet."""

    request: rooms_pb2.RevokeInviteRequest

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.RevokeInviteResponse]:
        """Raises SalonError PERMISSION_DENIED, NOT_FOUND."""
        room = running(room)
        _check_may_invite(room, self.request.participant_id)
        invite = room.invites.get(self.request.invite_id)
        if invite is None:
            raise SalonError(Code.NOT_FOUND, "invite_id: this room has no such link")
        if invite.HasField("revoked_at"):
            return Outcome(rooms_pb2.RevokeInviteResponse())
        revoked = room_pb2.Invite()
        revoked.CopyFrom(invite)
        revoked.revoked_at.CopyFrom(timestamp(moment.wall))
        draft = Draft(room, moment.wall)
        draft.put_invite(revoked)
        return Outcome(rooms_pb2.RevokeInviteResponse(), draft.change())


@dataclass(frozen=True)
class PreviewRoom(Command[rooms_pb2.PreviewRoomResponse]):
    """Says what a link opens; changes nothing."""

    request: rooms_pb2.PreviewRoomRequest

    def apply(self, room: Room | None, moment: Moment) -> Outcome[rooms_pb2.PreviewRoomResponse]:
        """Raises SalonError NOT_FOUND, PERMISSION_DENIED. An ended room is shown as such."""
        room = existing(room)
        check_usable(find_invite(room, self.request.invite_secret), moment.wall)
        return Outcome(rooms_pb2.PreviewRoomResponse(room=room.head.room, occupancy=room.head.occupancy))


def _check_may_invite(room: Room, participant_id: str) -> None:
    if room.participant(participant_id).role not in _MAY_INVITE:
        raise SalonError(Code.PERMISSION_DENIED, "only a host may make or revoke links: ask the host")
