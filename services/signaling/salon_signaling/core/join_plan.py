"""Which node is asked to admit a participant, and what follows from its answer: at most two tries.

The place that the rooms service chose is tried first, briefly: a node that is gone must not cost the join its round
trip. Then another place is asked for, once, and tried with more patience: such a node is alive, and maybe busy with others
who come from the same dead one. `Step`s are what the shell does next.
"""

from dataclasses import dataclass

from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError

_NODE_CANNOT = frozenset(
    {
        Code.UNAVAILABLE,
        Code.DEADLINE_EXCEEDED,
        Code.FAILED_PRECONDITION,
        Code.RESOURCE_EXHAUSTED,
        Code.ABORTED,
    }
)
"""The node is gone, slow, of another incarnation or epoch, full or draining: another one may do."""


@dataclass(frozen=True)
class AdmitTimes:
    """How long a node may take to answer, in seconds."""

    first: float = 0.5
    second: float = 2.0


@dataclass(frozen=True)
class Admit:
    """Ask this place to admit the participant."""

    place: room_pb2.ParticipantPlace
    timeout: float


@dataclass(frozen=True)
class Replace:
    """Ask the rooms service for another place."""

    failed: room_pb2.ParticipantPlace
    unanswered: bool = False
    """Whether the node said nothing at all."""


@dataclass(frozen=True)
class Admitted:
    """Done."""

    place: room_pb2.ParticipantPlace
    answer: str


@dataclass(frozen=True)
class Refused:
    """No node takes the participant."""

    error: SalonError


Step = Admit | Replace | Admitted | Refused


class JoinPlan:
    """The way of one participant to a node. Each `handle_*` returns the next step."""

    def __init__(self, place: room_pb2.ParticipantPlace, times: AdmitTimes, *, fresh: bool = False) -> None:
        """`fresh`: the rooms service has just chosen the place because another one failed."""
        self._place = place
        self._times = times
        self._fresh = fresh
        self._replaced = False

    def start(self) -> Step:
        """The first step."""
        return Admit(self._place, self._times.second if self._fresh else self._times.first)

    def handle_answer(self, answer: str) -> Step:
        """The node admitted the participant."""
        return Admitted(self._place, answer)

    def handle_admit_failed(self, error: SalonError, *, unanswered: bool = False) -> Step:
        """The node did not: it refused, or `unanswered` said nothing, being gone, frozen, cut off or too slow."""
        if error.code == Code.INVALID_ARGUMENT:
            return Refused(error)
        if error.code in _NODE_CANNOT and not self._replaced:
            return Replace(self._place, unanswered)
        return Refused(_no_node())

    def handle_replaced(self, place: room_pb2.ParticipantPlace) -> Step:
        """The rooms service chose this place instead."""
        self._place = place
        self._replaced = True
        return Admit(place, self._times.second)

    def handle_replace_failed(self, error: SalonError) -> Step:
        """The rooms service did not: the participant may be out by now, or no node is left."""
        if error.code in (Code.NOT_FOUND, Code.PERMISSION_DENIED, Code.FAILED_PRECONDITION):
            return Refused(error)
        return Refused(_no_node())


def _no_node() -> SalonError:
    return SalonError(Code.UNAVAILABLE, "no media node could take you in: try again in a moment")
