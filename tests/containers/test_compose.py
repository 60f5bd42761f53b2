"""compose.yaml as it stands: one page through the web container and one native client see and hear each other."""

import asyncio
import json
import secrets
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from containers.engine import compose
from salon_client.api import SignalingApi
from salon_client.link import Link
from salon_client.run.apps import DEMO_APP
from salon_common.ids import RoomId
from salon_common.tokens import sign_app_token
from support.native import Native
from support.pages import participants, until
from support.synthetic_media import PEOPLE

pytestmark = [pytest.mark.images, pytest.mark.timeout(400)]

SITE = "http://localhost:8080"
PROMETHEUS = "http://localhost:9091"
SECRETS = {
    "rooms": {"password", "link.key"},
    "signaling": {"password", "session.keys", "apps.json"},
    "media": {"password"},
}


@asynccontextmanager
async def one_machine() -> AsyncIterator[str]:
    """The machine's containers, healthy; the private key of its demo app."""
    await asyncio.to_thread(compose, "down", "--volumes")
    try:
        await asyncio.to_thread(compose, "up", "--detach")
        for name in SECRETS:
            await until(f"{name} is healthy", lambda name=name: is_healthy(name), 60)
        show = ("run", "--rm", "--entrypoint", "cat", "keys", "/secrets/salon/salon-demo-app/app.pem")
        yield await asyncio.to_thread(compose, *show)
    except Exception:
        print(await asyncio.to_thread(compose, "logs", "--no-color", "--tail=40"))
        raise
    finally:
        await asyncio.to_thread(compose, "down", "--volumes")


async def is_healthy(name: str) -> bool:
    return "(healthy)" in await asyncio.to_thread(compose, "ps", name)


async def test_people_meet_over_one_machines_containers(tmp_path: Path) -> None:
    async with one_machine() as app_key:
        link = await make_room(app_key)
        await page_and_native_meet(link, tmp_path)
        await until("Prometheus has its targets", everything_is_scraped, 60)
        for name, files in SECRETS.items():
            assert await secrets_of(name) == files
        # A second `up` changes nothing, secrets least of all: links and tokens go on working.
        await asyncio.to_thread(compose, "up", "--detach")
        async with SignalingApi(["localhost:9090"]) as api:
            assert (await api.preview_room(str(link.room_id), link.secret)).room.title == "Containers"


async def page_and_native_meet(link: Link, directory: Path) -> None:
    """The page's calls and its stream go through the web server, and no header of it is in their way."""
    page_person, native_person = PEOPLE[:2]
    async with (
        participants([page_person], directory) as [page],
        Native.join(link.url, native_person) as native,
    ):
        await page.join(link.url)
        await until("the native client sees the page", lambda: native.sees({page_person.name}))
        await until("it hears the page", lambda: native.hears({page_person.name: page_person.tone}))

        async def sees_native() -> bool:
            return await page.tiles() == {native_person.name: native_person.name}

        await until("the page sees the native client", sees_native)
        assert [message for message in page.messages if message.startswith(("error", "pageerror"))] == []


async def secrets_of(name: str) -> set[str]:
    """What a container can read of secrets."""
    return set((await asyncio.to_thread(compose, "exec", "-T", name, "ls", "-A", "/etc/salon")).split())


async def make_room(app_key: str) -> Link:
    token = sign_app_token(app_key, DEMO_APP, "host", "Host", time.time(), secrets.token_hex(16))
    async with SignalingApi(["localhost:9090"]) as api:
        made = await api.create_room(token, "Containers")
    return Link(SITE, RoomId(made.room.id), made.invite_secret, made.host_secret)


async def everything_is_scraped() -> bool:
    answer = await asyncio.to_thread(ask_prometheus)
    found = {
        target["labels"]["job"] for target in answer["data"]["activeTargets"] if target["health"] == "up"
    }
    return found == {"rooms", "signaling", "media", "prometheus"}


def ask_prometheus() -> dict[str, Any]:
    with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/targets", timeout=5) as response:
        answer: dict[str, Any] = json.load(response)
    return answer
