"""What a command-line participant sends: a file in a loop, or a test picture and tone."""

from pathlib import Path

import av
from aiortc.contrib.media import MediaPlayer
from salon_common.errors import invalid

from salon_client.synthetic import ColourTrack, ToneTrack, parse_colour
from salon_client.tracks import Tracks


def file_tracks(path: Path, *, loop: bool = True) -> Tracks:
    """The first sound and picture of a file, as microphone and camera. Raises SalonError INVALID_ARGUMENT."""
    try:
        player = MediaPlayer(str(path), loop=loop)
    except (OSError, av.FFmpegError) as error:
        raise invalid("--play", f"cannot play {path}: {error}") from None
    if player.audio is None and player.video is None:
        raise invalid("--play", f"{path} has neither sound nor pictures")
    return Tracks(microphone=player.audio, camera=player.video)


def synthetic_tracks(colour: str, hertz: float, number: int | None = None) -> Tracks:
    """A solid colour and a tone. Raises SalonError INVALID_ARGUMENT."""
    try:
        rgb = parse_colour(colour)
    except ValueError as error:
        raise invalid("--colour", str(error)) from None
    return Tracks(microphone=ToneTrack(hertz), camera=ColourTrack(rgb, number=number))
