"""Who calls: bearer session tokens of participants, and app tokens that vouch for users."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.clock import Clock
from salon_common.errors import Code, SalonError
from salon_common.ids import ParticipantId, RoomId
from salon_common.tokens import AppRegistry, AppUser, SessionClaims, SessionTokens, verify_app_token

from salon_signaling.core import fields

Metadata = Sequence[tuple[str, str | bytes]]


class Authority:
    """Checks credentials and issues session tokens."""

    def __init__(self, apps: AppRegistry, sessions: SessionTokens, clock: Clock) -> None:
        self._apps = apps
        self._sessions = sessions
        self._clock = clock

    @property
    def token_lifetime(self) -> float:
        """Seconds that a session token works."""
        return self._sessions.lifetime

    def caller(self, metadata: Metadata) -> SessionClaims:
        """The participant who calls. Raises SalonError UNAUTHENTICATED."""
        scheme, _, token = value_of(metadata, "authorization").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise SalonError(
                Code.UNAUTHENTICATED,
                "authorization: must be 'Bearer' and the session token that Join gave: join first",
            )
        return self._sessions.verify(fields.check_token("session_token", token.strip()), self._clock.wall())

    def session(self, token: str, room: RoomId) -> SessionClaims:
        """The participant who comes back to `room`. Raises SalonError UNAUTHENTICATED."""
        claims = self._sessions.verify(fields.check_token("session_token", token), self._clock.wall())
        if claims.room_id != room:
            raise SalonError(
                Code.UNAUTHENTICATED, "session_token: is for another room: join this one with its link"
            )
        return claims

    def user(self, token: str) -> AppUser:
        """The user whom an app vouches for. Raises SalonError UNAUTHENTICATED."""
        return verify_app_token(self._apps, fields.check_token("app_token", token), self._clock.wall())

    def asker(self, address: str) -> str:
        """What stands for an address where two people are to be told from one who asks twice."""
        return self._sessions.disguise(address)

    def issue(
        self, room_id: str, participant_id: str, role: "room_pb2.Role.ValueType"
    ) -> signaling_pb2.SessionToken:
        """A session token for a participant."""
        claims = SessionClaims(RoomId(room_id), ParticipantId(participant_id), role)
        token, expires_at = self._sessions.issue(claims, self._clock.wall())
        seconds = int(expires_at)
        return signaling_pb2.SessionToken(token=token, expires_at=Timestamp(seconds=seconds))


def account_of(user: AppUser) -> room_pb2.Account:
    """The account as rooms knows it."""
    return room_pb2.Account(app=user.app.id, subject=user.subject)


def value_of(metadata: Metadata, key: str) -> str:
    """The first text value of a metadata key; empty without one."""
    return next((value for name, value in metadata if name == key and isinstance(value, str)), "")
