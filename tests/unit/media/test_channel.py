import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.media.v1 import channel_pb2
from salon_common.errors import Code, SalonError
from salon_media.core.channel import (
    MAX_MESSAGE_BYTES,
    MERGE_SECONDS,
    MESSAGES_PER_SECOND,
    ClientInbox,
    ClientOutbox,
    layout_wishes,
)

VIDEO = channel_pb2.SLOT_KIND_VIDEO
SPEECH = channel_pb2.SLOT_KIND_SPEECH


def layout(*wishes: tuple[int, int, int]) -> bytes:
    slots = [
        channel_pb2.SlotWish(slot=slot, source=source, max_height=height) for slot, source, height in wishes
    ]
    return channel_pb2.ClientMessage(layout=channel_pb2.Layout(slots=slots)).SerializeToString()


def refusal(inbox: ClientInbox, data: bytes, now: float = 0.0) -> SalonError:
    with pytest.raises(SalonError) as caught:
        inbox.read(data, now)
    return caught.value


def test_a_layout_is_read_as_the_engine_takes_it() -> None:
    message = ClientInbox(4, 0.0).read(layout((3, 9, 360), (0, 5, 1_000_000), (1, 0, 90)), 0.0)
    assert layout_wishes(message.layout) == [(3, 9, 360), (0, 5, 8192)]


def test_an_epoch_is_read() -> None:
    data = channel_pb2.ClientMessage(epoch_seen=channel_pb2.EpochSeen(epoch=7)).SerializeToString()
    assert ClientInbox(0, 0.0).read(data, 0.0).epoch_seen.epoch == 7


def test_an_empty_message_means_nothing() -> None:
    assert ClientInbox(0, 0.0).read(b"", 0.0).WhichOneof("body") is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xff", "is no ClientMessage"),
        (b"\x00" * (MAX_MESSAGE_BYTES + 1), "is 16385 bytes long, the limit is 16384"),
        (layout((1, 9, 1), (1, 8, 1)), "names a slot twice"),
        (layout((4, 9, 1)), "names slot 4, but 4 video slots were offered"),
    ],
)
def test_what_is_refused(data: bytes, said: str) -> None:
    error = refusal(ClientInbox(4, 0.0), data)
    assert error.code is Code.INVALID_ARGUMENT
    assert said in error.message


def test_a_client_that_talks_too_much_is_refused_until_later() -> None:
    inbox = ClientInbox(4, 0.0)
    for _ in range(MESSAGES_PER_SECOND):
        inbox.read(b"", 0.0)
    assert refusal(inbox, b"").code is Code.RESOURCE_EXHAUSTED
    assert refusal(inbox, b"", 0.04).code is Code.RESOURCE_EXHAUSTED
    inbox.read(b"", 0.06)


@given(st.lists(st.floats(0, 0.2), max_size=200))
def test_never_more_than_a_burst_and_the_rate(gaps: list[float]) -> None:
    inbox, now, passed = ClientInbox(0, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        try:
            inbox.read(b"", now)
        except SalonError:
            continue
        passed += 1
    assert passed <= MESSAGES_PER_SECOND * (1 + now) + 1e-6


@given(st.binary(max_size=200))
def test_garbage_is_read_or_refused(data: bytes) -> None:
    try:
        message = ClientInbox(4, 0.0).read(data, 0.0)
    except SalonError:
        return
    assert all(slot < 4 for slot, _, _ in layout_wishes(message.layout))


def take(outbox: ClientOutbox, now: float) -> list[channel_pb2.NodeMessage]:
    return [channel_pb2.NodeMessage.FromString(message) for message in outbox.take(now)]


def test_nothing_to_say() -> None:
    outbox = ClientOutbox()
    assert outbox.next_at() is None
    assert outbox.take(0.0) == []


def test_slots_leave_at_once_and_merge_while_they_wait() -> None:
    outbox = ClientOutbox()
    outbox.note_slots([(VIDEO, 0, 5, 100), (VIDEO, 1, 6, 200)])
    outbox.note_slots([(VIDEO, 0, 7, 300), (SPEECH, 0, 0, 400)])
    assert outbox.next_at() == 0.0
    (message,) = take(outbox, 0.0)
    shown = {(slot.kind, slot.slot): (slot.source, slot.first_timestamp) for slot in message.slot_map.slots}
    assert shown == {(VIDEO, 0): (7, 300), (VIDEO, 1): (6, 200), (SPEECH, 0): (0, 0)}
    outbox.note_slots([(VIDEO, 0, 8, 1)])
    assert len(take(outbox, 0.001)) == 1


def test_speakers_are_merged_to_four_a_second() -> None:
    outbox = ClientOutbox()
    outbox.note_speakers([1, 2, 3, 4, 5], 1)
    (message,) = take(outbox, 10.0)
    assert message.speakers == channel_pb2.Speakers(sources=[1, 2, 3, 4], dominant=1)
    outbox.note_speakers([2], 2)
    outbox.note_speakers([3], 3)
    assert outbox.next_at() == 10.0 + MERGE_SECONDS
    assert take(outbox, 10.2) == []
    (message,) = take(outbox, 10.25)
    assert list(message.speakers.sources) == [3]
    assert outbox.next_at() is None


def test_the_newest_roster_leaves_first_and_takes_turns_with_the_speakers() -> None:
    outbox, bodies = ClientOutbox(), []
    outbox.note_speakers([1], 1)
    outbox.note_roster([4])
    outbox.note_roster([4, 8])
    (message,) = take(outbox, 0.0)
    assert list(message.roster.microphones) == [4, 8]
    for turn in range(1, 5):
        outbox.note_roster([4 * turn])
        outbox.note_speakers([turn], turn)
        assert outbox.next_at() == turn * MERGE_SECONDS
        assert take(outbox, turn * MERGE_SECONDS - 0.01) == []
        (message,) = take(outbox, turn * MERGE_SECONDS)
        bodies.append(message.WhichOneof("body"))
    assert bodies == ["speakers", "roster", "speakers", "roster"]


def test_a_slot_map_does_not_wait_for_the_roster() -> None:
    outbox = ClientOutbox()
    outbox.note_roster([4])
    outbox.take(0.0)
    outbox.note_roster([4, 8])
    outbox.note_slots([(VIDEO, 0, 5, 100)])
    (message,) = take(outbox, 0.1)
    assert message.HasField("slot_map")
    (message,) = take(outbox, 0.25)
    assert message.HasField("roster")
