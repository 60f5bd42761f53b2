"""Test pictures and tones: a solid colour with a number on it, and a sine wave. Made without files, recognized by a `Probe`."""

import asyncio
import fractions
import time
from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
_FRAME_SAMPLES = 960
_FRAMES = 50
"""Of sound in a second."""
_AMPLITUDE = 0.3 * 32767
_VIDEO_CLOCK = 90_000
_PIXELS = "yuv420p"

Colour = tuple[int, int, int]

# Three columns by five rows a digit, a bit a dot, the top row first.
_FONT: Sequence[Sequence[int]] = (
    (0b111, 0b101, 0b101, 0b101, 0b111),
    (0b010, 0b110, 0b010, 0b010, 0b111),
    (0b111, 0b001, 0b111, 0b100, 0b111),
    (0b111, 0b001, 0b111, 0b001, 0b111),
    (0b101, 0b101, 0b111, 0b001, 0b001),
    (0b111, 0b100, 0b111, 0b001, 0b111),
    (0b111, 0b100, 0b111, 0b101, 0b111),
    (0b111, 0b001, 0b010, 0b010, 0b010),
    (0b111, 0b101, 0b111, 0b101, 0b111),
    (0b111, 0b101, 0b111, 0b001, 0b111),
)


class _Paced(MediaStreamTrack):
    """Gives a frame each `period` seconds, by the clock; skips what it could not give in time."""

    def __init__(self, period: float) -> None:
        super().__init__()
        self._period = period
        self._started: float | None = None
        self._index = -1

    async def _next_index(self) -> int:
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self._started is None:
            self._started = now
        self._index = max(self._index + 1, int((now - self._started) / self._period))
        await asyncio.sleep(self._started + self._index * self._period - now)
        return self._index


class ColourTrack(_Paced):
    """A camera that sees one colour, with a number in a corner that takes a few percent of the picture."""

    kind = "video"

    def __init__(
        self, colour: Colour, *, number: int | None = None, size: tuple[int, int] = (320, 180), fps: int = 15
    ) -> None:
        super().__init__(1 / fps)
        self._fps = fps
        width, height = size
        picture = np.empty((height, width, 3), np.uint8)
        picture[:] = colour
        if number is not None:
            draw_number(picture, number)
        converted = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=_PIXELS)
        self._picture = converted.to_ndarray()

    async def recv(self) -> Any:
        """The next frame."""
        index = await self._next_index()
        frame = av.VideoFrame.from_ndarray(self._picture, format=_PIXELS)
        frame.pts = index * _VIDEO_CLOCK // self._fps
        frame.time_base = fractions.Fraction(1, _VIDEO_CLOCK)
        return frame


class ToneTrack(_Paced):
    """A microphone that hears one tone."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__(_FRAME_SAMPLES / SAMPLE_RATE)
        self._hertz = hertz
        # A tone of whole hertz is the same each second.
        self._second = [self._samples(index) for index in range(_FRAMES)] if hertz == int(hertz) else []

    async def recv(self) -> Any:
        """The next 20 ms."""
        index = await self._next_index()
        samples = self._second[index % _FRAMES] if self._second else self._samples(index)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = index * _FRAME_SAMPLES
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE)
        return frame

    def _samples(self, index: int) -> "NDArray[np.int16]":
        time_points = (np.arange(_FRAME_SAMPLES) + index * _FRAME_SAMPLES) / SAMPLE_RATE
        samples = (_AMPLITUDE * np.sin(2 * np.pi * self._hertz * time_points)).astype(np.int16)
        return samples.reshape(1, -1)


def draw_number(picture: NDArray[np.uint8], number: int) -> None:
    """Write a number into the upper left corner, in white dots as tall as a fortieth of the picture."""
    dot = max(2, picture.shape[0] // 40)
    for place, digit in enumerate(str(number)):
        for row, bits in enumerate(_FONT[int(digit)]):
            for column in range(3):
                if bits >> (2 - column) & 1:
                    top, left = (row + 1) * dot, (place * 4 + column + 1) * dot
                    picture[top : top + dot, left : left + dot] = 255


def parse_colour(text: str) -> Colour:
    """`#rrggbb`, or one of a few names. Raises ValueError."""
    named = COLOURS.get(text.lower())
    if named is not None:
        return named
    digits = text.removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f"a colour is #rrggbb or one of {', '.join(COLOURS)}")
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


COLOURS: dict[str, Colour] = {
    "red": (200, 40, 40),
    "green": (40, 160, 60),
    "blue": (40, 80, 200),
    "yellow": (210, 190, 40),
    "purple": (140, 50, 170),
    "cyan": (40, 170, 180),
    "orange": (220, 120, 30),
    "grey": (120, 120, 120),
}
