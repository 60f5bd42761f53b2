"""The room as a value: changes, drafts, and what clients see."""

from salon.rooms.v1 import room_pb2
from salon_rooms.core.room import UNCHANGED, Change, Room, is_listed, shown, timestamp
from unit.rooms.kit import WALL, House


def test_a_change_alters_no_room_that_was() -> None:
    house = House()
    ada = house.join("Ada").participant
    before, bytes_before = house.state, house.state.head.SerializeToString()
    house.chat(ada.id)
    house.sources(ada.id, room_pb2.SOURCE_KIND_CAMERA)
    house.leave(ada.id)
    assert before.head.SerializeToString() == bytes_before
    assert not before.participants[ada.id].sources[1].active
    assert before.after(UNCHANGED) is before


def test_changes_one_after_the_other_are_one_write() -> None:
    house = House()
    start = house.state
    ada = house.join("Ada").participant
    together = house.last
    for act in (lambda: house.chat(ada.id), lambda: house.leave(ada.id), lambda: house.leave(ada.id)):
        act()
        together = together.then(house.last)
    after = start.after(together)
    assert after == house.state
    assert [e.number for e in together.events] == list(range(1, after.head.last_event + 1))
    assert together.size == 1 + 1 + 0 + len(together.events)
    assert together.removals
    assert UNCHANGED.then(together) == together
    assert Change().size == 0


def test_the_snapshot_lists_everybody_in_in_the_order_they_came() -> None:
    house = House()
    names = [f"P{n}" for n in range(12)]
    for name in names:
        house.join(name)
    waiting = house.join("Waiting").participant
    house.state.participants[waiting.id].state = room_pb2.PARTICIPANT_STATE_WAITING
    snapshot = house.state.snapshot()
    assert [p.name for p in snapshot.participants] == names
    assert (snapshot.event_number, snapshot.epoch) == (house.state.head.last_event, 1)


def test_what_is_shown_is_a_copy() -> None:
    house = House()
    ada = house.join("Ada").participant
    public = shown(ada)
    public.name = "Eve"
    assert ada.name == "Ada"
    assert is_listed(ada)


def test_time_is_kept_to_the_microsecond() -> None:
    assert timestamp(WALL + 0.25).ToMicroseconds() == int((WALL + 0.25) * 1e6)


def test_defaults_hold_for_heads_without_settings() -> None:
    assert Room(room_pb2.RoomHead()).capacity == 50
    assert not Room(room_pb2.RoomHead()).ended
