import asyncio
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from salon_client.probe import close_colours, dominant_tone, mono
from salon_client.record import SIZE, Recorder, side_by_side
from salon_client.synthetic import COLOURS, ColourTrack, ToneTrack
from salon_common.errors import SalonError


def picture(colour: tuple[int, int, int]) -> Any:
    return av.VideoFrame.from_ndarray(np.full((90, 160, 3), colour, np.uint8), format="rgb24")


@pytest.mark.parametrize("count", range(6))
def test_any_number_of_pictures_fits(count: int) -> None:
    canvas = side_by_side([picture(COLOURS["red"])] * count)
    assert canvas.shape == (SIZE[1], SIZE[0], 3)
    assert canvas.any() == (count > 0)


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SalonError, match="must end in"):
        Recorder(tmp_path / "x.gif")


def test_directory_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(SalonError, match="cannot write"):
        Recorder(tmp_path / "none" / "x.webm")


async def test_recording_has_the_colour_and_the_tone(tmp_path: Path) -> None:
    path = tmp_path / "room.webm"
    recorder = Recorder(path)
    await recorder.start()
    voice, camera = ToneTrack(660), ColourTrack(COLOURS["green"])

    async def feed(source: int, track: Any, count: int) -> None:
        for _ in range(count):
            recorder.receive_frame(source, await track.recv())

    recorder.receive_frame(0, picture(COLOURS["red"]))
    await asyncio.gather(feed(4, voice, 60), feed(5, camera, 15))
    await recorder.stop()
    with av.open(str(path)) as container:
        colours = [frame.to_ndarray(format="rgb24").mean(axis=(0, 1)) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        sound = np.concatenate(
            [
                mono(frame) / np.abs(mono(frame)).max(initial=1e-9) * 8000
                for frame in container.decode(audio=0)
            ]
        )
    assert close_colours(tuple(colours[-1]), COLOURS["green"])
    tone = dominant_tone(sound, 48_000)
    assert tone is not None
    assert abs(tone - 660) < 5
