"""Which of a participant's streams is the one: the newest, and the same answer at every replica.

Streams are ranked by the media session, then by when they were opened, then by id; so two that open at once cannot
end each other. The text form is what replicas tell each other on `takeover.<region>.<room>`.
"""

import re
from dataclasses import dataclass

from salon_common.errors import invalid
from salon_common.ids import ParticipantId, parse_participant_id

_TEXT = re.compile(r"(\S{1,64}) ([0-9]{1,20}) ([0-9]{1,20}) ([0-9a-f]{16})")


@dataclass(frozen=True)
class StreamClaim:
    """One stream's claim to be the participant's only one."""

    participant_id: ParticipantId
    session_number: int
    opened_at_ms: int
    stream_id: str
    """16 hexadecimal digits, unique."""

    def yields_to(self, other: "StreamClaim") -> bool:
        """Whether this stream ends because of the other."""
        return self.participant_id == other.participant_id and self.rank < other.rank

    @property
    def rank(self) -> tuple[int, int, str]:
        """Higher is newer."""
        return (self.session_number, self.opened_at_ms, self.stream_id)

    def encode(self) -> bytes:
        """The text form."""
        return f"{self.participant_id} {self.session_number} {self.opened_at_ms} {self.stream_id}".encode()


def parse_claim(data: bytes) -> StreamClaim:
    """Read the text form. Raises SalonError INVALID_ARGUMENT."""
    match = _TEXT.fullmatch(data[:200].decode("ascii", "replace"))
    if match is None:
        raise invalid("claim", "must be a participant's id, two numbers and a stream's id")
    participant, session, opened, stream = match.groups()
    return StreamClaim(parse_participant_id(participant), int(session), int(opened), stream)
