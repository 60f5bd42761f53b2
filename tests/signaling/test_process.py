"""The process itself: alive and not ready until NATS was there once, and told to stop even then."""

import asyncio
import json
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from salon_client.run.apps import ensure_keys
from signaling.world import World
from support.nats_server import NatsServer, free_port

pytestmark = pytest.mark.stack


def ask(port: int, path: str) -> int:
    """The status of a page of the health port; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


async def test_without_nats_the_process_is_alive_not_ready_and_ends_when_told(tmp_path: Path) -> None:
    health, nowhere = free_port(), free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "salon_signaling"),
        env={
            "SALON_SIGNALING_REPLICA_ID": "signaling-1",
            "SALON_SIGNALING_NATS_URL": f"nats://127.0.0.1:{nowhere}",
            "SALON_SIGNALING_HEALTH_BIND": f"127.0.0.1:{health}",
            "SALON_SIGNALING_SESSION_KEY_FILE": str(ensure_keys(tmp_path).session_key),
        },
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while await asyncio.to_thread(ask, health, "/livez") != 200:  # noqa: ASYNC110 - its start has no event here
                await asyncio.sleep(0.05)
        assert await asyncio.to_thread(ask, health, "/readyz") == 503
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_once_started_it_stays_ready_while_nats_is_away(world: World, server: NatsServer) -> None:
    replica = await world.replica(1)
    url = f"http://127.0.0.1:{replica.ports['health']}/readyz"
    server.kill()

    def look() -> tuple[int, dict[str, Any]]:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status, json.load(answer)

    async with asyncio.timeout(20):
        while (told := await asyncio.to_thread(look))[1]["information"]["nats"]:
            pass
    assert (told[0], told[1]["ready"]) == (200, True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"WEB_BIND": "8080"}, "SALON_SIGNALING_WEB_BIND: must be host:port"),
        ({"SESSION_KEY_FILE": "/nowhere"}, "/nowhere"),
        (
            {"NATS_USER": "signaling", "NATS_PASSWORD_FILE": "/nowhere"},
            "SALON_SIGNALING_NATS_PASSWORD_FILE: cannot use /nowhere: No such file",
        ),
        ({"NATS_URL": "nats://a:b@127.0.0.1:1"}, "SALON_SIGNALING_NATS_URL: must name no user"),
    ],
)
async def test_bad_settings_are_named_in_one_line(
    server: NatsServer, tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    given = {
        "REPLICA_ID": "signaling-1",
        "SESSION_KEY_FILE": str(ensure_keys(tmp_path).session_key),
    } | settings
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "salon_signaling"),
        env=server.settings("signaling")
        | {f"SALON_SIGNALING_{name}": value for name, value in given.items()},
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert said in errors.decode()
    assert errors.count(b"\n") == 1
