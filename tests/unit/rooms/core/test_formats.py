"""Rooms that another release made: which may be changed, and what survives a change by a release that knows less."""

from typing import Any

import pytest
from google.protobuf.message import Message
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_rooms.core.batch import apply_all
from salon_rooms.core.command import Command
from salon_rooms.core.formats import KNOWN, MADE, check_known
from salon_rooms.core.making import PreviewRoom
from salon_rooms.core.replay import continue_from
from salon_rooms.core.room import Room, shown
from salon_rooms.core.staying import Leave, SendChat
from unit.rooms.kit import ROOM_ID, House

LATER = b"\xba\x3e\x05later"
"""Field 999 as a later release might write it: a tag, a length and five bytes."""


def of_format(room: Room, number: int) -> Room:
    head = room_pb2.RoomHead()
    head.CopyFrom(room.head)
    head.format = number
    return Room(head, room.participants, room.invites)


def with_later_field(message: Message) -> None:
    message.MergeFromString(message.SerializeToString() + LATER)


def test_new_rooms_are_made_in_a_format_that_this_release_knows() -> None:
    assert House().state.head.format == MADE <= KNOWN


@pytest.mark.parametrize("number", range(KNOWN + 1))
def test_known_formats_may_be_changed(number: int) -> None:
    check_known(room_pb2.RoomHead(format=number))


def test_a_later_format_may_not_be_changed_and_the_error_says_what_to_do() -> None:
    with pytest.raises(SalonError, match=f"format {KNOWN + 1}.*knows {KNOWN}.*try again") as error:
        check_known(room_pb2.RoomHead(format=KNOWN + 1))
    assert error.value.code is Code.UNAVAILABLE, "asked again, another replica answers"


def test_commands_that_would_change_a_later_room_are_refused_and_those_that_read_it_are_not() -> None:
    house = House()
    ada = house.join("Ada").participant
    commands: list[Command[Any]] = [
        SendChat(
            rooms_pb2.SendChatRequest(room_id=ROOM_ID, participant_id=ada.id, request_id="c", text="hi")
        ),
        PreviewRoom(rooms_pb2.PreviewRoomRequest(room_id=ROOM_ID, invite_secret=house.link)),
        Leave(rooms_pb2.LeaveRequest(room_id=ROOM_ID, participant_id=ada.id)),
    ]
    batch = apply_all(of_format(house.state, KNOWN + 1), commands, house.moment)
    chat, preview, leave = batch.outcomes
    assert [isinstance(each, SalonError) and each.code for each in (chat, leave)] == [Code.UNAVAILABLE] * 2
    assert preview.occupancy == 1
    assert batch.change.head is None, "nothing is to be written"


@pytest.mark.parametrize("number", [MADE, KNOWN])
def test_a_room_keeps_its_format_when_it_is_changed(number: int) -> None:
    house = House()
    house.room = of_format(house.state, number)
    house.join("Ada")
    assert house.last.head is not None
    assert house.last.head.format == number


def test_fields_of_a_later_release_survive_changes_by_this_one() -> None:
    house = House()
    ada = house.join("Ada").participant
    with_later_field(house.state.head)
    with_later_field(house.state.participants[ada.id])
    house.sources(ada.id, room_pb2.SOURCE_KIND_CAMERA)
    assert house.last.head is not None
    stored = house.last.participants[ada.id]
    assert stored is not None
    assert LATER in house.last.head.SerializeToString()
    assert LATER in stored.SerializeToString()
    assert LATER in shown(stored).SerializeToString(), "and reach clients that know them"


def test_an_event_of_a_later_release_is_replayed_as_it_is() -> None:
    event = room_pb2.Event(number=1)
    with_later_field(event)
    response = continue_from(0, room_pb2.RoomHead(last_event=1), [event])
    assert response is not None
    assert LATER in response.events[0].SerializeToString()
