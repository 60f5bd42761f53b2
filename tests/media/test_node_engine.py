"""The whole node in this process, Rust engine included, with real aiortc clients that see and hear each other."""

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import AudioFrame, VideoFrame
from media.harness import Client, Node, until
from salon.media.v1 import channel_pb2
from salon_media.engine import start_engine

VIDEO = channel_pb2.SLOT_KIND_VIDEO
RATE = 48_000
SAMPLES = 960
RED, BLUE = (81, 90, 240), (41, 240, 110)
"""In Y, U and V."""


class Tone(AudioStreamTrack):
    """A sine of one frequency, 20 ms a frame."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._sample = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(SAMPLES / RATE)
        times = (np.arange(SAMPLES) + self._sample) / RATE
        wave = (np.sin(2 * np.pi * self._hertz * times) * 12_000).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._sample, Fraction(1, RATE)
        self._sample += SAMPLES
        return frame


class Colour(VideoStreamTrack):
    """One colour, 160x90."""

    def __init__(self, yuv: tuple[int, int, int]) -> None:
        super().__init__()
        self._yuv = yuv

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(160, 90, "yuv420p")
        for plane, value in zip(frame.planes, self._yuv, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


def member(ordinal: int, hertz: float, yuv: tuple[int, int, int]) -> Client:
    client = Client(ordinal)
    client.pc.addTransceiver(Tone(hertz), direction="sendonly")
    client.pc.addTransceiver(Colour(yuv), direction="sendonly")
    for _ in range(3):
        client.pc.addTransceiver("audio", direction="recvonly")
    client.pc.addTransceiver("video", direction="recvonly")
    return client


def slot_track(client: Client, kind: str) -> MediaStreamTrack:
    """The first slot of a kind."""
    return next(
        transceiver.receiver.track
        for transceiver in client.pc.getTransceivers()
        if transceiver.kind == kind and transceiver.direction == "recvonly"
    )


async def hears(client: Client) -> float:
    """The frequency in the first speech slot, once something is there."""
    track = slot_track(client, "audio")
    async with asyncio.timeout(10):
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            wave = frame.to_ndarray().reshape(-1, 2)[:, 0].astype(float)
            if np.abs(wave).max() > 4_000:
                spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 1 << 14))
                return float(np.argmax(spectrum) * frame.sample_rate / (1 << 14))


async def sees(client: Client) -> tuple[int, ...]:
    """The colour in the first video slot."""
    async with asyncio.timeout(10):
        frame = await slot_track(client, "video").recv()
    assert isinstance(frame, VideoFrame)
    planes = frame.reformat(format="yuv420p").planes
    return tuple(bytes(plane)[0] for plane in planes)


def shows(source: int, message: channel_pb2.NodeMessage) -> bool:
    """Whether a video slot has the source from now on."""
    return any(slot.kind == VIDEO and slot.source == source for slot in message.slot_map.slots)


def names(source: int, message: channel_pb2.NodeMessage) -> bool:
    """Whether the source is among the speakers."""
    return source in message.speakers.sources


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(start_engine("127.0.0.1", 0))
    yield node
    await node.stop()


async def test_two_clients_hear_and_see_each_other(node: Node) -> None:
    ada, ben = member(1, 440, RED), member(2, 880, BLUE)
    await asyncio.gather(ada.join(node), ben.join(node))
    for viewer, shown in ((ada, ben), (ben, ada)):
        wish = channel_pb2.SlotWish(slot=0, source=shown.source(2), max_height=360)
        viewer.say(channel_pb2.ClientMessage(layout=channel_pb2.Layout(slots=[wish])))
    frequencies = await asyncio.gather(hears(ada), hears(ben))
    assert frequencies == pytest.approx([880, 440], rel=0.05)
    colours = await asyncio.gather(sees(ada), sees(ben))
    assert np.abs(np.subtract(colours, (BLUE, RED))).max() < 12
    for viewer, shown in ((ada, ben), (ben, ada)):
        await viewer.heard(partial(shows, shown.source(2)))
        await viewer.heard(partial(names, shown.source(1)))
    await ben.pc.close()
    await until(lambda: node.state.participants == 1)
    assert node.engine.counters()["datagrams_out"] > 0
    await ada.pc.close()
    await until(lambda: node.state.participants == 0)
