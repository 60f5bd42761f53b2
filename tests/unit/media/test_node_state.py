import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from salon_common.errors import Code, SalonError
from salon_common.ids import ParticipantId, RoomId
from salon_media.core.mode import ACTIVE, Mode, Purpose, draining
from salon_media.core.node_state import (
    CONNECT_SECONDS,
    REMEMBER_REMOVED_SECONDS,
    Admission,
    NodeState,
    ParticipantKey,
    SessionStatus,
)

ROOM, OTHER_ROOM = RoomId("local-" + "a" * 20), RoomId("local-" + "b" * 20)


def key(name: str = "a", room: RoomId = ROOM) -> ParticipantKey:
    return ParticipantKey(room, ParticipantId(name * 16))


@pytest.fixture
def state() -> NodeState:
    return NodeState("boot", 3)


def admit(
    state: NodeState, who: ParticipantKey | None = None, *, number: int = 1, epoch: int = 1, now: float = 0.0
) -> Admission:
    return state.admit(who or key(), boot_id="boot", session_number=number, epoch=epoch, now=now)


def refusal(code: Code, state: NodeState, who: ParticipantKey | None = None, **kwargs: int) -> str:
    with pytest.raises(SalonError) as caught:
        admit(state, who, **kwargs)
    assert caught.value.code is code
    return caught.value.message


def test_participants_of_a_room_share_its_number(state: NodeState) -> None:
    first, second = admit(state).entry, admit(state, key("b")).entry
    other = admit(state, key(room=OTHER_ROOM)).entry
    assert first.room == second.room != other.room
    assert len({first.session, second.session, other.session}) == 3
    assert (state.rooms, state.participants) == (2, 3)
    assert {entry.session for entry in state.sessions_in(first.room)} == {first.session, second.session}


def test_a_newer_session_replaces_the_older(state: NodeState) -> None:
    older = admit(state).entry
    admission = admit(state, number=2)
    assert admission.replaces == older
    assert state.participants == 1
    assert state.entry(older.session) is None
    assert state.close(older.session) is None
    assert state.entry(admission.entry.session) is admission.entry


def test_a_retry_with_the_same_number_replaces_too(state: NodeState) -> None:
    older = admit(state, number=2).entry
    assert admit(state, number=2).replaces == older


def test_an_older_session_number_is_stale(state: NodeState) -> None:
    admit(state, number=2)
    assert "session_number: 1 is old" in refusal(Code.FAILED_PRECONDITION, state, number=1)


def test_an_old_epoch_is_stale(state: NodeState) -> None:
    admit(state, epoch=5)
    assert "epoch: 4 is old" in refusal(Code.FAILED_PRECONDITION, state, key("b"), epoch=4)
    admit(state, key("c", OTHER_ROOM), epoch=4)


def test_another_incarnation_s_boot_id_is_stale(state: NodeState) -> None:
    with pytest.raises(SalonError) as caught:
        state.admit(key(), boot_id="before", session_number=1, epoch=1, now=0.0)
    assert caught.value.code is Code.FAILED_PRECONDITION
    assert "boot_id" in caught.value.message


def test_a_full_node_takes_nobody_new_but_renews(state: NodeState) -> None:
    for name in "abc":
        admit(state, key(name))
    assert "takes 3 participants and is full" in refusal(Code.RESOURCE_EXHAUSTED, state, key("d"))
    assert admit(state, key("a"), number=2).replaces is not None


def test_a_draining_node_takes_nobody_new_but_renews(state: NodeState) -> None:
    admit(state)
    state.set_mode(draining(0.0, 60))
    assert "draining" in refusal(Code.UNAVAILABLE, state, key("b"))
    assert admit(state, number=2).replaces is not None


def test_a_cordoned_node_takes_all_who_join_its_rooms_and_no_other_room(state: NodeState) -> None:
    admit(state)
    state.set_mode(Mode(Purpose.CORDONED))
    admit(state, key("b"))
    assert "no new rooms" in refusal(Code.UNAVAILABLE, state, key("c", OTHER_ROOM))
    state.set_mode(ACTIVE)
    admit(state, key("c", OTHER_ROOM))


def test_who_is_left_when_draining_is_over_is_let_go(state: NodeState) -> None:
    state.connect(admit(state).entry.session)
    state.set_mode(draining(0.0, 5.0))
    assert state.expire(4.9) == []
    assert len(state.expire(5.0)) == 1
    assert (state.rooms, state.participants) == (0, 0)


def test_nothing_calls_the_end_of_the_process_off(state: NodeState) -> None:
    state.set_mode(draining(0.0, 5.0))
    state.set_mode(ACTIVE)
    state.set_mode(draining(0.0, 5.0, ending=True))
    with pytest.raises(SalonError, match="is ending") as caught:
        state.set_mode(ACTIVE)
    assert caught.value.code is Code.FAILED_PRECONDITION


def test_removal_closes_and_is_idempotent(state: NodeState) -> None:
    entry = admit(state).entry
    assert state.remove(key(), 1, 0.0) == entry
    assert state.remove(key(), 1, 0.0) is None
    assert (state.rooms, state.participants) == (0, 0)


def test_a_late_removal_changes_nothing(state: NodeState) -> None:
    admit(state, number=2)
    assert state.remove(key(), 1, 0.0) is None
    assert state.participants == 1
    assert state.remove(key(), 0, 0.0) is not None


def test_an_admission_that_its_removal_overtook_is_stale_for_a_while(state: NodeState) -> None:
    state.remove(key(), 3, 0.0)
    assert "session_number: 3 is old, the participant's is 4" in refusal(
        Code.FAILED_PRECONDITION, state, number=3
    )
    state.expire(REMEMBER_REMOVED_SECONDS - 1)
    refusal(Code.FAILED_PRECONDITION, state, number=3)
    state.expire(REMEMBER_REMOVED_SECONDS)
    admit(state, number=3)


def test_removing_somebody_unknown_with_any_number_is_nothing(state: NodeState) -> None:
    assert state.remove(key(), 0, 0.0) is None
    admit(state)


def test_connecting(state: NodeState) -> None:
    entry = admit(state).entry
    assert [found.status for found in state.entries()] == [SessionStatus.EXPECTED]
    assert state.connect(entry.session) is entry
    assert [found.status for found in state.entries()] == [SessionStatus.CONNECTED]
    assert state.connect(999) is None


def test_the_roster_is_of_those_who_have_connected(state: NodeState) -> None:
    sessions = []
    for name, microphone in (("a", 9), ("b", 5), ("c", 0)):
        admission = state.admit(
            key(name), boot_id="boot", session_number=1, epoch=1, now=0.0, microphone=microphone
        )
        sessions.append(admission.entry)
    room = sessions[0].room
    assert state.roster(room) == ()
    for entry in sessions:
        state.connect(entry.session)
    assert state.roster(room) == (5, 9)
    state.close(sessions[1].session)
    assert state.roster(room) == (9,)
    assert state.roster(999) == ()


def test_who_does_not_connect_in_time_is_closed(state: NodeState) -> None:
    late, connected = admit(state).entry, admit(state, key("b")).entry
    state.connect(connected.session)
    assert state.expire(CONNECT_SECONDS - 0.1) == []
    assert state.expire(CONNECT_SECONDS) == [late]
    assert list(state.entries()) == [connected]


def test_a_client_that_was_placed_anew_is_let_go(state: NodeState) -> None:
    entry = admit(state, epoch=3).entry
    assert state.see_epoch(entry.session, 3) is None
    assert state.see_epoch(999, 4) is None
    assert state.see_epoch(entry.session, 4) is entry
    assert state.participants == 0


def test_one_client_s_word_does_not_move_the_room_s_epoch(state: NodeState) -> None:
    entry = admit(state, epoch=3).entry
    admit(state, key("b"), epoch=3)
    state.see_epoch(entry.session, 2**63)
    admit(state, key("c"), epoch=3)


class NodeMachine(RuleBasedStateMachine):
    """Admissions, removals and closings in any order leave the indexes in step."""

    sessions: Bundle[int] = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.state = NodeState("boot", 3)
        self.now = 0.0

    @rule(
        target=sessions,
        who=st.sampled_from("abcd"),
        room=st.sampled_from([ROOM, OTHER_ROOM]),
        number=st.integers(1, 4),
        epoch=st.integers(1, 3),
    )
    def admit(self, who: str, room: RoomId, number: int, epoch: int) -> int:
        try:
            return admit(self.state, key(who, room), number=number, epoch=epoch, now=self.now).entry.session
        except SalonError:
            return 0

    @rule(session=sessions)
    def connect(self, session: int) -> None:
        self.state.connect(session)

    @rule(session=sessions)
    def close(self, session: int) -> None:
        self.state.close(session)
        assert self.state.entry(session) is None

    @rule(who=st.sampled_from("abcd"), room=st.sampled_from([ROOM, OTHER_ROOM]), number=st.integers(0, 4))
    def remove(self, who: str, room: RoomId, number: int) -> None:
        self.state.remove(key(who, room), number, self.now)

    @rule(seconds=st.floats(0, 40))
    def expire(self, seconds: float) -> None:
        self.now += seconds
        self.state.expire(self.now)

    @invariant()
    def one_session_a_participant_and_no_empty_room(self) -> None:
        entries = list(self.state.entries())
        assert len(entries) == self.state.participants <= 3
        assert len({entry.key for entry in entries}) == len(entries)
        assert len({entry.room for entry in entries}) == self.state.rooms
        assert len({entry.key.room_id for entry in entries}) == self.state.rooms
        by_room = [
            entry for room in {entry.room for entry in entries} for entry in self.state.sessions_in(room)
        ]
        assert sorted(entry.session for entry in by_room) == sorted(entry.session for entry in entries)


NodeMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestNodeMachine = NodeMachine.TestCase
