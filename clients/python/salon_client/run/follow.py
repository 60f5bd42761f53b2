"""Shows the logs of all parts in one stream, each line behind its part's name in a colour of its own."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import typer

_POLL_SECONDS = 0.2
_COLOURS = ("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_green", "bright_magenta")
_CHUNK_BYTES = 256 * 1024


class LogTail:
    """The lines that are added to one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def new_lines(self) -> list[str]:
        """Whole lines since the last call; a half one waits for its end."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(_CHUNK_BYTES)
        # A line longer than a chunk is shown in pieces.
        end = data.rfind(b"\n") + 1 or (len(data) if len(data) == _CHUNK_BYTES else 0)
        self._offset += end
        return data[:end].decode(errors="replace").splitlines()


async def follow_logs(paths: Mapping[str, Path]) -> None:
    """Print lines as they come, until cancelled."""
    tails = {name: LogTail(path) for name, path in paths.items()}
    width = max(map(len, tails), default=0)
    while True:
        for index, (name, tail) in enumerate(tails.items()):
            prefix = typer.style(f"{name:<{width}} |", fg=_COLOURS[index % len(_COLOURS)])
            for line in tail.new_lines():
                typer.echo(f"{prefix} {line}", err=True)
        await asyncio.sleep(_POLL_SECONDS)
