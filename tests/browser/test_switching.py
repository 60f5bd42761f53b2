"""100 random source switches in slots: no presented frame has the colour of anybody but the tile's name."""

import random
from pathlib import Path

import pytest
from salon_client.run.stack import Stack
from support.pages import Participant, participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

SWITCHES = 100
WATCHER, *SENDERS = PEOPLE[:4]
COLOURS = {person.name: list(person.colour) for person in SENDERS}

# One tile is asked for at a time, so that the slots that are free take other sources at almost every turn.
SWITCH = """
([name]) => {
  const room = window.__salon;
  const tile = room.tiles.find((tile) => tile.name === name);
  room.requestTiles([{ participantId: tile.participantId, kind: "camera", height: 180 }]);
}
"""
SHOWN = """
([name]) => {
  const tile = window.__salon.tiles.find((tile) => tile.name === name);
  return tile && !tile.covered ? tile.slot : null;
}
"""


async def test_no_face_stands_over_another_name(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with (
        Stack(rooms=1, signaling=1, media=1, directory=tmp_path / "stack") as stack,
        participants(PEOPLE[:4], tmp_path) as pages,
    ):
        link = await stack.create_room("Switching")
        for page in pages:
            await page.join(link.url)
        watcher = pages[0]
        await until("the watcher sees all", lambda: sees_all(watcher), 40)
        await watcher.page.evaluate("(colours) => salonMeasure.expect(colours)", COLOURS)

        shown: list[tuple[int, str]] = []
        current = ""
        for _ in range(SWITCHES):
            current = chance.choice([name for name in COLOURS if name != current])
            shown.append((await switch_to(watcher, current), current))

        presented = await watcher.page.evaluate("salonMeasure.presented()")
        assert presented["wrong"] == []
        assert presented["total"] >= SWITCHES
        assert slots_reused(shown) > SWITCHES // 2, "the slots really changed their sources"


async def sees_all(page: Participant) -> bool:
    return await page.tiles() == {name: name for name in COLOURS}


async def switch_to(page: Participant, name: str) -> int:
    """Ask for one tile alone, and wait until a frame of it is presented uncovered; answers its slot."""
    before = await page.page.evaluate("salonMeasure.presented().total")
    await page.page.evaluate(SWITCH, [name])

    async def is_shown() -> bool:
        slot = await page.page.evaluate(SHOWN, [name])
        return slot is not None and await page.page.evaluate("salonMeasure.presented().total") > before + 2

    await until(f"{name} is shown", is_shown)
    return int(await page.page.evaluate(SHOWN, [name]))


def slots_reused(shown: list[tuple[int, str]]) -> int:
    """How often a slot showed another source than the last that it showed."""
    last: dict[int, str] = {}
    changes = 0
    for slot, name in shown:
        changes += last.get(slot, name) != name
        last[slot] = name
    return changes
