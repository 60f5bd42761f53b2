"""`salon join` as people and scripts see it: who comes and goes, what is written, and at the end what was received."""

import asyncio
import contextlib
import json
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError

from salon_client.events import Disconnected, Ended, Entered, MediaConnected, MediaLost, RoomNews, Waiting
from salon_client.play import file_tracks, synthetic_tracks
from salon_client.probe import Probe
from salon_client.record import Recorder
from salon_client.room import Room
from salon_client.tracks import NO_TRACKS, Tracks


@dataclass(frozen=True)
class JoinOptions:
    """What `salon join` was told."""

    link: str
    name: str
    play: Path | None
    record: Path | None
    duration: float | None
    colour: str
    tone: float
    number: int | None
    listen: bool
    """Send nothing."""
    slots: int
    say: str | None
    """A message to write once in."""
    as_json: bool


async def join_room(options: JoinOptions) -> None:
    """Stay until the time is over, the room is, or Ctrl-C. Raises SalonError."""
    recorder = Recorder(options.record) if options.record else None
    probe = Probe()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    room = Room.join(options.link, options.name, tracks=_tracks(options), video_slots=options.slots)
    room.add_sink(probe)
    if recorder:
        room.add_sink(recorder)
        await recorder.start()
    reporting = asyncio.create_task(_report(room, stop, as_json=options.as_json))
    try:
        async with room:
            if options.say:
                await room.send_chat(options.say)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), options.duration)
            summary = _summary(room, probe)
            over = room.ended
    finally:
        if recorder:
            await recorder.stop()
        await reporting
    _print_summary(summary, as_json=options.as_json)
    if over is not None and not stop.is_set():
        raise SalonError(Code.UNAVAILABLE, over.why)


def _tracks(options: JoinOptions) -> Tracks:
    if options.listen:
        return NO_TRACKS
    if options.play:
        return file_tracks(options.play)
    return synthetic_tracks(options.colour, options.tone, options.number)


async def _report(room: Room, stop: asyncio.Event, *, as_json: bool) -> None:
    """Print what happens, as it happens."""
    async for news in room.events():
        line = _describe(room, news)
        if line is not None and not as_json:
            typer.echo(line, err=True)
        if isinstance(news, Ended):
            stop.set()


def _describe(room: Room, news: RoomNews) -> str | None:
    if isinstance(news, room_pb2.Event):
        return _describe_event(room, news)
    if isinstance(news, Entered):
        title = room.state.room.title or room.link.room_id
        return f"{'back in' if news.resumed else 'in'} {title}, served by {news.node_id or 'no node'}"
    if isinstance(news, Waiting):
        return "at the door: waiting to be let in"
    if isinstance(news, MediaConnected):
        return f"media is connected to {news.node_id}"
    if isinstance(news, MediaLost | Disconnected):
        return f"{news.why}; trying again"
    return None


def _describe_event(room: Room, event: room_pb2.Event) -> str | None:
    body = event.WhichOneof("body")
    if body == "participant_joined":
        return f"{event.participant_joined.participant.name} comes in"
    if body == "participant_left":
        return f"{room.name_of(event.participant_left.participant_id)} is gone"
    if body == "chat":
        return f"{event.chat.name}: {event.chat.text}"
    return None


def _summary(room: Room, probe: Probe) -> dict[str, Any]:
    received = {key: asdict(value) for key, value in probe.report(room.state).items()}
    said = [{"number": each.number, "name": each.name, "text": each.text} for each in room.state.chat]
    return {"participant_id": room.me, "node_id": room.node_id, "received": received, "chat": said}


def _print_summary(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary))
        return
    for each in summary["received"].values():
        tone = f"{each['tone']:.0f} Hz" if each["tone"] else "silence"
        colour = "#{:02x}{:02x}{:02x}".format(*each["colour"]) if each["colour"] else "no picture"
        frames = f"{each['video_frames']} pictures ({colour}), {each['audio_frames']} of sound ({tone})"
        typer.echo(f"{each['name']}: {frames}")
