import numpy as np
import pytest
from salon_client.probe import close_colours
from salon_client.synthetic import COLOURS, ColourTrack, ToneTrack, draw_number, parse_colour


@pytest.mark.parametrize(
    ("text", "colour"), [("#ff8000", (255, 128, 0)), ("00ff00", (0, 255, 0)), ("RED", COLOURS["red"])]
)
def test_colours_by_number_and_name(text: str, colour: tuple[int, int, int]) -> None:
    assert parse_colour(text) == colour


@pytest.mark.parametrize("text", ["", "#12", "#12345g", "mauve", "#1234567"])
def test_other_texts_are_no_colours(text: str) -> None:
    with pytest.raises(ValueError):
        parse_colour(text)


async def test_picture_has_its_colour_and_times_grow() -> None:
    track = ColourTrack((200, 40, 40), number=7, fps=100)
    frames = [await track.recv() for _ in range(3)]
    colour = frames[0].to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert close_colours(tuple(colour), (200, 40, 40), 12)
    assert [frame.pts for frame in frames] == sorted({frame.pts for frame in frames})
    track.stop()


async def test_tone_goes_on_without_a_jump() -> None:
    track = ToneTrack(1000)
    first, second = [await track.recv() for _ in range(2)]
    joined = np.concatenate([each.to_ndarray()[0] for each in (first, second)]).astype(int)
    assert second.pts - first.pts == 960
    assert np.abs(np.diff(joined)).max() < 1500
    track.stop()


def test_numbers_are_drawn_in_the_corner() -> None:
    picture = np.zeros((80, 160, 3), np.uint8)
    draw_number(picture, 10)
    assert picture[:20, :20].any()
    assert not picture[40:].any()
