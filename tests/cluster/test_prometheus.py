"""Prometheus finds whom it should, and all of them answer."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cluster.installation import MEDIA, SALON, Installation
from cluster.waiting import settles
from cluster.web import fetch

pytestmark = [pytest.mark.cluster, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

SCRAPED_SECONDS = 90.0
"""Finding takes 10 s, the first scrape another 15, and those who are gone must be forgotten."""
SERVICES = {"rooms", "signaling", "media"}
ABSENT = "alertmanager"
"""There is no image of it to test with."""


@asynccontextmanager
async def prometheus(installation: Installation) -> AsyncIterator[str]:
    """The address of its API."""
    async with installation.kubectl.forward(SALON, "service/prometheus", 9090) as port:
        yield f"http://127.0.0.1:{port}/api/v1"


async def ask(url: str) -> Any:
    return json.loads(await asyncio.to_thread(fetch, url))["data"]


async def test_all_targets_are_found_and_up(installation: Installation) -> None:
    expected: dict[str, int | str] = {
        "rooms": len(await installation.pods_of(SALON, "deployment/rooms")),
        "signaling": len(await installation.pods_of(SALON, "deployment/signaling")),
        "media": len(await installation.pods_of(MEDIA, "deployment/media")),
    }
    assert set(expected) == SERVICES
    assert all(expected.values())
    async with prometheus(installation) as api:
        assert await settles(lambda: targets(api), expected, SCRAPED_SECONDS) == expected


async def targets(api: str) -> dict[str, int | str]:
    """How many targets of our services are up, by job; any target that is not by its address, with what went wrong."""
    active = (await ask(f"{api}/targets?state=active"))["activeTargets"]
    found = [each for each in active if each["labels"]["job"] != ABSENT]
    up = Counter(each["labels"]["job"] for each in found if each["health"] == "up")
    down = {each["scrapeUrl"]: each["lastError"] for each in found if each["health"] != "up"}
    return {job: count for job, count in up.items() if job in SERVICES} | down


async def test_media_nodes_carry_their_names(installation: Installation) -> None:
    pods = {pod["metadata"]["name"] for pod in await installation.pods_of(MEDIA, "deployment/media")}
    async with prometheus(installation) as api:
        found = (await ask(f"{api}/query?query=up%7Bjob%3D%22media%22%7D%20%3D%3D%201"))["result"]
    assert pods <= {each["metric"]["node"] for each in found}
    assert {each["metric"]["region"] for each in found} == {"local"}


async def test_rules_are_loaded_and_evaluate(installation: Installation) -> None:
    async with prometheus(installation) as api:
        groups = (await ask(f"{api}/rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["type"] for rule in rules} == {"recording", "alerting"}
    assert [rule["lastError"] for rule in rules if rule.get("lastError")] == []
