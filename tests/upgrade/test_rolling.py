"""Every part of Salon is restarted, one after the other, by SIGTERM, as a rollout does it, while people talk.

From the release before this one to this one, and back: nobody is put out, no acknowledged message is lost, media moves
before its node ends.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from salon_client.run.stack import Stack
from upgrade.people import Person, all_read, all_receive, gathered, talk
from upgrade.releases import SAYS, THIS, Settings, previous

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

CONTROL = ("rooms-1", "rooms-2", "signaling-1", "signaling-2")
MEDIA = ("media-1", "media-2")
GRACE_SECONDS = 40.0
MISSED_SECONDS = 2.0
"""Of one other's media, at worst: all of it shares this machine, so this is no measurement (docs/decisions/0004)."""


class Rollout:
    """A stack whose parts can be started again as another release."""

    def __init__(self, stack: Stack, rooms: Settings, signaling: Settings, before: Settings) -> None:
        self.stack = stack
        self.before = before
        self._of_kind = {"rooms": rooms, "signaling": signaling}

    async def roll(self, release: Settings) -> None:
        """Restart all of the control plane."""
        for name in CONTROL:
            settings = self._of_kind[name.partition("-")[0]]
            settings.clear()
            settings.update(release)
            await self.restart(name)

    async def restart(self, name: str) -> None:
        """What a rollout does to one pod: the new one is told of when it is ready."""
        await self.stack.terminate(name, GRACE_SECONDS)
        await self.stack.start(name)

    def starts(self, name: str, release: Settings) -> int:
        """How often a part said that it is of a release."""
        directory = release["PYTHONPATH"].partition(":")[0]
        return self.stack.log_path(name).read_text().count(SAYS + directory)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rollout(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rollout]:
    before = previous(tmp_path_factory.mktemp("before"))
    rooms, signaling = dict(before), dict(before)
    settings = {"rooms": rooms, "signaling": signaling, "media": {"SALON_MEDIA_DRAIN_SECONDS": "30"}}
    directory: Path = tmp_path_factory.mktemp("stack")
    async with Stack(directory=directory, web=False, settings=settings) as stack:
        yield Rollout(stack, rooms, signaling, before)


def check(people: list[Person]) -> None:
    """Nobody has lost anything."""
    written = [text for person in people for text in person.written]
    for person in people:
        assert person.bad_news == []
        assert sorted(person.read) == sorted(written), "every message once, and no other"
        assert person.read == people[0].read, "in the same order for all"
        assert person.longest_gap() < MISSED_SECONDS


@asynccontextmanager
async def conversation(stack: Stack, title: str) -> AsyncIterator[list[Person]]:
    """People who talk in a room throughout; who have lost nothing at its end."""
    link = await stack.create_room(title)
    async with gathered(stack, link) as people:
        enough = asyncio.Event()
        talking = asyncio.create_task(talk(people, enough))
        yield people
        enough.set()
        await talking
        await people[0].write("the end")
        await all_read(people, "the end")
        check(people)


async def test_upgrade_and_rollback_of_the_control_plane_under_live_rooms(rollout: Rollout) -> None:
    stack = rollout.stack
    assert all(rollout.starts(name, rollout.before) == 1 for name in CONTROL), (
        "it begins as the release before"
    )
    async with conversation(stack, "Upgraded") as people:
        await rollout.roll(THIS)
        assert all(rollout.starts(name, rollout.before) == 1 for name in CONTROL), (
            "none is of the release before now"
        )
        await all_receive(people)
        await rollout.roll(rollout.before)
        assert all(rollout.starts(name, rollout.before) == 2 for name in CONTROL)
        await all_receive(people)
    assert len(people[0].read) > 8, "they talked throughout"


async def test_media_nodes_are_emptied_before_they_end(rollout: Rollout) -> None:
    stack = rollout.stack
    async with conversation(stack, "Moved") as people:
        served = people[0].room.node_id
        for name in sorted(MEDIA, key=lambda name: name != served):
            await rollout.restart(name)
            await all_receive(people)
    assert {person.room.node_id for person in people} == {served}, "there and back"
    for name in MEDIA:
        log = stack.log_path(name).read_text()
        assert "drained" in log
        assert "ended before everything was drained" not in log
