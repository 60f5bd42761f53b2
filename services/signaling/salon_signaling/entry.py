"""Who enters: turns a client's Join into what is asked of rooms, after every check that needs nobody else."""

from dataclasses import dataclass

from salon.rooms.v1 import rooms_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import invalid
from salon_common.ids import RoomId, parse_request_id, parse_room_id

from salon_signaling.auth import Authority, account_of
from salon_signaling.core import fields
from salon_signaling.guards import Guards


@dataclass(frozen=True)
class Entry:
    """A checked Join."""

    room: RoomId
    reserve: rooms_pb2.JoinRequest
    """What rooms is asked."""
    offer: str
    """Empty: no media is wanted, or the media session goes on."""
    last_event: int = 0
    """On resume: the last that the client has."""
    seen_epoch: int = 0
    """On resume of the media session: the highest that the client knows."""
    uplink_bps: int = 0
    """What the uplink carried at the node before; 0 while unknown."""
    downlink_bps: int = 0
    """What the node before could send; 0 while unknown."""

    @property
    def is_resume(self) -> bool:
        """Whether an existing participant comes back."""
        return bool(self.reserve.participant_id)

    @property
    def kind(self) -> str:
        """For metrics."""
        if self.reserve.unheard_epoch:
            return "ask"
        return "resume" if self.is_resume else "join"


def read_entry(
    request: signaling_pb2.JoinRequest, address: str, authority: Authority, guards: Guards
) -> Entry:
    """Check a Join. Raises SalonError."""
    guards.admit_address(address)
    room = parse_room_id(request.room_id)
    reserve = rooms_pb2.JoinRequest(
        room_id=room,
        request_id=parse_request_id(request.request_id),
        wants_media=bool(fields.check_offer(request.offer)),
    )
    match request.WhichOneof("credential"):
        case "session_token":
            claims = authority.session(request.session_token, room)
            guards.admit_participant(claims.participant_id)
            reserve.participant_id = claims.participant_id
        case "invite_secret":
            guards.admit_lookup(address, room)
            reserve.invite_secret = fields.check_secret(request.invite_secret)
            _identify(reserve, request, authority)
        case None:
            raise invalid("credential", "must be a link's invite_secret or a session_token")
    is_resume = bool(reserve.participant_id)
    if is_resume and request.offer and request.unheard_epoch:
        reserve.unheard_epoch = request.unheard_epoch
        reserve.asker = authority.asker(address)
    return Entry(
        room,
        reserve,
        request.offer,
        last_event=request.last_event if is_resume else 0,
        seen_epoch=request.epoch if is_resume and not request.offer else 0,
        uplink_bps=request.uplink_bps,
        downlink_bps=request.downlink_bps,
    )


def _identify(
    reserve: rooms_pb2.JoinRequest, request: signaling_pb2.JoinRequest, authority: Authority
) -> None:
    """What a newcomer is called; an app's user may leave that to the app."""
    name = request.name
    if request.app_token:
        user = authority.user(request.app_token)
        reserve.account.CopyFrom(account_of(user))
        name = name or user.name or ""
    reserve.name = fields.check_name(name)
