import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import room_pb2
from salon_client.core import room_state
from salon_client.core.room_state import Message, Outcome, RoomState

CAMERA = room_pb2.SOURCE_KIND_CAMERA
MICROPHONE = room_pb2.SOURCE_KIND_MICROPHONE
SCREEN = room_pb2.SOURCE_KIND_SCREEN


def participant(name: str, ordinal: int, *active: "room_pb2.SourceKind.ValueType") -> room_pb2.Participant:
    sources = [
        room_pb2.Source(kind=kind, number=4 * ordinal + kind - 1, active=kind in active)
        for kind in (MICROPHONE, CAMERA, SCREEN, room_pb2.SOURCE_KIND_SCREEN_AUDIO)
    ]
    return room_pb2.Participant(id=name.lower(), name=name, sources=sources)


def joined(number: int, who: room_pb2.Participant) -> room_pb2.Event:
    return room_pb2.Event(number=number, participant_joined=room_pb2.ParticipantJoined(participant=who))


def chat(number: int, text: str = "hi") -> room_pb2.Event:
    return room_pb2.Event(
        number=number, chat=room_pb2.ChatMessage(participant_id="ada", name="Ada", text=text)
    )


def left(number: int, who: str) -> room_pb2.Event:
    return room_pb2.Event(number=number, participant_left=room_pb2.ParticipantLeft(participant_id=who))


def test_people_come_change_and_go() -> None:
    state = RoomState()
    state.receive_event(joined(1, participant("Ada", 1)))
    state.receive_event(joined(2, participant("Bob", 2, CAMERA)))
    assert list(state.active_sources([CAMERA])) == [9]
    changed = room_pb2.ParticipantChanged(participant=participant("Ada", 1, CAMERA, MICROPHONE))
    state.receive_event(room_pb2.Event(number=3, participant_changed=changed))
    assert list(state.active_sources([CAMERA])) == [5, 9]
    assert list(state.active_sources([CAMERA], without="ada")) == [9]
    state.receive_event(left(4, "ada"))
    assert list(state.participants) == ["bob"]


def test_names_and_owners_outlive_their_participants() -> None:
    state = RoomState()
    state.receive_event(joined(1, participant("Ada", 1)))
    assert state.name_of("ada") == "Ada"
    state.receive_event(left(2, "ada"))
    assert state.name_of("ada") == "Ada"
    owner = state.owner(5)
    assert owner is not None
    assert (owner.name, owner.kind) == ("Ada", CAMERA)
    assert state.owner(77) is None
    assert state.name_of("nobody") == ""


def test_messages_keep_their_order_and_number() -> None:
    state = RoomState()
    state.receive_event(chat(1, "one"))
    state.receive_event(chat(2, "two"))
    assert state.chat == [Message(1, "ada", "Ada", "one"), Message(2, "ada", "Ada", "two")]


def test_messages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_state, "CHAT_KEPT", 3)
    state = RoomState()
    for number in range(1, 10):
        state.receive_event(chat(number))
    assert [each.number for each in state.chat] == [7, 8, 9]


def test_owners_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_state, "OWNERS_KEPT", 8)
    state = RoomState()
    for number in range(1, 10):
        state.receive_event(joined(number, participant(f"P{number}", number)))
    assert state.owner(4) is None
    assert state.owner(4 * 9) is not None


def test_room_changes_and_ends() -> None:
    state = RoomState()
    changed = room_pb2.RoomChanged(room=room_pb2.Room(id="r", title="New"))
    state.receive_event(room_pb2.Event(number=1, room_changed=changed))
    assert state.room.title == "New"
    state.receive_event(room_pb2.Event(number=2, room_ended=room_pb2.RoomEnded()))
    assert state.room.state == room_pb2.ROOM_STATE_ENDED


def test_epochs_only_grow() -> None:
    state = RoomState()
    placed = room_pb2.PlacementChanged(epoch=5)
    state.receive_event(room_pb2.Event(number=1, placement_changed=placed))
    assert not state.see_epoch(5)
    assert not state.see_epoch(4)
    assert state.see_epoch(6)
    assert state.epoch == 6


def test_event_of_a_later_version_counts_without_effect() -> None:
    state = RoomState()
    assert state.receive_event(room_pb2.Event(number=1)) is Outcome.APPLIED
    assert state.last_event == 1


def test_snapshot_replaces_people_and_keeps_messages() -> None:
    state = RoomState()
    state.receive_event(joined(1, participant("Ada", 1)))
    state.receive_event(chat(2))
    people = [participant("Bob", 2), participant("Cleo", 3)]
    state.receive_snapshot(room_pb2.Snapshot(participants=people, event_number=40, epoch=3))
    assert list(state.participants) == ["bob", "cleo"]
    assert (state.last_event, state.epoch, len(state.chat), state.snapshots) == (40, 3, 1, [40])
    assert state.receive_event(chat(41)) is Outcome.APPLIED


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(0, 10))
def test_log_is_contiguous_whatever_arrives(numbers: list[int], start: int) -> None:
    state = RoomState()
    state.receive_snapshot(room_pb2.Snapshot(event_number=start))
    for number in numbers:
        before = state.last_event
        outcome = state.receive_event(chat(number))
        expected = (
            Outcome.DUPLICATE
            if number <= before
            else Outcome.APPLIED
            if number == before + 1
            else Outcome.GAP
        )
        assert outcome is expected
    assert state.log == list(range(start + 1, start + 1 + len(state.log)))
    assert [each.number for each in state.chat] == state.log


def test_everybodys_microphone_is_known_whether_on_or_off() -> None:
    state = RoomState()
    state.receive_event(joined(1, participant("Ada", 1, MICROPHONE)))
    state.receive_event(joined(2, participant("Bob", 2)))
    numbers = [4 + MICROPHONE - 1, 8 + MICROPHONE - 1]
    assert list(state.microphones()) == numbers
    state.receive_event(left(3, "ada"))
    assert list(state.microphones()) == numbers[1:]
