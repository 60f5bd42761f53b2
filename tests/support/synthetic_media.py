"""What test participants show and say: a picture of one colour and a tone of one frequency each.

Chromium takes them as files for its fake camera (YUV4MPEG2) and microphone (WAV). The tone comes in bursts: a
browser's noise suppression takes a steady one for noise and removes it.
"""

import struct
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 48_000


@dataclass(frozen=True)
class Person:
    """A test participant: a name, the colour of its picture (RGB 0-255) and its tone in Hz."""

    name: str
    colour: tuple[int, int, int]
    tone: float


PEOPLE = (
    Person("Ada", (220, 30, 30), 440.0),
    Person("Bo", (30, 180, 40), 700.0),
    Person("Cy", (40, 60, 220), 1100.0),
    Person("Dee", (220, 200, 30), 1700.0),
    Person("Eli", (200, 40, 200), 2500.0),
    Person("Fay", (30, 200, 210), 3300.0),
)


def to_yuv(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """BT.601, limited range (ITU-R BT.601-7, 2.5.3)."""
    r, g, b = (c / 255 for c in colour)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return round(16 + 219 * y), round(128 + 224 * 0.564 * (b - y)), round(128 + 224 * 0.713 * (r - y))


def write_camera(path: Path, person: Person, *, width: int = 320, height: int = 180, fps: int = 15) -> Path:
    """Four seconds of the person's colour, with a small moving square so that every frame differs."""
    y, u, v = to_yuv(person.colour)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(4 * fps):
            luma = np.full((height, width), y, np.uint8)
            x = number * (width - 16) // (4 * fps)
            luma[4:16, x : x + 12] = 255 - y
            chroma = (
                np.full((height // 2) * (width // 2), u, np.uint8),
                np.full((height // 2) * (width // 2), v, np.uint8),
            )
            file.write(b"FRAME\n" + luma.tobytes() + chroma[0].tobytes() + chroma[1].tobytes())
    return path


def tone(frequency: float, seconds: float) -> np.ndarray:
    """Bursts of 350 ms in every 500 ms, with soft edges; float in -1…1 at 48 kHz."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = time % 0.5
    envelope = np.clip(np.minimum(phase, 0.35 - phase) / 0.02, 0, 1)
    return np.asarray(0.5 * envelope * np.sin(2 * np.pi * frequency * time), np.float64)


def write_microphone(path: Path, person: Person) -> Path:
    """Four seconds of the person's tone; Chromium repeats the file."""
    samples = (tone(person.tone, 4.0) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(struct.calcsize("<h"))
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


def nearest(colour: tuple[float, float, float], people: tuple[Person, ...] = PEOPLE) -> Person:
    """Whose picture this colour is from: codecs and colour spaces shift it a little."""
    return min(
        people, key=lambda person: sum((a - b) ** 2 for a, b in zip(colour, person.colour, strict=True))
    )
