"""Formats of stored rooms, so that two releases can serve the same rooms during an upgrade and after a rollback.

A room keeps the format that it was made in. A release makes rooms in a format that the release before it knows already: a
new format is first known, then made, one release apart (docs/upgrading.md). A replica that meets a later format than
it knows reads what it can, and changes nothing: what it would leave out might be what the format is about.
"""

from typing import Final

from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError

MADE: Final = 1
"""The format that rooms are made in."""
KNOWN: Final = 1
"""The latest format that this release may change."""


def check_known(head: room_pb2.RoomHead) -> None:
    """Raises SalonError UNAVAILABLE for a room that only a later release may change: another replica may be one."""
    if head.format > KNOWN:
        raise SalonError(
            Code.UNAVAILABLE,
            f"this room is stored in format {head.format}, and this replica knows {KNOWN} at most: try again; "
            "if it stays so, the service was rolled back too far",
        )
