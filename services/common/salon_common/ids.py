"""Identifiers and secrets: their alphabets, lengths and checks, in one place.

Making one takes the random bytes as an argument, so that cores stay deterministic; `token_bytes` of `secrets` is
what shells pass in.
"""

import base64
import hashlib
import hmac
import re
from typing import NewType

from salon_common.errors import Code, SalonError, invalid

RoomId = NewType("RoomId", str)
ParticipantId = NewType("ParticipantId", str)
InviteId = NewType("InviteId", str)
NodeId = NewType("NodeId", str)

ID_BYTES = 10
"""Random bytes in a participant's or invite's id: 16 characters of base32."""
ROOM_ID_BYTES = 13
"""Random bytes in a room's id: its last 20 characters."""
SECRET_BYTES = 16
"""Random bytes in a link's secret: 128 bits."""

_ROOM_ID = re.compile(r"([a-z0-9]{1,16}(?:-[a-z0-9]{1,16}){0,2})-([a-z2-7]{20})")
_SHORT_ID = re.compile(r"[a-z2-7]{16}")
_NAME = re.compile(r"[a-z0-9-]{1,64}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def make_room_id(region: str, random: bytes) -> RoomId:
    """`<region>-<20 characters>` from ROOM_ID_BYTES random bytes."""
    return RoomId(f"{region}-{_base32(random[:ROOM_ID_BYTES])[:20]}")


def make_id(random: bytes) -> str:
    """16 characters from ID_BYTES random bytes: for participants and invites."""
    return _base32(random[:ID_BYTES])


def parse_room_id(text: str, field: str = "room_id") -> RoomId:
    """Check a room's id. Raises SalonError INVALID_ARGUMENT."""
    if not _ROOM_ID.fullmatch(text):
        raise invalid(field, "must be a region, a hyphen and 20 characters of a-z and 2-7")
    return RoomId(text)


def region_of(room: RoomId) -> str:
    """The home region of a room."""
    return room.rpartition("-")[0]


def parse_participant_id(text: str, field: str = "participant_id") -> ParticipantId:
    """Check a participant's id. Raises SalonError INVALID_ARGUMENT."""
    if not _SHORT_ID.fullmatch(text):
        raise invalid(field, "must be 16 characters of a-z and 2-7")
    return ParticipantId(text)


def parse_invite_id(text: str, field: str = "invite_id") -> InviteId:
    """Check an invite's id. Raises SalonError INVALID_ARGUMENT."""
    if not _SHORT_ID.fullmatch(text):
        raise invalid(field, "must be 16 characters of a-z and 2-7")
    return InviteId(text)


def parse_name(text: str, field: str) -> str:
    """Check the id of an app, node or replica. Raises SalonError INVALID_ARGUMENT."""
    if not _NAME.fullmatch(text):
        raise invalid(field, "must be 1-64 characters of a-z, 0-9 and hyphen")
    return text


def parse_request_id(text: str, field: str = "request_id") -> str:
    """Check a caller's id of a request. Raises SalonError INVALID_ARGUMENT."""
    if not _REQUEST_ID.fullmatch(text):
        raise invalid(field, "must be 1-64 characters of A-Z, a-z, 0-9, _ and -")
    return text


def encode_secret(secret: bytes) -> str:
    """A link's secret as it stands in the URL's fragment: 22 characters of base64url."""
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def hash_secret(text: str) -> bytes:
    """What is stored of a secret. Raises SalonError NOT_FOUND for text that cannot be one: a link that leads nowhere."""
    try:
        secret = base64.b64decode(text + "==", altchars=b"-_", validate=True) if len(text) == 22 else b""
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SalonError(
            Code.NOT_FOUND, "this link leads nowhere: check that it was copied whole, or ask for a new one"
        )
    return hashlib.sha256(secret).digest()


def same_hash(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left, right)
