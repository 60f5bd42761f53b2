"""The process that orders scale-ins, on a real NATS as the user that it is in a cluster, beside real rooms."""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from nats.aio.client import Client
from rooms.region import Region, region, until
from rooms.test_process import fetch, ready
from salon_rooms.scaling.pods import COST
from support.kubernetes_api import KubernetesApi, kubernetes_api, listed, make_account
from support.nats_server import NatsServer

pytestmark = pytest.mark.stack

PEOPLE = 9


def written(api: KubernetesApi) -> dict[str, str]:
    """The last cost of each pod."""
    costs = {}
    for asked in api.asked:
        if asked.method == "PATCH":
            costs[asked.path.rpartition("/")[2]] = asked.body["metadata"]["annotations"][COST]
    return costs


def settings(here: Region, server: NatsServer, api: KubernetesApi, account: Path) -> dict[str, str]:
    access = server.access("operator")
    assert access.user is not None
    return {
        "SALON_SCALER_REGION": here.name,
        "SALON_SCALER_NATS_URL": access.url,
        "SALON_SCALER_NATS_USER": access.user,
        "SALON_SCALER_NATS_PASSWORD_FILE": str(access.password_file),
        "SALON_SCALER_API_URL": api.url,
        "SALON_SCALER_SERVICE_ACCOUNT": str(account),
        "SALON_SCALER_SECONDS": "1",
    }


async def test_costs_are_the_people_of_each_node(nc: Client, nats_server: NatsServer, tmp_path: Path) -> None:
    async with (
        region(nc, nats_server.access("rooms")) as here,
        here.replica("r1"),
        kubernetes_api() as api,
    ):
        api.answer = {"items": [listed("n1"), listed("n2"), listed("n3")]}
        made = [await here.create() for _ in range(3)]
        joined = [await here.join(made[number % 3], f"P{number}") for number in range(PEOPLE)]
        people = Counter(each.participant.place.node_id for each in joined)
        environment = settings(here, nats_server, api, make_account(tmp_path, "token"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "salon_rooms.scaling"),
            env=os.environ | environment,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            port = int((await ready(process))["health"])
            assert (await asyncio.to_thread(fetch, port, "/readyz"))[0] == 200
            wanted = {node: str(count) for node, count in people.items()}
            await until(lambda: written(api) == wanted)
            process.terminate()
            async with asyncio.timeout(10):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
