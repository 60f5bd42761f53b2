from hypothesis import given
from hypothesis import strategies as st
from salon.media.v1 import channel_pb2
from salon_client.core.slots import TRANSITIONS_KEPT, SlotMap, SlotTimeline, is_later

VIDEO = channel_pb2.SLOT_KIND_VIDEO
SPEECH = channel_pb2.SLOT_KIND_SPEECH
timestamps = st.integers(0, 2**32 - 1)


def assignment(kind: "channel_pb2.SlotKind.ValueType", slot: int, source: int) -> channel_pb2.SlotAssignment:
    return channel_pb2.SlotAssignment(kind=kind, slot=slot, source=source)


def test_slots_not_named_are_unchanged() -> None:
    slots = SlotMap()
    slots.receive(channel_pb2.SlotMap(slots=[assignment(VIDEO, 0, 5), assignment(SPEECH, 0, 4)]))
    slots.receive(channel_pb2.SlotMap(slots=[assignment(VIDEO, 1, 9)]))
    assert (slots.source(VIDEO, 0), slots.source(VIDEO, 1), slots.source(SPEECH, 0)) == (5, 9, 4)
    assert slots.shown(VIDEO) == {5, 9}
    slots.receive(channel_pb2.SlotMap(slots=[assignment(VIDEO, 0, 0)]))
    assert slots.source(VIDEO, 0) == 0
    assert slots.shown(VIDEO) == {9}
    assert slots.source(VIDEO, 7) == 0


def test_frames_belong_to_the_source_of_their_packets() -> None:
    timeline = SlotTimeline()
    for timestamp, source in ((1000, 5), (2000, 5), (3000, 9), (4000, 5)):
        timeline.note(timestamp, source)
    assert [timeline.source_at(each) for each in (1000, 2999, 3000, 3500, 4000, 9000)] == [5, 5, 9, 9, 5, 5]
    assert timeline.source_at(999) == 0


def test_late_packet_of_the_old_source_changes_nothing() -> None:
    timeline = SlotTimeline()
    timeline.note(1000, 5)
    timeline.note(3000, 9)
    timeline.note(2000, 5)
    assert timeline.source_at(3000) == 9


def test_nothing_is_known_before_the_first_packet() -> None:
    assert SlotTimeline().source_at(0) == 0


def test_memory_is_bounded() -> None:
    timeline = SlotTimeline()
    for index in range(3 * TRANSITIONS_KEPT):
        timeline.note(index * 100, index % 2 + 1)
    assert timeline.source_at(0) == 0
    assert timeline.source_at((3 * TRANSITIONS_KEPT - 1) * 100) != 0


@given(timestamps, st.integers(1, 2**31 - 1))
def test_later_is_modulo_2_32(timestamp: int, distance: int) -> None:
    after = (timestamp + distance) % 2**32
    assert is_later(after, timestamp)
    assert not is_later(timestamp, after)
    assert not is_later(timestamp, timestamp)


@given(timestamps, st.lists(st.tuples(st.integers(1, 90_000), st.integers(1, 5)), min_size=1, max_size=50))
def test_every_packet_in_order_is_told_right_across_the_wrap(
    start: int, steps: list[tuple[int, int]]
) -> None:
    timeline = SlotTimeline()
    timestamp = start
    for step, source in steps:
        timestamp = (timestamp + step) % 2**32
        timeline.note(timestamp, source)
        assert timeline.source_at(timestamp) == source
