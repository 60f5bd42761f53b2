"""Links: the invites of a room, found by their secrets.

Only hashes of secrets are stored. The two links that a room is made with are derived from the request by a key of
the service, so that a retry of the request is answered with the same links although they are kept nowhere.
"""

import hashlib
import hmac

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import (
    ID_BYTES,
    SECRET_BYTES,
    encode_secret,
    hash_secret,
    make_id,
    make_room_id,
    same_hash,
)

from salon_rooms.core.room import Room, timestamp


def room_id_for(region: str, request: rooms_pb2.CreateRoomRequest) -> str:
    """The id of the room that a request makes: always the same for the same owner and request id."""
    parts = (region, request.owner.app, request.owner.subject, request.request_id)
    digest = hashlib.sha256(b"salon room\0" + b"\0".join(part.encode() for part in parts)).digest()
    return make_room_id(region, digest)


def derive_secret(key: bytes, room_id: str, purpose: str) -> str:
    """The secret of one of the links that a room is made with."""
    digest = hmac.digest(key, f"salon link\0{room_id}\0{purpose}".encode(), hashlib.sha256)
    return encode_secret(digest[:SECRET_BYTES])


def derive_id(room_id: str, purpose: str) -> str:
    """The id of one of the links that a room is made with."""
    return make_id(hashlib.sha256(f"salon invite\0{room_id}\0{purpose}".encode()).digest()[:ID_BYTES])


def find_invite(room: Room, secret: str) -> room_pb2.Invite:
    """The invite that a secret opens, usable or not. Raises SalonError NOT_FOUND."""
    wanted = hash_secret(secret)
    found = None
    for invite in room.invites.values():  # looks at each, so that the time taken says nothing
        if same_hash(invite.secret_hash, wanted):
            found = invite
    if found is None:
        raise SalonError(
            Code.NOT_FOUND, "this link leads nowhere: check that it was copied whole, or ask for a new one"
        )
    return found


def check_usable(invite: room_pb2.Invite, wall: float) -> None:
    """Raises SalonError PERMISSION_DENIED for an invite that lets nobody in any more."""
    if invite.HasField("revoked_at"):
        raise SalonError(Code.PERMISSION_DENIED, "this link no longer works: ask for a new one")
    if invite.HasField("expires_at") and invite.expires_at.ToNanoseconds() <= wall * 1e9:
        raise SalonError(Code.PERMISSION_DENIED, "this link has expired: ask for a new one")


def used_once(invite: room_pb2.Invite, wall: float) -> room_pb2.Invite | None:
    """The invite after one more use; None when uses are not counted. The last use revokes it, since 0 left means any number."""
    if invite.uses_left == 0:
        return None
    after = room_pb2.Invite()
    after.CopyFrom(invite)
    if after.uses_left == 1:
        after.revoked_at.CopyFrom(timestamp(wall))
    else:
        after.uses_left -= 1
    return after
