"""SIGKILL of rooms, signaling or NATS while people join, write and vanish: nothing acknowledged is lost, nobody too many is in."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
import grpc.aio
from faults.figures import Outcome
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_client.link import Link
from salon_client.run.stack import Stack
from support.control_client import ControlClient

VICTIMS = ("rooms-1", "signaling-1", "nats")
CAPACITY = 50
RESIDENTS, NEWCOMERS, VANISHING = 3, 60, 8
JOIN_SECONDS = 3.0
"""The newcomers come within so long."""
DOWN_SECONDS = (0.5, 2.0)
GHOST_SECONDS = 15.0
_WHOLE_RUN_SECONDS = 150.0


async def run_service_kill(
    stack: Stack, victim: str, chance: random.Random, run: int, outcome: Outcome
) -> None:
    """One run in a room of its own."""
    async with asyncio.timeout(_WHOLE_RUN_SECONDS):
        link = await stack.create_room(f"{victim}, run {run}")
        residents = [make_client(stack, link, f"Resident {number}", number) for number in range(RESIDENTS)]
        newcomers = [make_client(stack, link, f"Newcomer {number}", number) for number in range(NEWCOMERS)]
        for resident in residents:
            await resident.join()
        counting = asyncio.create_task(highest_occupancy(stack, link))
        writing = [asyncio.create_task(write(resident)) for resident in residents]
        killing = asyncio.create_task(kill_and_start(stack, victim, chance))
        moments = [chance.uniform(0, JOIN_SECONDS) for _ in newcomers]
        entered = await asyncio.gather(
            *(come(client, moment) for client, moment in zip(newcomers, moments, strict=True))
        )
        await killing
        for said in set(entered) - {"in", "RESOURCE_EXHAUSTED"}:
            outcome.find(run, f"a join was answered {said}")
        inside = [client for client, said in zip(newcomers, entered, strict=True) if said == "in"]
        if len(inside) > CAPACITY - RESIDENTS:
            outcome.find(run, f"{len(inside) + RESIDENTS} are in a room of {CAPACITY}")
        for ghost in inside[:VANISHING]:
            await ghost.close()
        stay = [*residents, *inside[VANISHING:]]
        await no_ghost(residents[0], stay, run, outcome)
        for task in (*writing, counting):
            task.cancel()
        highest = (await asyncio.gather(counting, *writing, return_exceptions=True))[0]
        if isinstance(highest, int) and highest > CAPACITY:
            outcome.find(run, f"the room counted {highest} of {CAPACITY}")
        await nothing_lost(residents, run, outcome)
        await asyncio.gather(*(client.close() for client in (*residents, *newcomers)))
        outcome.runs += 1


def make_client(stack: Stack, link: Link, name: str, seed: int) -> ControlClient:
    """Somebody without media, who comes back by itself."""
    return ControlClient(stack.signaling_grpc, link.room_id, link.secret, name, seed=seed)


async def come(client: ControlClient, moment: float) -> str:
    """Join at some moment: `in`, or the code of the refusal."""
    await asyncio.sleep(moment)
    try:
        await client.join(timeout=60)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    except TimeoutError:
        return "nothing within 60 s"
    return "in"


async def write(client: ControlClient) -> None:
    """Chat until cancelled; the client keeps what was acknowledged."""
    number = 0
    while True:
        number += 1
        await client.chat(f"{client.name}: {number}")
        await asyncio.sleep(0.05)  # the pace of the writer


async def kill_and_start(stack: Stack, victim: str, chance: random.Random) -> None:
    """The fault, at a random moment of the joins."""
    await asyncio.sleep(chance.uniform(0.1, JOIN_SECONDS))
    await stack.kill(victim)
    await asyncio.sleep(chance.uniform(*DOWN_SECONDS))
    await stack.start(victim)


async def highest_occupancy(stack: Stack, link: Link) -> int:
    """The most that the room ever counted; read until cancelled."""
    highest = 0
    request = signaling_pb2.PreviewRoomRequest(room_id=link.room_id, invite_secret=link.secret)
    async with contextlib.AsyncExitStack() as exits:
        channels = [
            await exits.enter_async_context(grpc.aio.insecure_channel(address))
            for address in stack.signaling_grpc
        ]
        stubs = [signaling_pb2_grpc.SignalingServiceStub(channel) for channel in channels]
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                for stub in stubs:
                    with contextlib.suppress(grpc.aio.AioRpcError):
                        highest = max(highest, (await stub.PreviewRoom(request, timeout=1)).occupancy)
                await asyncio.sleep(0.05)  # the interval at which the room is asked
    return highest


async def no_ghost(watcher: ControlClient, stay: Sequence[ControlClient], run: int, outcome: Outcome) -> None:
    """Within so long exactly those are listed who are there."""
    there = {client.participant_id for client in stay}
    try:
        async with asyncio.timeout(GHOST_SECONDS):
            while set(watcher.present) != there:
                await watcher.wait_until_seen(watcher.last + 1, timeout=GHOST_SECONDS)
    except TimeoutError:
        ghosts, missing = set(watcher.present) - there, there - set(watcher.present)
        outcome.find(
            run,
            f"{len(ghosts)} ghosts are listed after {GHOST_SECONDS:g} s, and {len(missing)} live people are not",
        )


async def nothing_lost(residents: Sequence[ControlClient], run: int, outcome: Outcome) -> None:
    """Every acknowledged message has reached every resident, in one order without a hole."""
    await residents[0].chat("the end")
    for resident in residents:
        try:
            async with asyncio.timeout(20):
                while "the end" not in resident.chats:
                    await resident.wait_until_seen(resident.last + 1)
            resident.assert_contiguous()
        except (TimeoutError, AssertionError) as error:
            outcome.find(run, f"{resident.name} missed events: {error!r}")
    acknowledged = {text for resident in residents for text in resident.acknowledged}
    for resident in residents:
        lost = acknowledged - set(resident.chats)
        if lost:
            outcome.find(run, f"{resident.name} never got {len(lost)} acknowledged messages")
        if len(resident.chats) != len(set(resident.chats)):
            outcome.find(run, f"{resident.name} got a message twice")


async def service_kill_scenario(
    outcome: Outcome, victim: str, runs: int, directory: Path, on_run: Callable[[int], None]
) -> None:
    """All runs on one stack."""
    chance = random.Random(outcome.seed)
    async with Stack(directory=directory / "stack", rooms=2, signaling=2, media=0, web=False) as stack:
        for run in range(1, runs + 1):
            on_run(run)
            await run_service_kill(stack, victim, chance, run, outcome)
