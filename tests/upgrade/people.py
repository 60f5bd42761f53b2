"""People who are in a room throughout: they see, hear and write, and what they missed is asked in the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from rooms.region import until
from salon.rooms.v1 import room_pb2
from salon_client.events import Ended, Entered, MediaLost, Replaced, RoomNews
from salon_client.gaps import GapMeter
from salon_client.room import Room
from salon_client.run.stack import Link, Stack
from salon_client.synthetic import COLOURS, ColourTrack, ToneTrack
from salon_client.tracks import Tracks

TOGETHER_SECONDS = 30.0
NAMES = ("Ada", "Bob", "Eve")


class Person:
    """One of them, who is in."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.meter = GapMeter(room)
        self.written: list[str] = []
        """What was acknowledged."""
        self.read: list[str] = []
        """Every message seen, in order."""
        self.bad_news: list[RoomNews] = []
        """What nobody should be told during an upgrade."""
        self._me = room.me
        self._news = room.events()

    async def listen(self) -> None:
        """Take the news, until cancelled."""
        async for said in self._news:
            if isinstance(said, room_pb2.Event):
                self.read += [said.chat.text] if said.HasField("chat") else []
            elif self._is_bad(said):
                self.bad_news.append(said)

    def _is_bad(self, said: RoomNews) -> bool:
        """Whether the media, the place or the history was lost."""
        if isinstance(said, Entered):
            return said.participant_id != self._me
        return isinstance(said, MediaLost | Replaced | Ended)

    async def write(self, text: str) -> None:
        """Until it is acknowledged."""
        await self.room.send_chat(text)
        self.written.append(text)

    @property
    def others(self) -> list[int]:
        """Everybody else's sources."""
        return [each for each in self.meter.sources if self.room.state.owner(each) is not None]

    def receives(self, people: int, since: float) -> bool:
        """Whether microphone and camera of all others have come since."""
        return sum((self.meter.last_packet(each) or 0) > since for each in self.others) >= 2 * (people - 1)

    def longest_gap(self) -> float:
        """Seconds without anything of one of the others, at worst."""
        return max(self.meter.packets(each).seconds for each in self.others)


@asynccontextmanager
async def gathered(stack: Stack, link: Link) -> AsyncIterator[list[Person]]:
    """Three people who receive each other."""
    async with AsyncExitStack() as exits:
        people = []
        for number, name in enumerate(NAMES):
            camera = ColourTrack(list(COLOURS.values())[number], size=(160, 120), fps=5)
            tracks = Tracks(microphone=ToneTrack(440 * (number + 1)), camera=camera)
            room = Room.join(link, name, tracks=tracks, signaling=stack.signaling_grpc)
            people.append(Person(await exits.enter_async_context(room)))
        await all_receive(people, 0.0)
        listening = [asyncio.create_task(person.listen()) for person in people]
        for person in people:
            person.meter.mark()
        yield people
        for task in listening:
            task.cancel()


async def all_receive(people: Sequence[Person], since: float | None = None) -> None:
    """Wait until everybody receives everybody, from now on."""
    began = time.monotonic() if since is None else since
    await until(lambda: all(person.receives(len(people), began) for person in people), TOGETHER_SECONDS)


async def all_read(people: Sequence[Person], text: str) -> None:
    """Wait until everybody has read a message."""
    await until(lambda: all(text in person.read for person in people), TOGETHER_SECONDS)


async def talk(people: Sequence[Person], stop: asyncio.Event) -> None:
    """Write all the time, in turn."""
    number = 0
    while not stop.is_set():
        await people[number % len(people)].write(f"message {number}")
        number += 1
        await asyncio.sleep(0.1)  # the pace of the conversation
