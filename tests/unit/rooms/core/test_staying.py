"""Chat, sources, being heard, and going."""

from collections.abc import Callable

import pytest
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError
from salon_rooms.core.limits import MAX_APPLIED
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.staying import Connected, Vouched
from unit.rooms.kit import House

MICROPHONE, CAMERA = room_pb2.SOURCE_KIND_MICROPHONE, room_pb2.SOURCE_KIND_CAMERA


def viewer(house: House) -> room_pb2.Participant:
    secret = house.invite(house.host().participant.id, room_pb2.ROLE_VIEWER).invite_secret
    return house.join("Viewer", secret=secret).participant


def test_chat_is_an_event_with_the_writers_name() -> None:
    house = House()
    ada = house.join("Ada").participant
    number = house.chat(ada.id, "hello")
    event = house.last.events[0]
    assert number == event.number == house.state.head.last_event
    assert (event.chat.participant_id, event.chat.name, event.chat.text) == (ada.id, "Ada", "hello")
    assert event.at.seconds > 0


def test_a_retried_chat_is_one_message() -> None:
    house = House()
    ada, bob = house.join("Ada").participant, house.join("Bob").participant
    number = house.chat(ada.id, request_id="1")
    assert house.chat(ada.id, request_id="1") == number
    assert house.last.head is None
    assert house.chat(bob.id, request_id="1") == number + 1
    assert house.chat(ada.id, request_id="2") == number + 2


def test_the_last_commands_are_remembered_and_older_ones_forgotten() -> None:
    house = House()
    ada = house.join().participant
    numbers = [house.chat(ada.id, request_id=str(n)) for n in range(MAX_APPLIED + 1)]
    assert len(house.state.head.applied) == MAX_APPLIED
    assert house.chat(ada.id, request_id="1") == numbers[1]
    assert house.chat(ada.id, request_id="0") == numbers[-1] + 1


def test_sources_are_changed_once() -> None:
    house = House()
    ada = house.join().participant
    number = house.sources(ada.id, MICROPHONE, CAMERA)
    assert number == house.last.events[0].number
    changed = house.last.events[0].participant_changed.participant
    assert [s.active for s in changed.sources] == [True, True, False, False]
    assert not changed.HasField("place")
    assert house.sources(ada.id, CAMERA, MICROPHONE) == 0
    assert house.last.head is None
    assert house.sources(ada.id) == number + 1


def test_viewers_may_write_and_send_nothing() -> None:
    house = House()
    who = viewer(house)
    assert house.chat(who.id) > 0
    assert house.sources(who.id) == 0
    with pytest.raises(SalonError, match="viewers") as error:
        house.sources(who.id, MICROPHONE)
    assert error.value.code is Code.PERMISSION_DENIED


def test_who_is_not_in_the_room_does_nothing_there() -> None:
    house = House()
    attempts: list[Callable[[], int]] = [
        lambda: house.chat("z" * 16),
        lambda: house.sources("z" * 16, MICROPHONE),
    ]
    for attempt in attempts:
        with pytest.raises(SalonError, match="not in this room") as error:
            attempt()
        assert error.value.code is Code.NOT_FOUND


class TestConnected:
    def test_makes_the_joining_present_once(self) -> None:
        house = House()
        ada = house.join().participant
        assert house.connected(ada.id) is Vouched.RIGHT
        assert house.state.participants[ada.id].state == room_pb2.PARTICIPANT_STATE_PRESENT
        assert house.bodies == ["participant_changed"]
        assert house.connected(ada.id) is Vouched.RIGHT
        assert house.last.head is None
        assert house.state.head.occupancy == 1

    def test_makes_viewers_present_unseen(self) -> None:
        house = House()
        who = viewer(house)
        assert house.connected(who.id) is Vouched.RIGHT
        assert house.state.participants[who.id].state == room_pb2.PARTICIPANT_STATE_PRESENT
        assert house.bodies == []

    def test_knows_whom_a_node_should_not_have(self) -> None:
        house = House()
        ada = house.join().participant
        house.resume(ada.id)
        assert house.connected(ada.id, session=1) is Vouched.WRONG
        assert house.connected(ada.id, session=3) is Vouched.EARLY
        assert house.connected(ada.id, node="n9") is Vouched.WRONG
        assert house.do(Connected("z" * 16, 1, NodeRef("n1", "b1"))) is Vouched.WRONG
        house.room = None
        assert house.do(Connected(ada.id, 1, NodeRef("n1", "b1"))) is Vouched.WRONG


class TestGoing:
    def test_a_leaver_is_told_of_uncounted_and_removed_from_the_node(self) -> None:
        house = House()
        ada = house.join().participant
        house.leave(ada.id)
        left = house.last.events[0].participant_left
        assert (left.participant_id, left.reason) == (ada.id, room_pb2.LEAVE_REASON_LEFT)
        assert house.state.head.occupancy == 0
        assert house.state.participants == {}
        assert [(r.node_id, r.session_number) for r in house.last.removals] == [("n1", 1)]
        assert house.last.participants == {ada.id: None}

    def test_leaving_again_is_no_error(self) -> None:
        house = House()
        ada = house.join(media=False).participant
        house.leave(ada.id)
        assert house.last.removals == ()
        house.leave(ada.id)
        assert house.last.head is None

    def test_a_late_leave_does_not_end_a_later_session(self) -> None:
        house = House()
        ada = house.join().participant
        house.resume(ada.id)
        house.leave(ada.id, session=1)
        assert house.last.head is None
        assert ada.id in house.state.participants
        house.leave(ada.id, session=2)
        assert house.state.participants == {}

    def test_viewers_go_unseen_unless_removed(self) -> None:
        house = House()
        who = viewer(house)
        house.leave(who.id)
        assert house.bodies == []
        assert house.state.head.occupancy == 1
        secret = house.invite(next(iter(house.state.participants)), room_pb2.ROLE_VIEWER).invite_secret
        house.leave(house.join(secret=secret).participant.id, room_pb2.LEAVE_REASON_REMOVED)
        assert house.last.events[0].participant_left.reason == room_pb2.LEAVE_REASON_REMOVED

    def test_who_is_waiting_was_never_counted(self) -> None:
        house = House()
        ada = house.join().participant
        house.state.participants[ada.id].state = room_pb2.PARTICIPANT_STATE_WAITING
        house.leave(ada.id)
        assert house.state.head.occupancy == 1

    def test_the_lost_go_unless_they_have_begun_another_session(self) -> None:
        house = House()
        ada = house.join().participant
        house.resume(ada.id)
        assert not house.lose(ada.id, session=1)
        assert house.lose(ada.id, session=2)
        assert house.last.events[0].participant_left.reason == room_pb2.LEAVE_REASON_LOST
        assert not house.lose(ada.id, session=2)
        house.room = None
        assert not house.lose(ada.id, session=2)
