"""A turn's steps, one at a time."""

import pytest
from salon.rooms.v1 import rooms_pb2
from salon_common.errors import SalonError
from salon_rooms.core.command import Command
from salon_rooms.core.making import PreviewRoom
from salon_rooms.core.staying import SendChat
from salon_rooms.core.turn import NOTHING, Commit, Finished, Load, Loaded, Turn
from unit.rooms.kit import ROOM_ID, House, create_command


def chat(participant_id: str, request_id: str = "1") -> Command[rooms_pb2.SendChatResponse]:
    return SendChat(
        rooms_pb2.SendChatRequest(
            room_id=ROOM_ID, participant_id=participant_id, request_id=request_id, text="x"
        )
    )


def commit_of(turn: Turn, house: House) -> Commit:
    wanted = turn.poll(house.moment)
    assert isinstance(wanted, Commit)
    return wanted


def test_a_new_room_is_read_as_missing_and_then_written() -> None:
    house = House()
    turn = Turn([create_command()], None, "t")
    assert turn.poll(house.moment) == Load()
    turn.handle_loaded(NOTHING)
    commit = commit_of(turn, house)
    assert (commit.expected, commit.batch_id) == (0, "t-1")
    turn.handle_committed(commit, 7)
    finished = turn.poll(house.moment)
    assert isinstance(finished, Finished)
    assert finished.state.sequence == 7
    assert finished.state.room is not None
    assert finished.change == commit.change


def test_a_kept_state_saves_the_read_when_something_is_written() -> None:
    house = House()
    ada = house.join().participant
    turn = Turn([chat(ada.id)], Loaded(house.room, 5, "x"), "t")
    assert commit_of(turn, house).expected == 5


def test_an_answer_without_a_write_rests_on_a_fresh_read() -> None:
    house = House()
    kept = Loaded(house.room, 5, "x")
    request = rooms_pb2.PreviewRoomRequest(room_id=ROOM_ID, invite_secret=house.link)
    turn = Turn([PreviewRoom(request)], kept, "t")
    assert turn.poll(house.moment) == Load()
    house.join()
    turn.handle_loaded(Loaded(house.room, 6, "y"))
    finished = turn.poll(house.moment)
    assert isinstance(finished, Finished)
    assert finished.outcomes[0].occupancy == 1
    assert finished.change.head is None


def test_an_error_is_not_told_from_a_kept_state() -> None:
    house = House()
    kept = Loaded(house.room, 5, "x")
    ada = house.join().participant
    turn = Turn([chat(ada.id)], kept, "t")
    assert turn.poll(house.moment) == Load()
    turn.handle_loaded(Loaded(house.room, 6, "y"))
    assert commit_of(turn, house).expected == 6


def test_a_conflict_reads_and_applies_again() -> None:
    house = House(capacity=1)
    turn = Turn([chat("z" * 16), create_command("other")], Loaded(house.room, 5, "x"), "t")
    assert turn.poll(house.moment) == Load()
    ada = house.join().participant
    turn = Turn([chat(ada.id)], Loaded(house.room, 6, "y"), "t")
    commit_of(turn, house)
    turn.handle_conflict()
    assert turn.poll(house.moment) == Load()
    house.leave(ada.id)
    turn.handle_loaded(Loaded(house.room, 8, "z"))
    finished = turn.poll(house.moment)
    assert isinstance(finished, Finished)
    assert isinstance(finished.outcomes[0], SalonError)
    assert turn.tries == 1


def test_a_write_that_nobody_answered_is_recognised() -> None:
    house = House()
    ada = house.join().participant
    turn = Turn([chat(ada.id)], Loaded(house.room, 5, "x"), "t")
    commit = commit_of(turn, house)
    turn.handle_unheard(commit)
    assert turn.poll(house.moment) == Load()
    stored = house.state.after(commit.change)
    turn.handle_loaded(Loaded(stored, 9, commit.batch_id))
    finished = turn.poll(house.moment)
    assert isinstance(finished, Finished)
    assert finished.outcomes[0].event_number == stored.head.last_event
    assert finished.change == commit.change


def test_a_write_that_was_lost_is_tried_again_under_another_id() -> None:
    house = House()
    ada = house.join().participant
    turn = Turn([chat(ada.id)], Loaded(house.room, 5, "x"), "t")
    turn.handle_unheard(commit_of(turn, house))
    turn.handle_loaded(Loaded(house.room, 5, "x"))
    again = commit_of(turn, house)
    assert (again.expected, again.batch_id) == (5, "t-2")
    turn.handle_conflict()
    turn.handle_loaded(Loaded(house.state.after(again.change), 9, "t-1"))
    assert isinstance(turn.poll(house.moment), Finished)


def test_only_a_polled_commit_can_be_answered() -> None:
    with pytest.raises(AssertionError):
        Turn([], None, "t").handle_conflict()
