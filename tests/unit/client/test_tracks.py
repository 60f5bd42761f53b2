from collections.abc import Iterator

import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from salon.rooms.v1 import room_pb2
from salon_client.synthetic import COLOURS, ColourTrack, ToneTrack
from salon_client.tracks import NO_TRACKS, Lender, Tracks

MICROPHONE = room_pb2.SOURCE_KIND_MICROPHONE
CAMERA = room_pb2.SOURCE_KIND_CAMERA


class Counted(MediaStreamTrack):
    """Gives 0, 1, 2 … and then ends."""

    kind = "audio"

    def __init__(self, count: int) -> None:
        super().__init__()
        self._numbers: Iterator[int] = iter(range(count))

    async def recv(self) -> int:  # type: ignore[override]
        number = next(self._numbers, None)
        if number is None:
            raise MediaStreamError
        return number


def test_kinds_are_those_with_a_track() -> None:
    assert Tracks(camera=ColourTrack(COLOURS["red"])).kinds == (CAMERA,)
    assert NO_TRACKS.kinds == ()
    assert Lender(NO_TRACKS).borrow(CAMERA) is None


async def test_giving_back_leaves_the_lenders_track_alone() -> None:
    tone = ToneTrack(440)
    lender = Lender(Tracks(microphone=tone))
    first = lender.borrow(MICROPHONE)
    assert first is not None
    await first.recv()
    first.stop()
    assert tone.readyState == "live"
    second = lender.borrow(MICROPHONE)
    assert second is not None
    await second.recv()
    lender.tracks.stop()
    assert tone.readyState == "ended"


async def test_muted_track_gives_nothing_until_it_ends() -> None:
    lender = Lender(Tracks(microphone=Counted(3)))
    track = lender.borrow(MICROPHONE)
    assert track is not None
    lender.active = frozenset()
    with pytest.raises(MediaStreamError):
        await track.recv()
