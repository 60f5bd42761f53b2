import av
import numpy as np
import pytest
from numpy.typing import NDArray
from salon.rooms.v1 import room_pb2
from salon_client.core.room_state import RoomState
from salon_client.probe import Probe, dominant_tone, mono

RATE = 48_000


def tone(hertz: float, samples: int = RATE // 2) -> NDArray[np.float64]:
    return np.asarray(8000 * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE))


def audio_frame(samples: NDArray[np.float64], layout: str = "mono") -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples.astype(np.int16).reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = RATE
    return frame


@pytest.mark.parametrize("hertz", [220.0, 440.0, 1234.0, 6000.0])
def test_tone_is_found_within_two_hertz(hertz: float) -> None:
    found = dominant_tone(tone(hertz), RATE)
    assert found is not None
    assert abs(found - hertz) <= 2


def test_silence_has_no_tone() -> None:
    assert dominant_tone(np.zeros(1000), RATE) is None


def test_stereo_becomes_one_channel() -> None:
    left_right = np.repeat(tone(440, 100), 2)
    assert np.allclose(mono(audio_frame(left_right, "stereo")), left_right[::2].astype(np.int16))


def test_report_tells_people_apart() -> None:
    state = RoomState()
    sources = [
        room_pb2.Source(number=4, kind=room_pb2.SOURCE_KIND_MICROPHONE),
        room_pb2.Source(number=5, kind=room_pb2.SOURCE_KIND_CAMERA),
    ]
    people = [room_pb2.Participant(id="ada", name="Ada", sources=sources)]
    state.receive_snapshot(room_pb2.Snapshot(participants=people))
    probe = Probe()
    probe.receive_frame(0, audio_frame(tone(100)))
    probe.receive_frame(4, audio_frame(tone(440)))
    picture = np.full((16, 16, 3), (200, 40, 40), np.uint8)
    probe.receive_frame(5, av.VideoFrame.from_ndarray(picture, format="rgb24"))
    report = probe.report(state)
    assert list(report) == ["ada"]
    ada = report["ada"]
    assert (ada.name, ada.video_frames, ada.audio_frames, ada.colour) == ("Ada", 1, 1, (200, 40, 40))
    assert ada.tone == pytest.approx(440, abs=2)


def test_too_little_sound_has_no_tone() -> None:
    probe = Probe()
    probe.receive_frame(4, audio_frame(tone(440, 960)))
    assert probe.sources[4].tone is None
    assert probe.sources[4].mean_colour is None
