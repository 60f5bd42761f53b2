"""A native participant with a colour and a tone, and what it sees, hears and reads of the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from salon_client.core.room_state import RoomState
from salon_client.probe import Probe
from salon_client.room import Room
from salon_client.synthetic import ColourTrack, ToneTrack
from salon_client.tracks import Tracks
from support.synthetic_media import Person, nearest


class Native:
    """One person at the Python client."""

    def __init__(self, room: Room, person: Person) -> None:
        self.room = room
        self.person = person
        self._probe = Probe()
        self._heard: set[str] = set()
        room.add_sink(self._probe)

    @classmethod
    @asynccontextmanager
    async def join(cls, url: str, person: Person) -> AsyncIterator["Native"]:
        """Enter, with picture and sound."""
        tracks = Tracks(microphone=ToneTrack(person.tone), camera=ColourTrack(person.colour))
        async with Room.join(url, person.name, tracks=tracks) as room:
            yield cls(room, person)

    @property
    def state(self) -> RoomState:
        """The room as this client knows it."""
        return self.room.state

    async def sees(self, names: set[str]) -> bool:
        """Whether pictures of exactly these are decoded, each in its person's colour."""
        seen = {
            report.name: report.colour for report in self._probe.report(self.state).values() if report.colour
        }
        return set(seen) == names and all(nearest(colour).name == name for name, colour in seen.items())

    async def hears(self, people: dict[str, float]) -> bool:
        """Whether each of these (name → hertz) has been heard by now, under the right name."""
        for report in self._probe.report(self.state).values():
            if (
                report.tone is not None
                and report.name in people
                and abs(report.tone - people[report.name]) < 10
            ):
                self._heard.add(report.name)
        return self._heard == set(people)

    async def read(self, texts: list[str]) -> bool:
        """Whether exactly these messages were read, in this order."""
        return [message.text for message in self.state.chat] == texts

    async def say(self, text: str) -> None:
        """Write to everybody."""
        await self.room.send_chat(text)

    async def leave(self) -> None:
        """Leave the room."""
        await asyncio.wait_for(self.room.leave(), 5)
