"""Native participants in a process of their own, told what to do by lines of JSON: `python native_crowd.py`.

A request is `{"id": 1, "do": "join", …}`, its answer `{"id": 1, "answer": …}` or `{"id": 1, "error": "…"}`; requests run side by side.
Times are of the machine's monotonic clock, which the harness reads as well.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import sys
import time
from collections.abc import Iterable
from typing import Any

from salon.rooms.v1 import room_pb2
from salon_client.events import Disconnected, Entered, MediaConnected, MediaLost
from salon_client.gaps import Gap, GapMeter
from salon_client.room import Room
from salon_client.synthetic import ColourTrack, ToneTrack
from salon_client.tracks import Tracks
from salon_common.errors import SalonError

_LOOK_SECONDS = 0.02
_SLOTS = 2
"""Rooms have three people, and each slot has a decoder."""
_TOLD = (Entered, MediaConnected, MediaLost, Disconnected)
_COLOURS = ((200, 40, 40), (40, 160, 60), (40, 80, 200), (210, 190, 40), (140, 50, 170), (40, 170, 180))


class Sizes:
    """A sink that notes how tall each source's pictures are, and when they became so."""

    def __init__(self) -> None:
        self.changes: dict[int, list[tuple[float, int]]] = {}

    def receive_frame(self, source: int, frame: Any) -> None:
        """Note a picture's height where it differs from the one before."""
        height = getattr(frame, "height", None)
        if height is None:
            return
        changes = self.changes.setdefault(source, [])
        if not changes or changes[-1][1] != height:
            changes.append((time.monotonic(), height))


class Member:
    """One participant, and what it received."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.meter = GapMeter(room)
        self.sizes = Sizes()
        room.add_sink(self.sizes)
        self.news: list[tuple[float, str]] = []
        self._reading: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Enter the room and measure from the first packet on."""
        self._reading = asyncio.create_task(self._read())
        await self.room.__aenter__()

    async def leave(self, *, quietly: bool) -> None:
        """Out of the room; quietly is without telling anybody."""
        await (self.room.abandon() if quietly else self.room.leave())
        if self._reading is not None:
            await self._reading

    async def _read(self) -> None:
        async for news in self.room.events():
            if isinstance(news, _TOLD):
                self.news.append((time.monotonic(), str(news)))

    def expected(self) -> Iterable[int]:
        """The sources that should come: all active ones of the others."""
        kinds = (room_pb2.SOURCE_KIND_MICROPHONE, room_pb2.SOURCE_KIND_CAMERA)
        return self.room.state.active_sources(kinds, without=self.room.me)

    def unheard(self, since: float) -> list[str]:
        """Whose expected sources gave no packet and no frame since then."""
        if not any(self.expected()):
            return [] if (self.meter.anything().ended_at or 0) > since else ["anything"]
        late = [
            source
            for source in self.expected()
            if (self.meter.last_packet(source) or 0) <= since or (self.meter.last_frame(source) or 0) <= since
        ]
        return [
            self.room.name_of(owner.participant_id)
            for source in late
            if (owner := self.room.state.owner(source))
        ]

    def report(self) -> dict[str, Any]:
        """Everything the harness asks about."""
        state = self.room.state
        log = state.log
        return {
            "id": self.room.me,
            "node": self.room.node_id,
            "connected": self.room.media.connected,
            "ended": self.room.ended.why if self.room.ended else "",
            "epoch": state.epoch,
            "last_event": state.last_event,
            "contiguous": all(
                after == before + 1 or after - 1 in state.snapshots
                for before, after in itertools.pairwise(log)
            ),
            "snapshots": len(state.snapshots),
            "people": {each.name: int(each.state) for each in state.participants.values()},
            "chat": [each.text for each in state.chat],
            "news": self.news,
            **self._measured(self.meter),
        }

    def _measured(self, meter: GapMeter) -> dict[str, Any]:
        return {
            "anything": _gap(meter.anything()),
            "overlap": meter.overlap(),
            "sources": [
                {
                    "number": source,
                    "owner": self.room.name_of(owner.participant_id),
                    "camera": owner.kind == room_pb2.SOURCE_KIND_CAMERA,
                    "packets": _gap(meter.packets(source)),
                    "frames": _gap(meter.frames(source)),
                    "by_second": meter.frames_by_second(source),
                    "turns": list(meter.frame_turns(source)),
                    "heights": self.sizes.changes.get(source, []),
                }
                for source in self.expected()
                if (owner := self.room.state.owner(source))
            ],
        }


class Program:
    """All members of this process."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}

    async def do_join(
        self, name: str, room: str, secret: str, signaling: list[str], speaks: bool, fps: int
    ) -> dict[str, Any]:
        """Enter a room."""
        number = len(self.members)
        colour = _COLOURS[number % len(_COLOURS)]
        tracks = Tracks(
            microphone=ToneTrack(300.0 + 70 * number) if speaks else None,
            camera=ColourTrack(colour, size=(160, 120), fps=fps) if fps else None,
        )
        joined = Room.join((room, secret), name, tracks=tracks, signaling=signaling, video_slots=_SLOTS)
        member = self.members[name] = Member(joined)
        await member.enter()
        return {"id": member.room.me, "node": member.room.node_id}

    async def do_mark(self) -> float:
        """Start all windows."""
        for member in self.members.values():
            member.meter.mark()
        return time.monotonic()

    async def do_wait_heard(self, since: float, seconds: float, names: list[str]) -> dict[str, list[str]]:
        """Wait until these hear all that they should; whom they lack when the time is over."""
        give_up = time.monotonic() + seconds
        while True:
            late = {name: lack for name in names if (lack := self.members[name].unheard(since))}
            if not late or time.monotonic() > give_up:
                return late
            await asyncio.sleep(_LOOK_SECONDS)  # the interval at which arrivals are looked at

    async def do_wait_people(self, count: int, seconds: float, names: list[str]) -> list[str]:
        """Wait until these see `count` participants present; who does not when the time is over."""

        def complete(room: Room) -> bool:
            present = [
                each
                for each in room.state.participants.values()
                if each.state == room_pb2.PARTICIPANT_STATE_PRESENT
            ]
            return len(present) == count == len(room.state.participants)

        async def wait(name: str) -> str:
            try:
                await self.members[name].room.until(complete, seconds)
            except TimeoutError:
                return name
            return ""

        return [name for name in await asyncio.gather(*map(wait, names)) if name]

    async def do_report(self, names: list[str]) -> dict[str, Any]:
        """What these received."""
        return {name: self.members[name].report() for name in names}

    async def do_say(self, name: str, text: str) -> int:
        """Write to the room, until it is acknowledged."""
        return await self.members[name].room.send_chat(text)

    async def do_silence(self) -> None:
        """All cameras and microphones off."""
        await asyncio.gather(*(member.room.set_sources([]) for member in self.members.values()))

    async def do_leave(self, names: list[str], quietly: bool) -> None:
        """Out of the room."""
        await asyncio.gather(*(self.members.pop(name).leave(quietly=quietly) for name in names))


async def answer(program: Program, request: dict[str, Any]) -> None:
    """Do one request, and print its answer."""
    number, what = request.pop("id"), request.pop("do")
    try:
        said: dict[str, Any] = {"answer": await getattr(program, f"do_{what}")(**request)}
    except (SalonError, TimeoutError) as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps({"id": number, **said}) + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Serve requests until the input ends."""
    logging.basicConfig(level=logging.WARNING)
    program = Program()
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    running: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = asyncio.create_task(answer(program, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    with contextlib.suppress(SalonError):
        await program.do_leave(list(program.members), quietly=True)


def _gap(gap: Gap) -> dict[str, Any]:
    return {"seconds": gap.seconds, "began": gap.began_at, "ended": gap.ended_at}


if __name__ == "__main__":
    asyncio.run(main())
