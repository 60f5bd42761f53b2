"""What docs/deploying.md tells an operator to do first, done so: make a room, let people in by its link, look at the nodes."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from cluster.installation import MEDIA, SALON, Installation, say
from support.native import Native
from support.pages import participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.cluster, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

SEEN_SECONDS = 20.0


async def salon(*args: str, **settings: str) -> Any:
    """What the command line prints as JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "salon_client", *args, "--json"),
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    return json.loads(said)


async def test_page_and_native_client_meet_by_a_link(installation: Installation, tmp_path: Path) -> None:
    key = tmp_path / "app.pem"
    key.write_text(await installation.secret("salon-demo-app", "app.pem"))
    site = f"http://{await installation.node_port('web-public')}"
    link = (await salon("room", "create", "--site", site, "--app-key", str(key)))["link"]
    at_page, at_native = PEOPLE[:2]
    async with (
        # A page may use camera and microphone on localhost.
        installation.kubectl.forward(SALON, "deployment/web", 8080) as port,
        participants([at_page], tmp_path) as (page,),
        Native.join(link, at_native) as native,
    ):
        await page.join(link.replace(site, f"http://localhost:{port}"))
        await until("the page is seen", lambda: native.sees({at_page.name}), SEEN_SECONDS)
        await until("the page is heard", lambda: native.hears({at_page.name: at_page.tone}), SEEN_SECONDS)

        async def seen() -> bool:
            return await page.tiles() == {at_native.name: at_native.name}

        async def heard() -> bool:
            return await page.heard() == {at_native.name}

        await until("the page sees", seen, SEEN_SECONDS)
        await until("the page hears", heard, SEEN_SECONDS)
        say("a page and a native client see each other's colours and hear each other's tones")


async def test_nodes_are_listed_from_outside(installation: Installation, tmp_path: Path) -> None:
    password = tmp_path / "operator.password"
    password.write_text(await installation.secret("salon-nats", "operator"))
    async with installation.kubectl.forward(SALON, "service/nats", 4222) as port:
        nodes = await salon(
            "nodes",
            SALON_NATS_URL=f"nats://localhost:{port}",
            SALON_NATS_USER="operator",
            SALON_NATS_PASSWORD_FILE=str(password),
            SALON_REGION="local",
        )
    pods = {pod["metadata"]["name"] for pod in await installation.pods_of(MEDIA, "deployment/media")}
    assert {node["node"] for node in nodes if node["health"] == "alive"} == pods
