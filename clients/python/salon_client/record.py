"""Records a room into one file: all pictures side by side, all voices mixed.

A sink. The picture is of a fixed size and rate, so people may come and go while it runs; encoding happens on a thread, a tick at a time.
"""

import asyncio
import contextlib
import fractions
import math
import time
from collections import deque
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray
from salon_common.errors import invalid

from salon_client.probe import mono
from salon_client.synthetic import SAMPLE_RATE

FRAMES_PER_SECOND = 15
SIZE = (640, 360)
_SHOWN_SECONDS = 2.0
"""A picture that has not changed for so long is taken off: its sender has gone or turned the camera off."""
_BUFFERED_SAMPLES = SAMPLE_RATE
_OPUS_SAMPLES = 960

_CODECS = {".webm": ("libvpx", "libopus"), ".mkv": ("libvpx", "libopus"), ".mp4": ("libx264", "aac")}


class Recorder:
    """Writes what it is given, from `start` to `stop`."""

    def __init__(self, path: Path) -> None:
        """Raises SalonError INVALID_ARGUMENT for a file that cannot be written."""
        codecs = _CODECS.get(path.suffix.lower())
        if codecs is None:
            raise invalid("--record", f"{path.name} must end in one of {', '.join(_CODECS)}")
        self._container = av.open(str(path), "w")
        self._video = cast("av.VideoStream", self._container.add_stream(codecs[0], rate=FRAMES_PER_SECOND))
        self._video.width, self._video.height = SIZE
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"deadline": "realtime", "cpu-used": "8"} if codecs[0] == "libvpx" else {}
        self._audio = cast("av.AudioStream", self._container.add_stream(codecs[1], rate=SAMPLE_RATE))
        self._audio.layout = "mono"
        try:
            self._container.start_encoding()
        except (OSError, av.FFmpegError) as error:
            raise invalid("--record", f"cannot write {path}: {error}") from None
        self._fifo = av.AudioFifo()
        self._pictures: dict[int, tuple[float, Any]] = {}
        self._voices: dict[int, deque[NDArray[np.float64]]] = {}
        self._ticks = 0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def receive_frame(self, source: int, frame: Any) -> None:
        """Take a frame; it is written with the next tick."""
        if source == 0:
            return
        if isinstance(frame, av.VideoFrame):
            self._pictures[source] = (time.monotonic(), frame)
            return
        voice = self._voices.setdefault(source, deque())
        voice.append(mono(frame))
        while sum(map(len, voice)) > _BUFFERED_SAMPLES:
            voice.popleft()

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, and finish the file."""
        self._stopping.set()
        if self._task is not None:
            # Not cancelled: the thread of a tick that has begun must be done with the file first.
            await self._task
        await asyncio.to_thread(self._finish)

    async def _run(self) -> None:
        began = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            pictures = [picture for at, picture in self._pictures.values() if now - at < _SHOWN_SECONDS]
            sound = self._mix(SAMPLE_RATE // FRAMES_PER_SECOND)
            await asyncio.to_thread(self._write, pictures, sound)
            self._ticks += 1
            with contextlib.suppress(TimeoutError):
                pause = max(0.0, began + self._ticks / FRAMES_PER_SECOND - time.monotonic())
                await asyncio.wait_for(self._stopping.wait(), pause)

    def _mix(self, count: int) -> "NDArray[np.int16]":
        mixed = np.zeros(count)
        for voice in self._voices.values():
            taken = 0
            while voice and taken < count:
                block = voice.popleft()
                part = block[: count - taken]
                mixed[taken : taken + len(part)] += part
                taken += len(part)
                if len(part) < len(block):
                    voice.appendleft(block[len(part) :])
        return np.clip(mixed, -32768, 32767).astype(np.int16)

    def _write(self, pictures: list[Any], sound: "NDArray[np.int16]") -> None:
        frame = av.VideoFrame.from_ndarray(side_by_side(pictures), format="rgb24")
        frame.pts = self._ticks
        frame.time_base = fractions.Fraction(1, FRAMES_PER_SECOND)
        self._container.mux(self._video.encode(frame))
        heard = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        heard.sample_rate = SAMPLE_RATE
        heard.time_base = fractions.Fraction(1, SAMPLE_RATE)
        heard.pts = self._ticks * (SAMPLE_RATE // FRAMES_PER_SECOND)
        self._fifo.write(heard)
        while (block := self._fifo.read(self._audio.frame_size or _OPUS_SAMPLES)) is not None:
            self._container.mux(self._audio.encode(block))

    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        self._container.mux(self._audio.encode(None))
        self._container.close()


def side_by_side(pictures: list[Any]) -> "NDArray[np.uint8]":
    """All pictures in a grid on black, each stretched to its tile."""
    width, height = SIZE
    canvas = np.zeros((height, width, 3), np.uint8)
    columns = math.ceil(math.sqrt(len(pictures))) or 1
    rows = math.ceil(len(pictures) / columns) or 1
    tile_width, tile_height = width // columns & ~1, height // rows & ~1
    for index, picture in enumerate(pictures):
        left, top = index % columns * tile_width, index // columns * tile_height
        tile = picture.reformat(width=tile_width, height=tile_height, format="rgb24").to_ndarray()
        canvas[top : top + tile_height, left : left + tile_width] = tile
    return canvas
