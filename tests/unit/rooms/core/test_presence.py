"""Who is lost, in simulated time."""

from collections.abc import Iterable

import pytest
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import LEAVING_SECONDS
from salon_rooms.core.presence import GRACE_AFTER_GONE, LEASE, HeardParticipant, PresenceTracker

EXPECTED = presence_pb2.PRESENCE_STATUS_EXPECTED
CONNECTED = presence_pb2.PRESENCE_STATUS_CONNECTED
GONE = presence_pb2.PRESENCE_STATUS_GONE
ROOM = "local-" + "a" * 20
NODES = {f"n{number}": False for number in range(6)}


class Watch:
    """A tracker that has run for long, and a clock that ticks each second."""

    def __init__(self, at: float = 1000.0) -> None:
        self.now = at
        self.tracker = PresenceTracker(at)
        self.alive = dict(NODES)
        self.gone: set[str] = set()
        self.run(LEASE + 1)

    def store(self, who: str = "ada", *, session: int = 1, node: str = "n1", present: bool = True) -> None:
        state = room_pb2.PARTICIPANT_STATE_PRESENT if present else room_pb2.PARTICIPANT_STATE_JOINING
        participant = room_pb2.Participant(id=who, state=state, session_number=session)
        participant.place.node_id, participant.place.boot_id = node, "b1"
        self.tracker.handle_stored(ROOM, who, participant, self.now)

    def media(
        self,
        status: presence_pb2.PresenceStatus.ValueType = CONNECTED,
        *,
        who: str = "ada",
        session: int = 1,
        node: str = "n1",
        boot: str = "b1",
        complete: bool = False,
    ) -> list[HeardParticipant]:
        entry = presence_pb2.PresenceEntry(
            room_id=ROOM, participant_id=who, session_number=session, status=status
        )
        return self._report(presence_pb2.VOUCHER_MEDIA, node, boot, [entry] if who else [], complete=complete)

    def signaling(
        self,
        status: presence_pb2.PresenceStatus.ValueType = EXPECTED,
        *,
        who: str = "ada",
        sender: str = "s1",
        complete: bool = False,
    ) -> list[HeardParticipant]:
        entry = presence_pb2.PresenceEntry(room_id=ROOM, participant_id=who, status=status)
        entries = [entry] if who else []
        return self._report(presence_pb2.VOUCHER_SIGNALING, sender, "x", entries, complete=complete)

    def run(self, seconds: float, *, each: Iterable[str] = ()) -> set[str]:
        """Let time pass, the named senders vouching each second; who was lost on the way."""
        lost: set[str] = set()
        end = self.now + seconds
        while self.now < end:
            self.now += 1.0
            for sender in each:
                if sender.startswith("n"):
                    self.media(node=sender)
                else:
                    self.signaling(sender=sender)
            self.tracker.handle_nodes(dict(self.alive), self.now, self.gone)
            lost |= {item.participant_id for item in self.tracker.tick(self.now)}
        return lost

    def _report(
        self,
        voucher: presence_pb2.Voucher.ValueType,
        sender: str,
        boot: str,
        entries: list[presence_pb2.PresenceEntry],
        *,
        complete: bool,
    ) -> list[HeardParticipant]:
        report = presence_pb2.PresenceReport(
            voucher=voucher, sender_id=sender, boot_id=boot, entries=entries, complete=complete
        )
        return self.tracker.handle_report(report, self.now)


@pytest.mark.parametrize("senders", [("n1",), ("s1",), ("n1", "s1")])
def test_whom_anybody_vouches_for_stays(senders: tuple[str, ...]) -> None:
    watch = Watch()
    watch.store()
    assert watch.run(60, each=senders) == set()


def test_whom_nobody_vouches_for_is_lost_after_one_lease() -> None:
    watch = Watch()
    watch.store()
    watch.run(20, each=("n1", "s1"))
    assert watch.run(LEASE - 1) == set()
    assert watch.run(1) == {"ada"}


def test_who_joined_and_was_never_seen_is_lost_after_one_lease() -> None:
    watch = Watch()
    watch.store(present=False)
    assert watch.run(LEASE - 1) == set()
    assert watch.run(1) == {"ada"}


def test_who_is_out_is_watched_no_more() -> None:
    watch = Watch()
    watch.store()
    watch.media()
    assert len(watch.tracker) == 1
    watch.tracker.handle_stored(ROOM, "ada", None, watch.now)
    watch.tracker.handle_stored(ROOM, "ada", None, watch.now)
    assert len(watch.tracker) == 0
    assert watch.run(2 * LEASE) == set()


def test_gone_from_the_node_without_a_stream_is_lost_after_the_grace() -> None:
    watch = Watch()
    watch.store()
    watch.media()
    watch.signaling()
    watch.signaling(GONE)
    watch.media(GONE)
    assert watch.run(GRACE_AFTER_GONE - 1) == set()
    assert watch.run(1) == {"ada"}


def test_gone_from_the_node_with_a_stream_stays() -> None:
    watch = Watch()
    watch.store()
    watch.media(GONE)
    assert watch.run(60, each=("s1",)) == set()


def test_a_stream_on_another_replica_vouches_as_well() -> None:
    watch = Watch()
    watch.store()
    watch.signaling(sender="s1")
    watch.signaling(sender="s2")
    watch.signaling(GONE, sender="s1")
    watch.media(GONE)
    assert watch.run(GRACE_AFTER_GONE + 2) == set()


def test_a_new_session_within_the_grace_saves() -> None:
    watch = Watch()
    watch.store()
    watch.media(GONE)
    watch.run(GRACE_AFTER_GONE - 1)
    watch.store(session=2)
    assert watch.run(LEASE - 1) == set()
    assert watch.run(1) == {"ada"}


def test_the_same_session_heard_again_saves() -> None:
    watch = Watch()
    watch.store()
    watch.media(GONE)
    watch.media()
    assert watch.run(GRACE_AFTER_GONE + 1) == set()


def test_stale_sessions_neither_vouch_nor_condemn() -> None:
    watch = Watch()
    watch.store(session=2)
    watch.media(GONE, session=1)
    assert watch.run(GRACE_AFTER_GONE + 1) == set()
    watch.media(session=1)
    assert watch.run(LEASE - GRACE_AFTER_GONE - 1) == {"ada"}


@pytest.mark.parametrize(("node", "boot"), [("n2", "b1"), ("n1", "b0")])
def test_a_former_node_does_not_condemn(node: str, boot: str) -> None:
    watch = Watch()
    watch.store(node="n1")
    watch.media(GONE, node=node, boot=boot)
    assert watch.run(GRACE_AFTER_GONE + 1) == set()


def test_a_whole_list_drops_those_not_in_it() -> None:
    watch = Watch()
    watch.store()
    watch.media(complete=True)
    watch.signaling(complete=True)
    watch.run(2)
    watch.signaling(complete=True, who="")
    watch.media(GONE)
    assert watch.run(GRACE_AFTER_GONE) == {"ada"}


def test_whole_lists_may_name_the_stale_and_those_who_have_left_since() -> None:
    watch = Watch()
    watch.store(session=2)
    watch.media(session=1, complete=True)
    watch.tracker.handle_stored(ROOM, "ada", None, watch.now)
    assert watch.media(who="", complete=True) == []


def test_nobody_is_judged_before_one_lease_after_the_start() -> None:
    tracker = PresenceTracker(0.0)
    participant = room_pb2.Participant(id="ada", state=room_pb2.PARTICIPANT_STATE_PRESENT, session_number=1)
    tracker.handle_stored(ROOM, "ada", participant, -60.0)
    for second in range(int(LEASE)):
        assert tracker.tick(float(second)) == []
    assert [item.participant_id for item in tracker.tick(LEASE)] == ["ada"]


def test_after_an_own_outage_a_whole_lease_passes_first() -> None:
    watch = Watch()
    watch.store()
    watch.run(LEASE - 1)
    watch.tracker.handle_own_outage(watch.now)
    assert watch.run(LEASE - 1) == set()
    watch.media()
    assert watch.run(5) == set()


def test_a_replica_that_stood_still_counts_as_deaf() -> None:
    watch = Watch()
    watch.store()
    watch.now += 60.0
    assert watch.tracker.tick(watch.now) == []
    watch.media()
    assert watch.run(LEASE - 1) == set()


def test_more_than_a_third_of_the_nodes_vanishing_is_an_outage() -> None:
    watch = Watch()
    watch.store()
    watch.run(LEASE - 2, each=())
    for node in ("n1", "n2", "n3"):
        del watch.alive[node]
    assert watch.run(LEASE - 1) == set()
    watch.alive = dict(NODES)
    back = watch.now
    while not watch.run(1):
        assert watch.now - back < 2 * LEASE
    assert watch.now - back >= LEASE - 1


def test_nodes_that_never_come_back_are_the_new_normal() -> None:
    watch = Watch()
    watch.store()
    del watch.alive["n1"], watch.alive["n2"], watch.alive["n3"]
    assert watch.run(3 * LEASE) == {"ada"}


@pytest.mark.parametrize("drained", [True, False])
def test_a_third_of_the_nodes_or_any_that_drained_may_go(drained: bool) -> None:
    watch = Watch()
    watch.store()
    leaving = ("n1", "n2", "n3", "n4") if drained else ("n1", "n2")
    if drained:
        watch.alive |= dict.fromkeys(leaving, True)
        watch.run(1)
    for node in leaving:
        del watch.alive[node]
    assert watch.run(LEASE) == {"ada"}


def test_nodes_that_are_proved_to_be_gone_are_no_outage() -> None:
    watch = Watch()
    watch.store()
    watch.gone = {"n1", "n2", "n3", "n4"}
    for node in watch.gone:
        del watch.alive[node]
    assert watch.run(LEASE) == {"ada"}


def test_while_there_is_no_node_those_who_had_one_are_not_judged_and_then_have_a_lease_to_come_back() -> None:
    """Who asks for a place again and again, and gets none, has no stream: nobody can vouch for them."""
    watch = Watch()
    watch.store()
    watch.store("bob", node="")
    watch.gone, watch.alive = set(NODES), {}
    assert watch.run(6 * LEASE) == {"bob"}, "who has no media needs no node"
    watch.tracker.handle_stored(ROOM, "bob", None, watch.now)
    watch.gone, watch.alive = set(), dict(NODES)
    assert watch.run(LEASE - 1) == set()
    assert watch.run(2) == {"ada"}


class TestHeard:
    """Whom the tracker wants looked into."""

    def test_the_joining_who_are_connected(self) -> None:
        watch = Watch()
        watch.store(present=False)
        assert watch.media() == [HeardParticipant(ROOM, "ada", 1, NodeRef("n1", "b1"))]
        assert watch.media(EXPECTED) == []
        watch.store(present=True)
        assert watch.media(complete=True) == []
        assert watch.signaling() == []

    def test_those_the_store_has_not_told_of(self) -> None:
        watch = Watch()
        assert len(watch.media()) == 1
        assert watch.media(EXPECTED) == []
        assert len(watch.media(EXPECTED, complete=True)) == 1
        assert watch.media(GONE) == []
        assert watch.signaling(complete=True) == []

    def test_former_sessions_and_former_nodes_in_whole_lists(self) -> None:
        watch = Watch()
        watch.store(session=2)
        assert watch.media(session=1) == []
        assert len(watch.media(session=1, complete=True)) == 1
        assert len(watch.media(session=2, node="n2", complete=True)) == 1

    def test_a_session_that_the_store_has_not_told_of(self) -> None:
        watch = Watch()
        watch.store(session=2)
        assert len(watch.media(session=3)) == 1
        assert watch.media(EXPECTED, session=3, complete=True) == []


class TestMoved:
    """Somebody's room is brought from one node to another."""

    def test_the_node_that_is_left_vouches_and_is_not_looked_into(self) -> None:
        watch = Watch()
        watch.store(node="n1")
        watch.store(node="n2", present=False)
        for _ in range(int(LEAVING_SECONDS) - 1):
            assert watch.media(node="n1", complete=True) == []
            assert watch.run(1) == set()
        watch.run(1)
        assert len(watch.media(node="n1", complete=True)) == 1

    def test_its_word_that_they_have_gone_does_not_condemn(self) -> None:
        watch = Watch()
        watch.store(node="n1")
        watch.media(node="n1")
        watch.store(node="n2", present=False)
        watch.media(GONE, node="n1")
        assert watch.run(LEASE - 1) == set()

    def test_whom_nobody_vouches_for_on_the_way_is_lost(self) -> None:
        watch = Watch()
        watch.store(node="n1")
        watch.store(node="n2", present=False)
        assert watch.run(LEASE - 1) == set()
        assert watch.run(1) == {"ada"}

    def test_the_new_node_is_believed_at_once(self) -> None:
        watch = Watch()
        watch.store(node="n1")
        watch.store(node="n2", present=False)
        watch.store(node="n2", session=2, present=False)
        assert watch.media(node="n1", session=1, complete=True) == []
        assert len(watch.media(node="n2", session=2)) == 1
