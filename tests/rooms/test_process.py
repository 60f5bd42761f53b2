"""The service as a process: ready only with NATS, ended in order."""

import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from salon.rooms.v1 import presence_pb2
from salon_common import nats
from support.nats_server import NatsServer

pytestmark = pytest.mark.stack


@asynccontextmanager
async def rooms_process(**settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {**os.environ, **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "salon_rooms",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def ready(process: asyncio.subprocess.Process) -> dict[str, int | bool]:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        answer: dict[str, int | bool] = json.loads(await process.stdout.readline())
    return answer


async def test_it_gets_ready_shows_its_metrics_and_ends_in_order(nats_server: NatsServer) -> None:
    async with rooms_process(SALON_ROOMS_REPLICA_ID="r1", **nats_server.settings("rooms")) as process:
        announced = await ready(process)
        assert announced["ready"] is True
        port = int(announced["health"])
        status, text = await asyncio.to_thread(fetch, port, "/readyz")
        assert (status, json.loads(text)) == (
            200,
            {"ready": True, "checks": {"started": True}, "information": {"nats": True}},
        )
        _, metrics = await asyncio.to_thread(fetch, port, "/metrics")
        assert "salon_rooms_writers" in metrics
        process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_prometheus_is_told_of_the_media_nodes(nats_server: NatsServer) -> None:
    nc = await nats.connect(nats_server.access("media"), name="n1.b1")
    beat = presence_pb2.NodeHeartbeat(
        node_id="n1", boot_id="b1", region="local", sequence=1, metrics_address="192.0.2.1:40007"
    )
    async with rooms_process(SALON_ROOMS_REPLICA_ID="r1", **nats_server.settings("rooms")) as process:
        port = int((await ready(process))["health"])
        assert await asyncio.to_thread(fetch, port, "/sd/media") == (200, "[]")
        await nc.publish("beat.local.media.n1", beat.SerializeToString())
        target = {"targets": ["192.0.2.1:40007"], "labels": {"node": "n1", "region": "local"}}
        async with asyncio.timeout(10):
            while (told := await asyncio.to_thread(fetch, port, "/sd/media")) == (200, "[]"):
                pass
        assert (told[0], json.loads(told[1])) == (200, [target])
    await nc.close()


async def test_it_waits_for_nats_once_and_can_be_stopped_meanwhile() -> None:
    server = NatsServer()
    login = server.settings("rooms")
    server.kill()
    async with (
        rooms_process(SALON_ROOMS_REPLICA_ID="r1", **login) as waiting,
        rooms_process(SALON_ROOMS_REPLICA_ID="r2", **login) as stopped,
    ):
        assert stopped.stderr is not None
        async with asyncio.timeout(20):
            assert b"NATS" in await stopped.stderr.readline()
        stopped.terminate()
        async with asyncio.timeout(10):
            assert await stopped.wait() == 0
        server.start()
        port = int((await ready(waiting))["health"])
        server.kill()
        async with asyncio.timeout(20):
            while (told := json.loads((await asyncio.to_thread(fetch, port, "/readyz"))[1]))["information"][
                "nats"
            ]:
                pass
        assert told["ready"], "once started, it stays ready: all replicas lose NATS together"
        waiting.terminate()
        async with asyncio.timeout(10):
            assert await waiting.wait() == 0
    server.stop()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"REPLICA_ID": "Not A Name"}, "SALON_ROOMS_REPLICA_ID: "),
        ({"LINK_KEY_FILE": "/nowhere"}, "SALON_ROOMS_LINK_KEY_FILE: cannot read /nowhere"),
        ({"NATS_USER": "rooms"}, "SALON_ROOMS_NATS_PASSWORD_FILE: user and password file go together"),
        (
            {"NATS_USER": "rooms", "NATS_PASSWORD_FILE": "/nowhere"},
            "SALON_ROOMS_NATS_PASSWORD_FILE: cannot use /nowhere: No such file",
        ),
        (
            {"NATS_URL": "tls://127.0.0.1:1", "NATS_CA_FILE": "/nowhere"},
            "SALON_ROOMS_NATS_CA_FILE: cannot use /nowhere: No such file",
        ),
        ({"HEALTH_SOCKET": "/nowhere/health.sock"}, "health: cannot listen on /nowhere/health.sock"),
    ],
)
async def test_bad_settings_are_named_in_one_line(settings: dict[str, str], said: str) -> None:
    given = {f"SALON_ROOMS_{name}": value for name, value in ({"REPLICA_ID": "r1"} | settings).items()}
    async with rooms_process(**given) as process:
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert said in errors.decode()
        assert errors.count(b"\n") == 1
