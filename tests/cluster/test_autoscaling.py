"""The autoscaling component in a real cluster: who is deleted when there are too many nodes, and that the autoscaler sees its signal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from cluster.installation import MEDIA, SALON, Installation, say
from cluster.nodes import open_nodes
from cluster.people import Host, ids_of, nobody_was_lost
from cluster.waiting import settles

pytestmark = [pytest.mark.cluster, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

OVERLAY = Path(__file__).resolve().parents[2] / "deploy" / "k8s" / "tests" / "cluster-autoscaling"
COST = "controller.kubernetes.io/pod-deletion-cost"
WRITTEN_SECONDS = 30.0
SCALED_SECONDS = 90.0
"""The autoscaler looks each 15 s, at figures that are as old again."""


async def component(installation: Installation, *names: str) -> str:
    """The component's own objects of these names, as the overlay has them."""
    rendered = yaml.safe_load_all(await installation.kubectl("kustomize", str(OVERLAY)))
    kinds = ("HorizontalPodAutoscaler",) if names == ("media",) else None
    found = [
        each
        for each in rendered
        if each["metadata"]["name"] in names and (not kinds or each["kind"] in kinds)
    ]
    assert found
    return yaml.safe_dump_all(found)


@pytest_asyncio.fixture(loop_scope="session")
async def scaler(installation: Installation) -> AsyncIterator[str]:
    """The scaler's manifests; whatever the test made of them is removed."""
    manifests = await component(installation, "scaler", "nats-from-scaler")
    yield manifests
    await installation.kubectl("delete", "-f", "-", "--ignore-not-found", "--wait", stdin=manifests)


@pytest_asyncio.fixture(loop_scope="session")
async def autoscaler(installation: Installation) -> AsyncIterator[None]:
    """The media nodes' autoscaler, as shipped."""
    manifest = await component(installation, "media")
    await installation.kubectl("apply", "-f", "-", stdin=manifest)
    yield
    await installation.kubectl("delete", "-f", "-", "--wait", stdin=manifest)
    await installation.scale(MEDIA, "deployment/media", 1)


async def costs(installation: Installation) -> dict[str, str]:
    """What is written to each media pod."""
    pods = await installation.pods_of(MEDIA, "deployment/media")
    return {pod["metadata"]["name"]: pod["metadata"].get("annotations", {}).get(COST, "") for pod in pods}


async def test_the_emptiest_node_is_the_one_that_goes(
    installation: Installation, host: Host, scaler: str
) -> None:
    await installation.scale(MEDIA, "deployment/media", 3)
    busy, emptiest, full = await costs(installation)
    async with AsyncExitStack() as exits:
        parties = []
        for node, sizes in ((emptiest, (2,)), (busy, (3,)), (full, (3, 2))):
            async with open_nodes(installation) as known:
                await known.open_only([node], [busy, emptiest, full])
            parties += [await exits.enter_async_context(host.party(size)) for size in sizes]
        async with open_nodes(installation) as known:
            await known.open_only([busy, emptiest, full], [busy, emptiest, full])
        ids = await ids_of(parties)
        await installation.kubectl("apply", "-f", "-", stdin=scaler)
        await installation.wait_rolled(SALON, "deployment/scaler")
        people = {busy: "3", emptiest: "2", full: "5"}
        assert await settles(lambda: costs(installation), people, WRITTEN_SECONDS) == people
        say(f"written: {people}")
        # A node that was closed a moment ago is not ready, and would go before all others.
        await installation.wait_rolled(MEDIA, "deployment/media")
        await installation.scale(MEDIA, "deployment/media", 2)
        assert set(await costs(installation)) == {busy, full}
        await nobody_was_lost(parties, ids)
        await asyncio.gather(*(party.are_together() for party in parties))
        say(f"{emptiest} went, and its people are elsewhere")


async def test_the_autoscaler_reads_its_signal_and_keeps_two(
    installation: Installation, autoscaler: None
) -> None:
    async def seen() -> tuple[int, str]:
        found = await installation.kubectl.get(MEDIA, "horizontalpodautoscaler/media")
        conditions = {each["type"]: each["status"] for each in found["status"].get("conditions", ())}
        deployment = await installation.kubectl.get(MEDIA, "deployment/media")
        return deployment["spec"]["replicas"], conditions.get("ScalingActive", "")

    await installation.scale(MEDIA, "deployment/media", 1)
    assert await settles(seen, (2, "True"), SCALED_SECONDS) == (2, "True")
