"""NATS is away for a while: media goes on, joins fail clearly, nobody is swept, and all is consistent soon after its return."""

import asyncio
import itertools
import random
import time
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio
from faults.figures import Figure, Outcome, Who
from faults.node_faults import Reading, mark_all, native_gap, page_gap
from faults.stage import Cast, Stage, choose_victim
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_client.link import Link

SHORT_SECONDS = 40.0
"""Longer than every lease, and than it takes to be called lost."""
WHOLE_SECONDS = 420.0
CONSISTENT_SECONDS = 10.0
REFUSED_SECONDS = 3.0
JOIN_EACH_SECONDS = 5.0

MEDIA = Figure("packets", p95=0.5, bystanders=0.5)
REFUSAL = Figure("join refused", p95=REFUSED_SECONDS)


async def run_outage(stage: Stage, seconds: float, chance: random.Random, run: int, outcome: Outcome) -> None:
    """One outage, with all rooms full of people."""
    async with asyncio.timeout(seconds + 150):
        cast = await stage.seat(choose_victim(chance, stage.media_names), run)
        before = await cast.members.report() | await cast.bystanders.report()
        reading = Reading(outcome, run, await mark_all(stage, cast))
        await stage.stack.kill("nats")
        await joins_fail_clearly(stage, cast.links[0], seconds, reading)
        await media_went_on(stage, cast, reading)
        await stage.stack.start("nats")
        returned = time.monotonic()
        first = cast.members.natives[0]
        await first.process.call("say", name=first.name, text=f"after outage {run}")
        await asyncio.sleep(returned + CONSISTENT_SECONDS - time.monotonic())
        await natives_agree(cast, before, run, outcome)
        await pages_agree(stage, run, outcome)
        await stage.clear(cast)
        outcome.runs += 1


async def natives_agree(
    cast: Cast, before: Mapping[str, Any], run: int, outcome: Outcome, about: str = ""
) -> None:
    """Find what differs from before the fault, and between those of one room."""
    after = await cast.members.report() | await cast.bystanders.report()
    for name, report in after.items():
        for wrong in inconsistencies(before[name], report):
            outcome.find(run, f"{about}{name} {wrong}")
    rooms_agree(after, run, outcome)


async def joins_fail_clearly(stage: Stage, link: Link, seconds: float, reading: Reading) -> None:
    """Try to join again and again until the outage is over."""
    over = time.monotonic() + seconds
    addresses = stage.stack.signaling_grpc
    turn = 0
    while (left := over - time.monotonic()) > 0:
        began = time.monotonic()
        said = await try_to_join(addresses[turn % len(addresses)], link)
        took = time.monotonic() - began
        turn += 1
        if said != "UNAVAILABLE":
            reading.outcome.find(reading.run, f"a join while NATS was away was answered {said}")
        reading.add(REFUSAL, Who.NATIVE, f"Attempt {turn}", took)
        await asyncio.sleep(max(0.0, min(left, JOIN_EACH_SECONDS) - took))


async def try_to_join(address: str, link: Link) -> str:
    """One Join: the name of its status."""
    request = signaling_pb2.JoinRequest(
        room_id=link.room_id,
        invite_secret=link.secret,
        name="Hopeful",
        request_id=f"hopeful-{time.monotonic_ns()}",
    )
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            await signaling_pb2_grpc.SignalingServiceStub(channel).Join(request, timeout=10).read()
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "OK"


async def media_went_on(stage: Stage, cast: Cast, reading: Reading) -> None:
    """Everybody's longest gap while NATS was away."""
    natives, bystanders, pages = await asyncio.gather(
        cast.members.report(), cast.bystanders.report(), stage.pages.gaps()
    )
    for name, report in natives.items():
        reading.add(MEDIA, Who.NATIVE, name, native_gap(report, "packets"))
    for name, report in bystanders.items():
        reading.add(MEDIA, Who.BYSTANDER, name, native_gap(report, "packets"))
    for name, gaps in pages.items():
        reading.add(MEDIA, Who.CHROMIUM, name, page_gap(gaps, idle=False))


def inconsistencies(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What is wrong with a participant's view after the outage."""
    wrong = []
    if after["ended"] or after["id"] != before["id"]:
        wrong.append(f"was swept: {after['ended'] or 'it came back as somebody else'}")
    if set(after["people"]) != set(before["people"]):
        wrong.append(f"lists {sorted(after['people'])} instead of {sorted(before['people'])}")
    away = [name for name, state in after["people"].items() if state != room_pb2.PARTICIPANT_STATE_PRESENT]
    if away:
        wrong.append(f"sees {away} not present")
    if not after["contiguous"]:
        wrong.append("has a hole in its events")
    return wrong


def rooms_agree(reports: dict[str, Any], run: int, outcome: Outcome) -> None:
    """All in a room have the same last event and the same messages."""
    rooms: dict[tuple[str, ...], list[tuple[str, Any]]] = {}
    for name, report in reports.items():
        rooms.setdefault(tuple(sorted(report["people"])), []).append((name, report))
    for people in rooms.values():
        states = {(report["last_event"], tuple(report["chat"])) for _, report in people}
        if len(states) > 1:
            outcome.find(run, f"{[name for name, _ in people]} do not agree: {sorted(states)}")


async def pages_agree(stage: Stage, run: int, outcome: Outcome) -> None:
    """The pages' events have no hole."""
    for page in stage.pages.pages:
        numbers = await page.event_numbers()
        if any(after != before + 1 for before, after in itertools.pairwise(numbers)):
            outcome.find(run, f"{page.person.name}'s page has a hole in its events: {numbers}")
