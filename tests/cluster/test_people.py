"""People outside the cluster, while an operator adds, removes and restarts what serves them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from cluster.installation import MEDIA, SALON, Installation, say
from cluster.kubectl import KubectlError
from cluster.nodes import open_nodes
from cluster.people import Host, Party, ids_of, nobody_was_lost, talking, worst_gaps

pytestmark = [pytest.mark.cluster, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

NODES = 3
MOVE_SECONDS = 1.0
"""What a live move may cost who moves, with all of Salon, its people and a cluster on two cores; see docs/recovery.md for the figures."""
ROLL_SECONDS = 2.5
"""The same while new pods start on these cores."""
OUTAGE_SECONDS = 45.0
"""Longer than any probe is patient."""


@pytest_asyncio.fixture(loop_scope="session")
async def nodes(installation: Installation) -> AsyncIterator[list[str]]:
    """Three media nodes that take rooms."""
    await installation.scale(MEDIA, "deployment/media", NODES)
    names = [pod["metadata"]["name"] for pod in await installation.pods_of(MEDIA, "deployment/media")]
    async with open_nodes(installation) as known:
        await known.open_only(names, names)
    yield names


async def test_media_scales_from_one_node_to_three(installation: Installation, host: Host) -> None:
    async with host.party() as first:
        say("one media node serves three people")
        await installation.scale(MEDIA, "deployment/media", NODES)
        names = [pod["metadata"]["name"] for pod in await installation.pods_of(MEDIA, "deployment/media")]
        assert len(names) == NODES
        for name in names:
            async with open_nodes(installation) as known:
                await known.open_only([name], names)
            async with host.party(2) as party:
                assert party.nodes == {name}
                say(f"people meet on {name}")
        async with open_nodes(installation) as known:
            await known.open_only(names, names)
        await first.are_together()


async def test_deleted_media_pod_moves_its_people(
    installation: Installation, host: Host, nodes: list[str]
) -> None:
    victim = nodes[0]
    async with AsyncExitStack() as exits:
        async with open_nodes(installation) as known:
            await known.open_only([victim], nodes)
        parties = [await exits.enter_async_context(host.party()) for _ in range(2)]
        async with open_nodes(installation) as known:
            await known.open_only(nodes, nodes)
        ids = await ids_of(parties)
        assert {node for party in parties for node in party.nodes} == {victim}
        began = time.monotonic()
        await installation.kubectl("delete", "pod", "-n", MEDIA, victim, "--wait=false")
        await installation.wait_ended(MEDIA, [victim])
        say(f"{victim} ended after {time.monotonic() - began:.1f} s")
        gaps = await worst_gaps(parties)
        say(f"longest gaps: {shown(gaps)}")
        await nobody_was_lost(parties, ids)
        for party in parties:
            assert all(report["node"] != victim for report in (await party.report()).values())
            await party.are_together()
        assert max(gaps.values()) < MOVE_SECONDS
    await installation.wait_rolled(MEDIA, "deployment/media")


async def test_budget_lets_one_media_node_go_at_a_time(
    installation: Installation, host: Host, nodes: list[str]
) -> None:
    first, second = nodes[:2]
    async with open_nodes(installation) as known:
        await known.open_only([first], nodes)
    async with host.party() as party:
        async with open_nodes(installation) as known:
            await known.open_only(nodes, nodes)
        ids = await ids_of([party])
        await installation.evict(MEDIA, first)
        with pytest.raises(KubectlError, match="disruption budget"):
            await installation.evict(MEDIA, second)
        say(f"{first} was evicted, and {second} had to stay meanwhile")
        await installation.wait_ended(MEDIA, [first])
        await nobody_was_lost([party], ids)
        await party.are_together()


async def test_every_deployment_is_rolled_with_people_talking(
    installation: Installation, host: Host, nodes: list[str]
) -> None:
    async with AsyncExitStack() as exits:
        parties = [await exits.enter_async_context(host.party()) for _ in range(2)]
        ids = await ids_of(parties)
        deployments = [each for each in await installation.workloads() if each[1].startswith("deployment/")]
        async with talking(parties) as told:
            for namespace, deployment in deployments:
                await installation.roll(namespace, deployment)
                say(f"{deployment} was rolled; longest gaps so far: {shown(await worst_gaps(parties))}")
        gaps = await worst_gaps(parties)
        await asyncio.gather(*(party.are_together() for party in parties))
        await nobody_was_lost(parties, ids)
        for party, acknowledged in zip(parties, told, strict=True):
            await everybody_read(party, acknowledged)
        assert max(gaps.values()) < ROLL_SECONDS


def shown(gaps: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in gaps.items())


async def everybody_read(party: Party, texts: list[str]) -> None:
    """Every acknowledged message came once, in order."""
    assert texts
    for name, report in (await party.report()).items():
        assert report["chat"] == texts, f"{name} read something else"


async def test_nats_away_restarts_nothing(installation: Installation, host: Host) -> None:
    async with host.party() as party:
        ids = await ids_of([party])
        restarts = await installation.restarts(but="nats-")
        replicas = (await installation.kubectl.get(SALON, "statefulset/nats"))["spec"]["replicas"]
        await party.members.mark()
        await installation.scale(SALON, "statefulset/nats", 0)
        say(f"NATS is away for {OUTAGE_SECONDS:.0f} s")
        await installation.stays_ready(OUTAGE_SECONDS, but="nats-")
        gaps = await worst_gaps([party])
        await installation.scale(SALON, "statefulset/nats", replicas)
        await party.are_together()
        say(f"NATS is back; longest gaps meanwhile: {shown(gaps)}")
        await nobody_was_lost([party], ids)
        after = await installation.restarts(but="nats-")
        assert {name: after.get(name) for name in restarts} == restarts
        assert max(gaps.values()) < MOVE_SECONDS
    async with host.party():
        say("a new room is made")
