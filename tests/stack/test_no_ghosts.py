"""Whoever is gone without a word is out of the room within 15 s, whatever went with them."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from salon_client.run.stack import Link, Stack
from support.control_client import ControlClient

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

GHOST_SECONDS = 15


async def wait_until_present(watcher: ControlClient, names: set[str], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while {participant.name for participant in watcher.present.values()} != names:
            await watcher.wait_until_seen(watcher.last + 1, timeout=seconds)


async def native_client(link: Link, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "salon_client", "join", link.url, "--name", name,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def test_a_killed_client_leaves_no_ghost(tmp_path: Path) -> None:
    async with Stack(rooms=2, signaling=2, media=1, directory=tmp_path) as stack:
        link = await stack.create_room("Haunted")
        watcher = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Watcher")
        await watcher.join()
        victim = await native_client(link, "Victim")
        await wait_until_present(watcher, {"Watcher", "Victim"}, 30)
        victim.send_signal(signal.SIGKILL)
        await victim.wait()
        await wait_until_present(watcher, {"Watcher"}, GHOST_SECONDS)
        await watcher.close()


async def test_a_killed_client_and_its_killed_signaling_replica_leave_no_ghost(tmp_path: Path) -> None:
    async with Stack(rooms=2, signaling=2, media=1, directory=tmp_path) as stack:
        link = await stack.create_room("Haunted twice")
        watcher = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Watcher")
        await watcher.join()
        victims = [
            ControlClient(stack.signaling_grpc[:1], link.room_id, link.secret, "First"),
            ControlClient(stack.signaling_grpc[:1], link.room_id, link.secret, "Second"),
        ]
        for victim in victims:
            await victim.join()
        await wait_until_present(watcher, {"Watcher", "First", "Second"}, 10)
        await stack.kill("signaling-1")
        for victim in victims:
            await victim.close()
        await wait_until_present(watcher, {"Watcher"}, GHOST_SECONDS)
        await watcher.close()
