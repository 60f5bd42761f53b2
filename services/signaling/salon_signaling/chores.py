"""Work that outlives the call that began it: giving a place back when the caller is gone."""

import asyncio
from collections.abc import Coroutine


class Chores:
    """Tasks that are kept until they are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Do it beside everything else. It handles its own errors."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until all are done."""
        while self._tasks:
            await asyncio.wait(self._tasks)
