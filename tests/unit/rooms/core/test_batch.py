"""Several commands as one write."""

from typing import Any

from salon.rooms.v1 import rooms_pb2
from salon_common.errors import Code, SalonError
from salon_rooms.core.batch import MAX_MESSAGES, apply_all
from salon_rooms.core.command import Command, Moment, Outcome
from salon_rooms.core.entering import Join
from salon_rooms.core.room import Room
from salon_rooms.core.staying import SendChat
from unit.rooms.kit import ROOM_ID, House, create_command, random_bytes


class Broken(Command[None]):
    """A command with a bug."""

    def apply(self, room: Room | None, moment: Moment) -> Outcome[None]:
        raise ZeroDivisionError


def join(house: House, number: int) -> Join:
    request = rooms_pb2.JoinRequest(
        room_id=ROOM_ID,
        request_id=f"b{number}",
        invite_secret=house.link,
        name=f"P{number}",
        wants_media=True,
    )
    return Join(request, random_bytes(18))


def chat(participant_id: str, number: int) -> SendChat:
    return SendChat(
        rooms_pb2.SendChatRequest(
            room_id=ROOM_ID, participant_id=participant_id, request_id=str(number), text="x"
        )
    )


def test_two_hundred_joins_are_fifty_in_and_a_hundred_and_fifty_told_full() -> None:
    house = House()
    batch = apply_all(house.room, [join(house, n) for n in range(200)], house.moment)
    replies = [o for o in batch.outcomes if isinstance(o, rooms_pb2.JoinResponse)]
    errors = [o for o in batch.outcomes if isinstance(o, SalonError)]
    assert (len(replies), len(errors)) == (50, 150)
    assert {(e.code, e.message) for e in errors} == {(Code.RESOURCE_EXHAUSTED, "the room is full")}
    assert batch.room is not None
    assert batch.room.head.occupancy == 50
    assert batch.change.size == 1 + 50 + 51
    assert [e.number for e in batch.change.events] == list(range(1, 52))


def test_a_failing_command_leaves_no_trace_and_harms_nobody() -> None:
    house = House()
    ada = house.join().participant
    commands: list[Command[Any]] = [chat(ada.id, 1), chat("z" * 16, 1), Broken(), chat(ada.id, 2)]
    batch = apply_all(house.room, commands, house.moment)
    first, missing, broken, second = batch.outcomes
    assert second.event_number == first.event_number + 1
    assert isinstance(missing, SalonError)
    assert isinstance(broken, ZeroDivisionError)
    assert len(batch.change.events) == 2


def test_a_room_can_be_made_and_entered_in_one_write() -> None:
    house = House()
    batch = apply_all(None, [create_command(), join(house, 1), create_command()], house.moment)
    assert batch.room is not None
    assert batch.room.head.occupancy == 1
    assert batch.outcomes[0] == batch.outcomes[2]
    assert len(batch.change.invites) == 2


def test_what_does_not_fit_waits() -> None:
    house = House()
    ada = house.join().participant
    batch = apply_all(house.room, [chat(ada.id, n) for n in range(MAX_MESSAGES + 100)], house.moment)
    assert batch.change.size == MAX_MESSAGES
    assert len(batch.outcomes) == MAX_MESSAGES - 1
    assert batch.room is not None
    assert batch.room.head.last_event == batch.outcomes[-1].event_number


def test_nothing_to_do_changes_nothing() -> None:
    house = House()
    batch = apply_all(house.room, [], house.moment)
    assert batch.room is house.room
    assert batch.change.head is None
