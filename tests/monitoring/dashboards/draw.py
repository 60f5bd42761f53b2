"""Plays the short day and draws every dashboard: `python draw.py DIRECTORY`."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from dashboards.boards import BOARDS
from monitoring.dashboards.pictures import draw
from monitoring.dashboards.reading import Window, ask_annotation, ask_board
from monitoring.dashboards.show import BUSY, Show, played

_BEFORE_SECONDS = 5
_PAUSE_SECONDS = 20.0


async def draw_all(show: Show, directory: Path) -> None:
    """A picture of each dashboard, of the busy region and the node that was drained."""
    window = Window(show.story.began - _BEFORE_SECONDS, time.time())
    chosen = {"region": BUSY, "node": show.story.drained}
    for name, board in BOARDS.items():
        readings = await ask_board(show.server, board, chosen, window)
        events = [
            (annotation.colour, series)
            for annotation in board.annotations
            for series in await ask_annotation(show.server, annotation, chosen, window)
        ]
        draw(board, readings, events, window, directory / f"{name}.png")


async def main(directory: Path) -> None:
    """All of it, into a directory that is there."""
    with tempfile.TemporaryDirectory(prefix="salon-dashboards-") as place:
        async with played(Path(place), pause=_PAUSE_SECONDS) as show:
            await draw_all(show, directory)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
