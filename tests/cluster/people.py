"""People outside the cluster: rooms of native participants, in a process of their own, that come in by the public address."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from faults.crowd import Members, Native, NativeCrowd, Seat, join_native
from salon_client.api import SignalingApi
from salon_client.link import Link
from salon_client.run.apps import DEMO_APP
from salon_common.ids import RoomId
from salon_common.tokens import sign_app_token

NAMES = ("Ada", "Bob", "Eve")
ALL_SEND = Seat(speaks=True)
_HEARD_SECONDS = 20.0
_CHAT_SECONDS = 0.3


@dataclass(frozen=True)
class Party:
    """One room and its people, who see and hear each other."""

    link: Link
    members: Members

    @property
    def nodes(self) -> set[str]:
        """Where they were placed when they joined."""
        return {native.node for native in self.members.natives}

    async def are_together(self) -> None:
        """Wait until everybody hears and sees everybody else from now on."""
        since = await self.members.mark()
        lacking = await self.members.wait_heard(since, _HEARD_SECONDS)
        assert not lacking, f"they do not hear or see: {lacking}"

    async def report(self) -> dict[str, Any]:
        """What each received since the mark, by name."""
        return dict(await self.members.report())


class Host:
    """Somebody whom the demo app vouches for, and who makes rooms."""

    def __init__(self, grpc_address: str, crowd: NativeCrowd, app_key: str) -> None:
        self._grpc_address = grpc_address
        self._crowd = crowd
        self._app_key = app_key
        self._rooms = 0

    @asynccontextmanager
    async def party(self, count: int = len(NAMES)) -> AsyncIterator[Party]:
        """A new room in which so many people see and hear each other; left with the block."""
        self._rooms += 1
        async with SignalingApi([self._grpc_address]) as api:
            made = await api.create_room(self._app_token(), f"Room {self._rooms}")
        link = Link("", RoomId(made.room.id), made.invite_secret)
        names = [f"{name} {self._rooms}" for name in NAMES[:count]]
        natives = await asyncio.gather(*(self._join(link, name) for name in names))
        party = Party(link, Members(natives))
        try:
            await party.are_together()
            yield party
        finally:
            await party.members.leave()

    def _app_token(self) -> str:
        nonce = secrets.token_hex(16)
        return sign_app_token(self._app_key, DEMO_APP, f"host-{nonce}", "Host", time.time(), nonce)

    async def preview(self, room_id: str, secret: str) -> None:
        """Look at a link. Raises SalonError."""
        async with SignalingApi([self._grpc_address]) as api:
            await api.preview_room(room_id, secret)

    async def _join(self, link: Link, name: str) -> Native:
        return await join_native(self._crowd, link, name, [self._grpc_address], ALL_SEND)


@asynccontextmanager
async def talking(parties: Sequence[Party]) -> AsyncIterator[list[list[str]]]:
    """Somebody in each room writes all the time; yields what was acknowledged, by room."""
    told: list[list[str]] = [[] for _ in parties]
    over = asyncio.Event()

    async def talk(party: Party, acknowledged: list[str]) -> None:
        speaker = party.members.natives[0]
        while not over.is_set():
            text = f"message {len(acknowledged)}"
            await speaker.process.call("say", name=speaker.name, text=text)
            acknowledged.append(text)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _CHAT_SECONDS)

    async with asyncio.TaskGroup() as group:
        for each in zip(parties, told, strict=True):
            group.create_task(talk(*each))
        try:
            yield told
        finally:
            over.set()


async def nobody_was_lost(parties: Sequence[Party], ids: Sequence[dict[str, str]]) -> None:
    """All are whom they were, in their rooms, and were never without a node."""
    for party, before in zip(parties, ids, strict=True):
        for name, report in (await party.report()).items():
            assert not report["ended"], f"{name} is out of the room: {report['ended']}"
            assert report["id"] == before[name], f"{name} had to enter anew"
            assert report["connected"], f"{name} has no media"
            lost = [what for _, what in report["news"] if what.startswith("MediaLost")]
            assert not lost, f"{name}: {lost}"
            assert report["contiguous"], f"{name} missed events of the room"


async def ids_of(parties: Sequence[Party]) -> list[dict[str, str]]:
    """Each room's people, by name."""
    return [{name: report["id"] for name, report in (await party.report()).items()} for party in parties]


async def worst_gaps(parties: Sequence[Party]) -> dict[str, float]:
    """The longest time since the mark that anybody saw or heard nothing of somebody, in seconds."""
    gaps = {"picture": 0.0, "sound": 0.0}
    for party in parties:
        for report in (await party.report()).values():
            for source in report["sources"]:
                kind = "picture" if source["camera"] else "sound"
                gaps[kind] = max(gaps[kind], source["frames"]["seconds"])
    return gaps
