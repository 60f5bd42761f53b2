"""Which sources to ask for, and in which slots."""

from collections.abc import Iterable, Sequence

from salon.media.v1 import channel_pb2
from salon.rooms.v1 import room_pb2

from salon_client.core.room_state import RoomState

PICTURES = (room_pb2.SOURCE_KIND_SCREEN, room_pb2.SOURCE_KIND_CAMERA)
"""What a video slot can show, the more wanted first."""


CAMERAS = (room_pb2.SOURCE_KIND_CAMERA,)


def wanted_sources(state: RoomState, me: str) -> Sequence[int]:
    """The pictures of the others, screens before cameras, in the order people came."""
    return tuple(state.active_sources(PICTURES, without=me))


def arrange(previous: Sequence[int], wanted: Iterable[int], slots: int) -> Sequence[int]:
    """The source of each slot, 0 for none: the first `slots` of `wanted`, those that have a slot kept in it."""
    chosen = list(dict.fromkeys(wanted))[:slots]
    kept: list[int] = []
    for source in [*previous, *[0] * slots][:slots]:
        kept.append(source if source in chosen and source not in kept else 0)
    new = iter([source for source in chosen if source not in kept])
    return tuple(source or next(new, 0) for source in kept)


def layout_message(sources: Sequence[int], max_height: int) -> channel_pb2.ClientMessage:
    """The wish as it is sent to the node."""
    wishes = [
        channel_pb2.SlotWish(slot=slot, source=source, max_height=max_height)
        for slot, source in enumerate(sources)
        if source
    ]
    return channel_pb2.ClientMessage(layout=channel_pb2.Layout(slots=wishes))
