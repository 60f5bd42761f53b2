"""`salon run` as a person starts it, and how it ends."""

import asyncio
import json
import re
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.stack]

LINK = re.compile(r"http://localhost:(\d+)/r/\S+#[\w-]{22}")


class Run:
    """A `salon run` process."""

    def __init__(self, process: asyncio.subprocess.Process, output: str) -> None:
        self.process = process
        self.output = output
        self.children = psutil.Process(process.pid).children(recursive=True)

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode

    async def nothing_is_left(self) -> None:
        gone, alive = await asyncio.to_thread(psutil.wait_procs, self.children, 10)
        assert not alive, [each.cmdline() for each in alive]
        assert len(gone) == 7


@asynccontextmanager
async def salon_run(directory: Path) -> AsyncIterator[Run]:
    process = await start(directory)
    assert process.stdout is not None
    output = ""
    try:
        async with asyncio.timeout(60):
            while "Ctrl-C" not in output:
                line = await process.stdout.readline()
                assert line, "ended early"
                output += line.decode()
        yield Run(process, output)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def start(directory: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "salon_client", "run", "--port", "0", "--directory", str(directory)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_prints_a_link_and_stops_in_order(tmp_path: Path) -> None:
    async with salon_run(tmp_path) as run:
        link = LINK.search(run.output)
        assert link is not None
        await check_site(f"http://localhost:{link[1]}", link[0])
        await check_second_run_is_refused(tmp_path)
        assert await run.end(signal.SIGINT) == 0
        await run.nothing_is_left()


async def check_site(origin: str, link: str) -> None:
    config = json.loads(await fetch(f"{origin}/config.json"))
    assert len(config["signaling"]) == len(config["grpc"]) == 2
    assert json.loads(await fetch(f"{origin}/demo/token?name=Ada"))["token"].count(".") == 2
    assert b"<html" in (await fetch(link)).lower()


async def check_second_run_is_refused(directory: Path) -> None:
    second = await start(directory)
    _, said = await second.communicate()
    assert second.returncode == 1
    assert "another run uses" in said.decode()


async def test_restarts_what_crashes_and_leaves_nothing_when_killed(tmp_path: Path) -> None:
    async with salon_run(tmp_path) as run:
        victim = next(each for each in run.children if "salon_rooms" in " ".join(each.cmdline()))
        victim.kill()
        assert run.process.stderr is not None
        said = ""
        async with asyncio.timeout(60):
            while "was started again" not in said:
                said += (await run.process.stderr.readline()).decode()
        assert re.search(r"rooms-\d ended with exit code -9", said)
        run.children = psutil.Process(run.process.pid).children(recursive=True)
        await run.end(signal.SIGKILL)
        await run.nothing_is_left()


async def fetch(url: str) -> bytes:
    def read() -> bytes:
        with urllib.request.urlopen(url, timeout=10) as answer:
            body: Any = answer.read()
            return bytes(body)

    return await asyncio.to_thread(read)
