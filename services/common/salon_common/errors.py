"""The one error that crosses a service's edge, and the codes it may carry.

The codes are gRPC's; `salon_common.rpc` maps them to each transport. Cores raise `SalonError`, adapters translate
foreign errors into it, and nothing else reaches a caller: an unexpected exception becomes INTERNAL with an id.
Beside it `SettingsError`, which no caller sees: the operator's mistake, told when a process starts.
"""

from enum import IntEnum


class Code(IntEnum):
    """gRPC status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html)."""

    OK = 0
    """Not an error."""
    CANCELLED = 1
    """The caller gave up."""
    UNKNOWN = 2
    """An error without a code of ours; only foreign code answers so."""
    INVALID_ARGUMENT = 3
    """A field is wrong whatever the state; the message names it and its limit."""
    DEADLINE_EXCEEDED = 4
    """Not done in time; it may have happened all the same."""
    NOT_FOUND = 5
    """No such room, participant or link."""
    ALREADY_EXISTS = 6
    """What was to be made is there already."""
    PERMISSION_DENIED = 7
    """The caller is known, and may not."""
    RESOURCE_EXHAUSTED = 8
    """A limit is reached: the room is full, too many calls, a message too large."""
    FAILED_PRECONDITION = 9
    """Not in this state: the room has ended, the epoch is old."""
    ABORTED = 10
    """Lost a race too often; the caller may try again."""
    OUT_OF_RANGE = 11
    """Past the end."""
    UNIMPLEMENTED = 12
    """This transport or version does not offer the method."""
    INTERNAL = 13
    """Our bug; the id in the message is in the log."""
    UNAVAILABLE = 14
    """Cannot answer now; try again."""
    DATA_LOSS = 15
    """Stored data cannot be read."""
    UNAUTHENTICATED = 16
    """No valid credential."""


class SalonError(Exception):
    """An outcome that the caller is told: a code, and a sentence that says what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __repr__(self) -> str:
        return f"SalonError({self.code.name}, {self.message!r})"


def invalid(field: str, problem: str) -> SalonError:
    """INVALID_ARGUMENT for `field`, as `field: problem`."""
    return SalonError(Code.INVALID_ARGUMENT, f"{field}: {problem}")


class SettingsError(Exception):
    """What the operator gave cannot be used; the message names it and is shown without a traceback."""
