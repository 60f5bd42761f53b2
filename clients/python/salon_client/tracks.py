"""What a client sends: its tracks, and how one track outlives the media sessions that borrow it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from salon.rooms.v1 import room_pb2


@dataclass(frozen=True)
class Tracks:
    """What is sent; None for what is not. The room stops them when it is left."""

    microphone: MediaStreamTrack | None = None
    camera: MediaStreamTrack | None = None
    screen_audio: MediaStreamTrack | None = None
    screen: MediaStreamTrack | None = None

    def of(self, kind: "room_pb2.SourceKind.ValueType") -> MediaStreamTrack | None:
        """The track of a kind of source."""
        return {
            room_pb2.SOURCE_KIND_MICROPHONE: self.microphone,
            room_pb2.SOURCE_KIND_CAMERA: self.camera,
            room_pb2.SOURCE_KIND_SCREEN_AUDIO: self.screen_audio,
            room_pb2.SOURCE_KIND_SCREEN: self.screen,
        }.get(kind)

    @property
    def kinds(self) -> "Sequence[room_pb2.SourceKind.ValueType]":
        """The kinds that have a track."""
        return tuple(kind for kind in room_pb2.SourceKind.values() if self.of(kind) is not None)

    def stop(self) -> None:
        """Stop all tracks."""
        for kind in self.kinds:
            track = self.of(kind)
            if track is not None:
                track.stop()


NO_TRACKS = Tracks()
"""Sends nothing."""


class Lender:
    """Lends tracks to media sessions, several at a time while one follows another, and mutes them all at once."""

    def __init__(self, tracks: Tracks) -> None:
        self.tracks = tracks
        self.active: frozenset[room_pb2.SourceKind.ValueType] = frozenset(tracks.kinds)
        """Kinds of sources that are on; of the others nothing is sent."""
        self._relay = MediaRelay()

    def borrow(self, kind: "room_pb2.SourceKind.ValueType") -> MediaStreamTrack | None:
        """A track of its own for one session; stopping it leaves the lender's alone."""
        track = self.tracks.of(kind)
        if track is None:
            return None
        return _Borrowed(self._relay.subscribe(track, buffered=False), self, kind)


class _Borrowed(MediaStreamTrack):
    """Passes frames on while its kind is on."""

    def __init__(self, source: MediaStreamTrack, lender: Lender, kind: int) -> None:
        super().__init__()
        self.kind = source.kind
        self._source = source
        self._lender = lender
        self._source_kind = kind

    async def recv(self) -> Any:
        """The next frame; frames while muted are read and dropped, so that none is late afterwards."""
        while True:
            frame = await self._source.recv()
            if self._source_kind in self._lender.active:
                return frame

    def stop(self) -> None:
        """Give the track back."""
        super().stop()
        self._source.stop()
