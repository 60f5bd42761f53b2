"""That the model can fail: each rule that the invariants lean on is broken once, in the real code, and the model has to notice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from model import test_promises as promises
from model.chance import Seeded
from model.client import ModelClient
from model.faults import Fault, Kind
from model.moves import ModelMoves
from model.network import Weather
from model.scenario import Scenario
from model.world import Size
from salon.rooms.v1 import room_pb2
from salon_client.core.handover import Handover
from salon_media.core.node_state import NodeState
from salon_rooms.core import asking, relocating
from salon_rooms.core.places import move_room
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.room import Draft
from salon_rooms.core.suspicion import ProbeOutcome, Watch
from salon_rooms.core.turn import Commit
from salon_rooms.simulated_store import SimulatedStore
from salon_signaling.core.sequence import EventSequence

Patch = pytest.MonkeyPatch
STORMY = Weather(one_slow_in=4, slow=1.5, one_doubled_in=5, one_lost_in=30)
"""Much of what arrives is old."""


def hunt(*kinds: Kind) -> None:
    """Scenarios of a few kinds of faults in stormy weather."""
    for seed in range(120):
        chance = Seeded(seed)
        faults = [
            Fault(kinds[chance.pick(len(kinds))], 6 * chance.fraction(), chance.pick(6), 1.5)
            for _ in range(6)
        ]
        Scenario(seed, tuple(faults), Size(nodes=2), rough=True).play(STORMY)


def each(promise: Callable[..., None], *more: object) -> Callable[[], None]:
    """A promise, with a few seeds."""

    def proof() -> None:
        for seed in range(4):
            promise(seed, *more)

    return proof


def nodes_check_nothing(patch: Patch) -> None:
    patch.setattr(NodeState, "_check_current", lambda *_, **__: None)


def clients_follow_no_epoch(patch: Patch) -> None:
    patch.setattr(ModelClient, "follows", lambda _, __: False)


def writes_compare_nothing(patch: Patch) -> None:
    write = SimulatedStore.write

    def careless(self: SimulatedStore, room_id: str, commit: Commit) -> int:
        return write(self, room_id, replace(commit, expected=self.read(room_id).sequence))

    patch.setattr(SimulatedStore, "write", careless)


def moves_have_no_epoch(patch: Patch) -> None:
    def timeless(draft: Draft, *args: Any, **options: Any) -> None:
        move_room(draft, *args, **options)
        draft.head.placement.epoch -= 1

    patch.setattr(relocating, "move_room", timeless)


def nobody_is_evacuated(patch: Patch) -> None:
    patch.setattr(ModelMoves, "_evacuate", lambda *_: None)


def nobody_is_released(patch: Patch) -> None:
    patch.setattr(Handover, "take_released", lambda *_: [])


def a_closed_port_proves_nothing(patch: Patch) -> None:
    handle_probe = Watch.handle_probe

    def timid(self: Watch, outcome: ProbeOutcome, now: float) -> None:
        handle_probe(self, ProbeOutcome.SILENT if outcome is ProbeOutcome.REFUSED else outcome, now)

    patch.setattr(Watch, "handle_probe", timid)


def silence_is_not_noticed(patch: Patch) -> None:
    patch.setattr(ModelClient, "_look_at_silence", lambda *_: None)


def asks_never_move_a_room(patch: Patch) -> None:
    patch.setattr(asking, "most_ask", lambda *_: False)


def replicas_think_that_they_heard_everything(patch: Patch) -> None:
    patch.setattr(PresenceTracker, "handle_own_outage", lambda *_: None)


def nobody_is_ever_lost(patch: Patch) -> None:
    patch.setattr(PresenceTracker, "_is_lost", lambda *_: False)


def holes_in_the_log_are_not_seen(patch: Patch) -> None:
    def blind(self: EventSequence) -> bool:
        return False

    patch.setattr(EventSequence, "behind", property(blind))


def events_share_a_number(patch: Patch) -> None:
    emit = Draft.emit

    def sloppy(self: Draft, event: room_pb2.Event) -> int:
        number = emit(self, event)
        if event.HasField("participant_moved"):
            self.head.last_event -= 1
        return number

    patch.setattr(Draft, "emit", sloppy)


def who_leaves_stays_counted(patch: Patch) -> None:
    drop = Draft.drop

    def forgetful(self: Draft, participant: room_pb2.Participant) -> None:
        drop(self, participant)
        self.head.occupancy += 1

    patch.setattr(Draft, "drop", forgetful)


@dataclass(frozen=True)
class Sabotage:
    """A rule that is broken, and what must not pass then."""

    begin: Callable[[Patch], None]
    proof: Callable[[], None]
    noticed: str = "."
    """What the failure says."""


KILL = each(promises.test_a_killed_node_is_missed_for_less_than_half_a_second)
FREEZE = each(promises.test_a_node_that_falls_silent_is_missed_for_less_than_two_seconds, Kind.FREEZE_NODE)
DRAIN = each(promises.test_a_drain_is_heard_by_nobody_and_empties_the_node)
NATS = each(promises.test_a_restart_of_nats_moves_nobody, 20.0)
GHOST = each(promises.test_who_vanishes_is_no_ghost_15_s_later)
MEDIA = each(promises.test_a_node_whose_media_alone_is_cut_is_left_by_the_room)


def stale_calls() -> None:
    hunt(Kind.RESTART_NODE, Kind.COME, Kind.CUT_CLIENT_FROM_NODE, Kind.LEAVE)


def lost_events() -> None:
    hunt(Kind.COME, Kind.LEAVE, Kind.WRITE)


SABOTAGES = [
    Sabotage(nodes_check_nothing, stale_calls, "serves at epoch|serves a place of its former self"),
    Sabotage(clients_follow_no_epoch, DRAIN, "has sessions at"),
    Sabotage(writes_compare_nothing, KILL, "occupancy is|is not in"),
    Sabotage(moves_have_no_epoch, KILL, "without a new epoch|is not present"),
    Sabotage(nobody_is_evacuated, KILL, "assert"),
    Sabotage(nobody_is_released, DRAIN, "receives from two nodes"),
    Sabotage(a_closed_port_proves_nothing, KILL),
    Sabotage(silence_is_not_noticed, MEDIA, "is not served"),
    Sabotage(silence_is_not_noticed, FREEZE),
    Sabotage(asks_never_move_a_room, MEDIA),
    Sabotage(replicas_think_that_they_heard_everything, NATS, "taken out as lost|gap"),
    Sabotage(nobody_is_ever_lost, GHOST),
    Sabotage(holes_in_the_log_are_not_seen, lost_events, "is at event|do not come in"),
    Sabotage(events_share_a_number, KILL, "event .* follows"),
    Sabotage(who_leaves_stays_counted, GHOST, "occupancy is"),
]


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: str(sabotage.begin.__name__))
def test_a_broken_rule_is_noticed(sabotage: Sabotage, monkeypatch: Patch) -> None:
    sabotage.begin(monkeypatch)
    with pytest.raises(AssertionError, match=sabotage.noticed):
        sabotage.proof()


@pytest.mark.parametrize("proof", [KILL, FREEZE, DRAIN, NATS, GHOST, MEDIA, stale_calls, lost_events])
def test_without_sabotage_the_same_passes(proof: Callable[[], None]) -> None:
    proof()
