"""What somebody is told who missed something."""

from collections.abc import Iterable

from salon.rooms.v1 import room_pb2
from salon_rooms.core.replay import MAX_BYTES, continue_from

HEAD = room_pb2.RoomHead(last_event=10)


def events(numbers: Iterable[int], text: str = "") -> list[room_pb2.Event]:
    return [room_pb2.Event(number=n, chat=room_pb2.ChatMessage(text=text)) for n in numbers]


def test_what_follows_is_given_in_order() -> None:
    answer = continue_from(7, HEAD, events([8, 9, 10]))
    assert answer is not None
    assert [e.number for e in answer.events] == [8, 9, 10]
    assert not answer.more


def test_a_page_says_that_there_are_more() -> None:
    answer = continue_from(2, HEAD, events([3, 4, 5]))
    assert answer is not None
    assert answer.more


def test_nothing_missed_is_nothing_told() -> None:
    answer = continue_from(10, HEAD, [])
    assert answer is not None
    assert (len(answer.events), answer.more) == (0, False)


def test_a_hole_needs_a_snapshot() -> None:
    assert continue_from(5, HEAD, events([7, 8, 9, 10])) is None
    assert continue_from(5, HEAD, events([6, 8, 9, 10])) is None
    assert continue_from(5, HEAD, []) is None


def test_a_number_never_given_out_needs_a_snapshot() -> None:
    assert continue_from(11, HEAD, []) is None


def test_pages_are_limited_in_bytes() -> None:
    answer = continue_from(0, HEAD, events(range(1, 11), "x" * (MAX_BYTES // 3)))
    assert answer is not None
    assert len(answer.events) == 2
    assert answer.more
    huge = continue_from(0, HEAD, events([1], "x" * (2 * MAX_BYTES)))
    assert huge is not None
    assert len(huge.events) == 1
