"""What a client sees and hears of each source: frames, the picture's mean colour, the tone. For tests and diagnosis."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from salon.rooms.v1 import room_pb2

from salon_client.core.room_state import RoomState
from salon_client.synthetic import SAMPLE_RATE, Colour

_WINDOW_SAMPLES = SAMPLE_RATE // 2
"""A spectrum of half a second tells tones 2 Hz apart."""
_QUIET = 200.0
"""Root mean square below which there is no tone."""


@dataclass
class SourceReport:
    """One source as received."""

    frames: int = 0
    picture: Any = None
    """The last video frame."""
    samples: "deque[NDArray[np.float64]]" = field(default_factory=lambda: deque(maxlen=50))
    rate: int = SAMPLE_RATE

    @property
    def mean_colour(self) -> Colour | None:
        """The mean colour of the last picture."""
        if self.picture is None:
            return None
        red, green, blue = (
            self.picture.to_ndarray(format="rgb24").mean(axis=(0, 1)).round().astype(int).tolist()
        )
        return red, green, blue

    @property
    def tone(self) -> float | None:
        """The strongest frequency of the last half second, in hertz; None for silence or too little sound."""
        if sum(map(len, self.samples)) < _WINDOW_SAMPLES:
            return None
        return dominant_tone(np.concatenate(list(self.samples))[-_WINDOW_SAMPLES:], self.rate)


@dataclass(frozen=True)
class ParticipantReport:
    """One participant as received."""

    name: str
    video_frames: int
    audio_frames: int
    colour: Colour | None
    tone: float | None


class Probe:
    """A sink that measures."""

    def __init__(self) -> None:
        self.sources: dict[int, SourceReport] = {}
        self._arrived = asyncio.Event()

    async def next_frame(self) -> None:
        """Wait until another frame has come."""
        self._arrived.clear()
        await self._arrived.wait()

    def receive_frame(self, source: int, frame: Any) -> None:
        """Count and keep what is needed."""
        self._arrived.set()
        report = self.sources.setdefault(source, SourceReport())
        report.frames += 1
        if isinstance(frame, av.VideoFrame):
            report.picture = frame
        else:
            report.samples.append(mono(frame))
            report.rate = frame.sample_rate

    def report(self, state: RoomState) -> dict[str, ParticipantReport]:
        """Microphone and camera by participant id; participants that nothing came from are left out."""
        found: dict[str, ParticipantReport] = {}
        for participant in {owner.participant_id for owner in map(state.owner, self.sources) if owner}:
            found[participant] = self._participant(state, participant)
        return found

    def _participant(self, state: RoomState, participant: str) -> ParticipantReport:
        mine = {
            owner.kind: (owner.name, report)
            for number, report in self.sources.items()
            if (owner := state.owner(number)) and owner.participant_id == participant
        }
        name = next(iter(mine.values()))[0]
        _, camera = mine.get(room_pb2.SOURCE_KIND_CAMERA, (name, SourceReport()))
        _, microphone = mine.get(room_pb2.SOURCE_KIND_MICROPHONE, (name, SourceReport()))
        return ParticipantReport(name, camera.frames, microphone.frames, camera.mean_colour, microphone.tone)


def mono(frame: Any) -> "NDArray[np.float64]":
    """An audio frame's samples (packed or planar 16 bit) as one channel."""
    channels = len(frame.layout.channels)
    samples: NDArray[np.float64] = frame.to_ndarray().astype(np.float64)
    if frame.format.is_planar:
        return np.asarray(samples.mean(axis=0))
    return np.asarray(samples.reshape(-1, channels).mean(axis=1))


def dominant_tone(samples: "NDArray[np.float64]", rate: int) -> float | None:
    """The frequency of the highest peak of the spectrum; None for silence."""
    if np.sqrt(np.mean(samples**2)) < _QUIET:
        return None
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    spectrum[0] = 0
    return float(np.argmax(spectrum) * rate / len(samples))


def close_colours(left: Colour, right: Colour, tolerance: int = 30) -> bool:
    """Whether two colours are the same but for what a codec does to them."""
    return all(abs(a - b) <= tolerance for a, b in zip(left, right, strict=True))
