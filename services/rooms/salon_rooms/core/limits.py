"""What a caller may put into a field, and how much of everything a room holds.

Each `check_*` takes a request as it came and raises SalonError INVALID_ARGUMENT naming the field and its limit. They
look at the request alone: what depends on a room's state is the commands' business.
"""

import unicodedata

from salon.rooms.v1 import nodes_pb2, presence_pb2, room_pb2, rooms_pb2
from salon_common.errors import invalid
from salon_common.ids import (
    parse_invite_id,
    parse_name,
    parse_participant_id,
    parse_request_id,
    parse_room_id,
)

DEFAULT_CAPACITY = 50
MAX_CAPACITY = 50
MAX_INVITES = 500
"""With the participants and the head this stays below the 1,024 subjects that one batched direct get may match."""
MAX_APPLIED = 64
MAX_EVENTS_IN_REPLY = 100
MAX_NAME = 64
MAX_TITLE = 120
MAX_LABEL = 64
MAX_TEXT = 2000
MAX_SUBJECT_BYTES = 128
MAX_ASKER = 64
MAX_DRAIN_SECONDS = 86_400

_INVITED_ROLES = (
    room_pb2.ROLE_UNSPECIFIED,
    room_pb2.ROLE_COHOST,
    room_pb2.ROLE_SPEAKER,
    room_pb2.ROLE_VIEWER,
)
_LEAVE_REASONS = (
    room_pb2.LEAVE_REASON_UNSPECIFIED,
    room_pb2.LEAVE_REASON_LEFT,
    room_pb2.LEAVE_REASON_REMOVED,
)
_NODE_MODES = (
    presence_pb2.NODE_MODE_ACTIVE,
    presence_pb2.NODE_MODE_CORDONED,
    presence_pb2.NODE_MODE_DRAINING,
)
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the text around them too, so that a name could rewrite the line it stands in."""


def _has_controls(text: str, allowed: str = "") -> bool:
    return any(
        (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _BIDI_CONTROLS)
        and character not in allowed
        for character in text
    )


def _check_line(text: str, field: str, least: int, most: int) -> None:
    if not least <= len(text) <= most or (least and not text.strip()):
        raise invalid(field, f"must be {least}-{most} characters, and not only spaces")
    if _has_controls(text):
        raise invalid(field, "must not contain control characters")


def _check_account(account: room_pb2.Account, field: str) -> None:
    parse_name(account.app, f"{field}.app")
    if not 1 <= len(account.subject.encode()) <= MAX_SUBJECT_BYTES:
        raise invalid(f"{field}.subject", f"must be 1-{MAX_SUBJECT_BYTES} bytes")


def check_create_room(request: rooms_pb2.CreateRoomRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_request_id(request.request_id)
    _check_account(request.owner, "owner")
    _check_line(request.title, "title", 0, MAX_TITLE)
    if request.settings.capacity > MAX_CAPACITY:
        raise invalid("settings.capacity", f"must be 1-{MAX_CAPACITY}, or 0 for {DEFAULT_CAPACITY}")
    if request.settings.waiting_room:
        raise invalid("settings.waiting_room", "cannot be used yet: nobody could let newcomers in")


def check_create_invite(request: rooms_pb2.CreateInviteRequest, wall: float) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)
    parse_participant_id(request.participant_id)
    _check_line(request.label, "label", 0, MAX_LABEL)
    if request.role not in _INVITED_ROLES:
        raise invalid("role", "must be co-host, speaker or viewer; unset means speaker")
    if request.HasField("expires_at") and request.expires_at.ToNanoseconds() <= wall * 1e9:
        raise invalid("expires_at", "must be in the future")


def check_revoke_invite(request: rooms_pb2.RevokeInviteRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)
    parse_participant_id(request.participant_id)
    parse_invite_id(request.invite_id)


def check_preview_room(request: rooms_pb2.PreviewRoomRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)


def check_join(request: rooms_pb2.JoinRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)
    parse_request_id(request.request_id)
    if bool(request.invite_secret) == bool(request.participant_id):
        raise invalid("invite_secret", "give either the secret of a link or a participant_id")
    if request.unheard_epoch and not (request.participant_id and request.wants_media):
        raise invalid("unheard_epoch", "is for those who take up a participant again, with media")
    if len(request.asker) > MAX_ASKER:
        raise invalid("asker", f"must be at most {MAX_ASKER} characters")
    if request.participant_id:
        parse_participant_id(request.participant_id)
        return
    _check_line(request.name, "name", 1, MAX_NAME)
    if request.HasField("account"):
        _check_account(request.account, "account")


def check_replace(request: rooms_pb2.ReplaceRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)
    parse_participant_id(request.participant_id)
    if not request.HasField("failed"):
        raise invalid("failed", "must be the place that did not work")
    parse_name(request.failed.node_id, "failed.node_id")


def check_leave(request: rooms_pb2.LeaveRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)
    parse_participant_id(request.participant_id)
    if request.reason not in _LEAVE_REASONS:
        raise invalid("reason", "must be left or removed; unset means left")


def check_send_chat(request: rooms_pb2.SendChatRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)
    parse_participant_id(request.participant_id)
    parse_request_id(request.request_id)
    if not 1 <= len(request.text) <= MAX_TEXT or not request.text.strip():
        raise invalid("text", f"must be 1-{MAX_TEXT} characters, and not only spaces")
    if _has_controls(request.text, allowed="\n\t\u200e\u200f"):
        raise invalid("text", "must not contain control characters other than line breaks and tabs")


def check_set_sources(request: rooms_pb2.SetSourcesRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)
    parse_participant_id(request.participant_id)
    known = room_pb2.SourceKind.values()
    if any(kind not in known or kind == room_pb2.SOURCE_KIND_UNSPECIFIED for kind in request.active):
        raise invalid("active", "must be kinds of sources: microphone, camera, screen or screen audio")
    if len(request.active) != len(set(request.active)):
        raise invalid("active", "must name each kind at most once")


def check_replay(request: rooms_pb2.ReplayRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_room_id(request.room_id)


def check_set_node_mode(request: nodes_pb2.SetNodeModeRequest) -> None:
    """Raises SalonError INVALID_ARGUMENT."""
    parse_name(request.node_id, "node_id")
    if request.mode not in _NODE_MODES:
        raise invalid("mode", "must be active, cordoned or draining")
    if request.drain_seconds > MAX_DRAIN_SECONDS:
        raise invalid("drain_seconds", f"must be 1-{MAX_DRAIN_SECONDS}, or 0 for 120")
    if request.drain_seconds and request.mode != presence_pb2.NODE_MODE_DRAINING:
        raise invalid("drain_seconds", "is for draining only")
