"""What must never be, looked at whenever it could come about. docs/invariants.md says what each means and where the code sees to it."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from model.client import ModelClient
from model.node import ModelNode
from model.trace import Trace
from salon.rooms.v1 import room_pb2
from salon_rooms.core.room import Room
from salon_rooms.core.turn import Commit

DOUBLE_SECONDS = 1.0
"""Nobody receives from two nodes for longer …"""
MOVE_SECONDS = 3.0 + 0.5
"""… but while they are moved gently: then for this long."""
LOOKS = 0.35
"""What looking each 100 ms, four times over, adds to a time."""

_COUNTED = (room_pb2.PARTICIPANT_STATE_JOINING, room_pb2.PARTICIPANT_STATE_PRESENT)


class Violation(AssertionError):  # noqa: N818 - what it is called in the docs
    """An invariant does not hold."""


class Observer:
    """Sees everything, tells nobody in the world."""

    def __init__(self, trace: Trace, may_be_lost: Callable[[str], bool]) -> None:
        self._trace = trace
        self._may_be_lost = may_be_lost
        self._events: dict[str, list[room_pb2.Event]] = defaultdict(list)
        self._admissions: dict[ModelNode, int] = {}
        self.swept: list[str] = []
        """Everybody who was taken out as lost."""

    # ---- at each write

    def stored(self, room_id: str, before: Room | None, commit: Commit, after: Room) -> None:
        """A write was stored."""
        head = commit.change.head
        assert head is not None
        self._check_counts(after)
        self._check_events(room_id, head, commit.change.events)
        self._check_placement(before, after)
        for event in commit.change.events:
            if event.HasField("participant_left"):
                self._note_left(event.participant_left)
        moved = [e.participant_moved for e in commit.change.events if e.HasField("participant_moved")]
        places = ", ".join(f"{n.node_id} {_state(n)}" for n in after.head.placement.nodes)
        bodies = " ".join(str(e.WhichOneof("body")) for e in commit.change.events)
        self._trace(
            "store",
            f"{commit.batch_id}: @{after.head.placement.epoch} [{places}] {bodies} {len(moved)} moved",
        )

    def _check_counts(self, room: Room) -> None:
        counted = sum(p.state in _COUNTED for p in room.participants.values())
        if room.head.occupancy != counted:
            raise Violation(f"occupancy is {room.head.occupancy}, counted are {counted}")
        if counted > room.capacity:
            raise Violation(f"{counted} are in a room of {room.capacity}")

    def _check_events(self, room_id: str, head: room_pb2.RoomHead, events: Iterable[room_pb2.Event]) -> None:
        log = self._events[room_id]
        for event in events:
            if event.number != len(log) + 1:
                raise Violation(f"event {event.number} follows {len(log)}")
            log.append(event)
        if head.last_event != len(log):
            raise Violation(f"the head says event {head.last_event}, stored are {len(log)}")

    def _check_placement(self, before: Room | None, after: Room) -> None:
        placement = after.head.placement
        active = [n for n in placement.nodes if n.state == room_pb2.PLACED_NODE_STATE_ACTIVE]
        if len(active) > 1:
            raise Violation("two nodes are active in one room")
        if before is not None:
            old = before.head.placement
            if placement.epoch < old.epoch:
                raise Violation(f"the epoch falls from {old.epoch} to {placement.epoch}")
            was = [(n.node_id, n.boot_id) for n in old.nodes if n.state == room_pb2.PLACED_NODE_STATE_ACTIVE]
            if was != [(n.node_id, n.boot_id) for n in active] and placement.epoch == old.epoch and was:
                raise Violation("the active node changes without a new epoch")
        for participant in after.participants.values():
            if participant.place.epoch > placement.epoch:
                raise Violation("a place is of an epoch that the room has not reached")
            if before is not None and participant.id in before.participants:
                was_at = before.participants[participant.id]
                if participant.session_number < was_at.session_number:
                    raise Violation("a session number falls")
                if participant.place.epoch < was_at.place.epoch:
                    raise Violation("a place's epoch falls")

    def _note_left(self, left: room_pb2.ParticipantLeft) -> None:
        if left.reason == room_pb2.LEAVE_REASON_LOST:
            self.swept.append(left.participant_id)
            if not self._may_be_lost(left.participant_id):
                raise Violation(f"{left.participant_id[:4]} lives, is vouched for, and was taken out as lost")

    # ---- as time passes

    def look(self, nodes: Iterable[ModelNode], clients: Iterable[ModelClient]) -> None:
        """After each step."""
        for node in nodes:
            self._check_admissions(node)
        for client in clients:
            if client.alive:
                self._check_reception(client)

    def _check_admissions(self, node: ModelNode) -> None:
        seen = self._admissions.get(node, 0)
        for entry, reached, boot_id in node.admissions[seen:]:
            if entry.epoch < reached:
                raise Violation(f"{node.name} serves at epoch {entry.epoch} and has seen {reached}")
            if boot_id != node.boot_id:
                raise Violation(f"{node.name} serves a place of its former self")
        self._admissions[node] = len(node.admissions)

    def _check_reception(self, client: ModelClient) -> None:
        if client.log_gaps:
            raise Violation(f"{client.name}'s log has a hole: {client.log_gaps}")
        for double in client.doubles.values():
            seconds = client.sim.now - double.since
            if seconds > (MOVE_SECONDS if double.gentle else DOUBLE_SECONDS) + LOOKS:
                raise Violation(f"{client.name} receives from two nodes for {seconds:.2f} s")

    # ---- at the end

    def check_acknowledged(self, room_id: str, clients: Iterable[ModelClient], room: Room) -> None:
        """No acknowledged change is lost."""
        chats = {e.chat.text: e.number for e in self._events[room_id] if e.HasField("chat")}
        texts = [e.chat.text for e in self._events[room_id] if e.HasField("chat")]
        if len(texts) != len(set(texts)):
            raise Violation("a message was written twice")
        for client in clients:
            for text, number in client.acknowledged.items():
                if chats.get(text) != number:
                    raise Violation(f"the acknowledged message {text} is lost")
            if client.left_as and client.left_as in room.participants:
                raise Violation(f"{client.name} has left, was told so, and is in")


def _state(node: room_pb2.PlacedNode) -> str:
    return room_pb2.PlacedNodeState.Name(node.state).removeprefix("PLACED_NODE_STATE_").lower()
