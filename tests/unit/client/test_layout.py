from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import room_pb2
from salon_client.core.layout import arrange, layout_message, wanted_sources
from salon_client.core.room_state import RoomState

sources = st.lists(st.integers(1, 30), max_size=12)
slot_counts = st.integers(0, 9)


def test_screens_come_first_and_the_own_picture_never() -> None:
    camera, screen = room_pb2.SOURCE_KIND_CAMERA, room_pb2.SOURCE_KIND_SCREEN

    def person(
        name: str, *numbers: tuple[int, "room_pb2.SourceKind.ValueType", bool]
    ) -> room_pb2.Participant:
        listed = [room_pb2.Source(number=number, kind=kind, active=on) for number, kind, on in numbers]
        return room_pb2.Participant(id=name, sources=listed)

    state = RoomState()
    people = [
        person("me", (1, camera, True)),
        person("ada", (2, camera, True), (3, screen, False)),
        person("bob", (4, camera, False), (5, screen, True)),
        person("cleo", (6, camera, True)),
    ]
    state.receive_snapshot(room_pb2.Snapshot(participants=people))
    assert wanted_sources(state, "me") == (5, 2, 6)


def test_a_source_keeps_its_slot() -> None:
    first = arrange((), [5, 9, 13], 4)
    assert first == (5, 9, 13, 0)
    assert arrange(first, [5, 13, 17], 4) == (5, 17, 13, 0)


@given(st.tuples(*[st.integers(0, 30)] * 4), sources, slot_counts)
def test_arranging_shows_the_first_wanted_once_each(
    previous: tuple[int, ...], wanted: list[int], count: int
) -> None:
    arranged = arrange(previous, wanted, count)
    assert len(arranged) == count
    shown = [source for source in arranged if source]
    assert len(set(shown)) == len(shown)
    assert set(shown) == set(list(dict.fromkeys(wanted))[:count])


@given(sources, slot_counts)
def test_arranging_twice_changes_nothing(wanted: list[int], count: int) -> None:
    once = arrange((), wanted, count)
    assert arrange(once, wanted, count) == once


def test_message_names_the_slots_that_show_something() -> None:
    message = layout_message((5, 0, 9), 360)
    wishes = [(wish.slot, wish.source, wish.max_height) for wish in message.layout.slots]
    assert wishes == [(0, 5, 360), (2, 9, 360)]
