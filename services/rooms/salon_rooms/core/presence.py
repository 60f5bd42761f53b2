"""Who is still there: participants as stored, against what nodes and signaling replicas vouch for.

The tracker takes the store's feed of participants, presence reports and the passing of time, and says who is lost.
Taking them out is the `Lost` command's business. A wrong verdict costs a person their place, so whoever may have
been deaf themselves lets a whole lease pass before judging anybody.
"""

from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from salon.rooms.v1 import presence_pb2, room_pb2

from salon_rooms.core.occupants import Occupants
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import LEAVING_SECONDS

LEASE = 10.0
"""Seconds for which a report vouches."""
GRACE_AFTER_GONE = 4.0
"""Seconds that a participant has for a new session after their node said that the old one is gone."""
STALLED_AFTER = 3.0
"""Seconds without a tick after which this replica was deaf: frozen, or starved of CPU."""

Key = tuple[str, str]
"""Room id and participant id."""


@dataclass(frozen=True)
class LostParticipant:
    """Somebody for whom nobody vouches."""

    room_id: str
    participant_id: str
    session_number: int


@dataclass(frozen=True)
class HeardParticipant:
    """Somebody whom a node has, and who is not stored as present there: to be looked into."""

    room_id: str
    participant_id: str
    session_number: int
    node: NodeRef


@dataclass
class _Tracked:
    since: float
    state: room_pb2.ParticipantState.ValueType
    session_number: int
    node: NodeRef
    vouched: dict[tuple[int, str], float] = field(default_factory=dict)
    """When each sender vouched last, by kind and id."""
    last_vouched: float = 0.0
    gone_at: float | None = None
    former: NodeRef | None = None
    """The node that the participant was moved from last."""
    moved_at: float = float("-inf")


class PresenceTracker:
    """Everybody in the rooms of some partitions."""

    def __init__(self, started: float) -> None:
        self.occupants = Occupants()
        """Where everybody is."""
        self._tracked: dict[Key, _Tracked] = {}
        self._of_sender: dict[tuple[int, str], set[Key]] = {}
        self._judging_from = started + LEASE
        self._judging_placed_from = started
        self._last_tick = started
        self._nodes_seen: deque[tuple[float, Mapping[str, bool]]] = deque()

    def handle_stored(
        self, room_id: str, participant_id: str, stored: room_pb2.Participant | None, now: float
    ) -> None:
        """A participant as the store has them now; None when they are out. A new session is a new chance."""
        key = (room_id, participant_id)
        if stored is None:
            self._forget(key)
            return
        node = NodeRef(stored.place.node_id, stored.place.boot_id)
        known = self._tracked.get(key)
        if known is None:
            known = _Tracked(now, stored.state, stored.session_number, node, last_vouched=now)
            self._tracked[key] = known
        elif stored.session_number != known.session_number or node != known.node:
            if node != known.node:
                known.former, known.moved_at = known.node, now
            known.session_number, known.node = stored.session_number, node
            known.gone_at, known.last_vouched = None, now
        known.state = stored.state
        is_present = stored.state == room_pb2.PARTICIPANT_STATE_PRESENT
        self.occupants.handle_stored(room_id, participant_id, node, now, is_present=is_present)

    def handle_report(self, report: presence_pb2.PresenceReport, now: float) -> list[HeardParticipant]:
        """Take a sender's view; the reply is whom to look into. Reports about former sessions are ignored."""
        sender = (int(report.voucher), report.sender_id)
        from_node = report.voucher == presence_pb2.VOUCHER_MEDIA
        node = NodeRef(report.sender_id, report.boot_id)
        heard: list[HeardParticipant] = []
        vouched: set[Key] = set()
        for entry in report.entries:
            key = (entry.room_id, entry.participant_id)
            known = self._tracked.get(key)
            if entry.status == presence_pb2.PRESENCE_STATUS_GONE:
                self._handle_gone(key, known, sender, entry.session_number if from_node else None, node, now)
                continue
            stale = from_node and known is not None and entry.session_number < known.session_number
            if known is not None and not stale:
                known.vouched[sender] = now
                known.last_vouched = now
                if from_node:
                    known.gone_at = None
                vouched.add(key)
            if from_node and self._is_news(known, entry, node, now, complete=report.complete):
                heard.append(
                    HeardParticipant(entry.room_id, entry.participant_id, entry.session_number, node)
                )
        if report.complete:
            for key in self._of_sender.get(sender, set()) - vouched:
                self._tracked[key].vouched.pop(sender, None)
            self._of_sender[sender] = vouched
        else:
            self._of_sender.setdefault(sender, set()).update(vouched)
        return heard

    def handle_own_outage(self, now: float) -> None:
        """Take note that nothing could be heard until now: nobody is judged before one whole lease."""
        self._judging_from = now + LEASE

    def handle_nodes(self, alive: Mapping[str, bool], now: float, gone: Collection[str] = ()) -> None:
        """The nodes that beat, each with whether it drains. More than a third of them vanishing within a lease is an
        outage of something else than the nodes, until a lease has passed without more of it. Those that are proved to
        be `gone` do not count. While no node is left nobody gets a new place, so that those who had one are not judged.
        """
        self._nodes_seen.append((now, alive))
        while now - self._nodes_seen[0][0] > LEASE:
            self._nodes_seen.popleft()
        before = max((seen for _, seen in reversed(self._nodes_seen)), key=len)
        vanished = sum(
            1 for node, draining in before.items() if not draining and node not in alive and node not in gone
        )
        if not alive:
            self._judging_placed_from = now + LEASE
        if vanished * 3 > len(before):
            self._judging_from = now + LEASE

    def tick(self, now: float) -> list[LostParticipant]:
        """Who is lost. Called at least each second; a tick that comes late means that this replica itself stood still."""
        if now - self._last_tick > STALLED_AFTER:
            self.handle_own_outage(now)
        self._last_tick = now
        if now < self._judging_from:
            return []
        return [
            LostParticipant(room_id, participant_id, tracked.session_number)
            for (room_id, participant_id), tracked in self._tracked.items()
            if self._is_lost(tracked, now)
        ]

    def census(self) -> tuple[int, Mapping[room_pb2.ParticipantState.ValueType, int]]:
        """How many rooms have somebody in, and how many participants are in which state."""
        rooms = {room_id for room_id, _ in self._tracked}
        return len(rooms), Counter(tracked.state for tracked in self._tracked.values())

    def __len__(self) -> int:
        return len(self._tracked)

    def _handle_gone(
        self,
        key: Key,
        known: _Tracked | None,
        sender: tuple[int, str],
        session_number: int | None,
        node: NodeRef,
        now: float,
    ) -> None:
        """Somebody has left a sender. Only the participant's own node, about the session of now, starts the grace."""
        if known is None or (session_number is not None and session_number < known.session_number):
            return
        known.vouched.pop(sender, None)
        self._of_sender.get(sender, set()).discard(key)
        if session_number is not None and node == known.node and known.gone_at is None:
            known.gone_at = now

    def _is_lost(self, tracked: _Tracked, now: float) -> bool:
        if tracked.node.node_id and now < self._judging_placed_from:
            return False
        if now - tracked.last_vouched >= LEASE:
            return True
        if tracked.gone_at is None or now - tracked.gone_at < GRACE_AFTER_GONE:
            return False
        return not any(now - at < LEASE for at in tracked.vouched.values())

    def _is_news(
        self,
        known: _Tracked | None,
        entry: presence_pb2.PresenceEntry,
        node: NodeRef,
        now: float,
        *,
        complete: bool,
    ) -> bool:
        """Whether a node's word differs from what is stored. Those of whom the store may not have told yet are looked into
        when connected, and else only when the node gives its whole list. A node that was left lately is right to have
        whom it had.
        """
        connected = entry.status == presence_pb2.PRESENCE_STATUS_CONNECTED
        if known is None:
            return connected or complete
        if entry.session_number > known.session_number:
            return connected
        if node == known.former and now - known.moved_at < LEAVING_SECONDS:
            return False
        if entry.session_number != known.session_number or node != known.node:
            return complete
        return connected and known.state == room_pb2.PARTICIPANT_STATE_JOINING

    def _forget(self, key: Key) -> None:
        self.occupants.handle_out(*key)
        tracked = self._tracked.pop(key, None)
        if tracked:
            for sender in tracked.vouched:
                self._of_sender.get(sender, set()).discard(key)
