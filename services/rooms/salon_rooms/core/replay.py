"""What somebody who knows a room up to one event is told: the events since, or that only a snapshot helps."""

from collections.abc import Sequence

from salon.rooms.v1 import room_pb2, rooms_pb2

MAX_BYTES = 256 * 1024
"""Of events in one reply: half of what a reply may be."""


def continue_from(
    after: int, head: room_pb2.RoomHead, events: Sequence[room_pb2.Event]
) -> rooms_pb2.ReplayResponse | None:
    """The events after a number, from those that are kept, in order; None when one of them is not kept any more, or
    when the number was never given out.
    """
    if after > head.last_event:
        return None
    response = rooms_pb2.ReplayResponse()
    size = 0
    for event in events:
        if event.number != after + len(response.events) + 1:
            return None
        size += event.ByteSize()
        if response.events and size > MAX_BYTES:
            break
        response.events.append(event)
    if not response.events and after < head.last_event:
        return None
    response.more = after + len(response.events) < head.last_event
    return response
