"""100 chats and 10 joins and leaves go on while signaling and NATS are killed and restarted.

Every client's log of event numbers is contiguous from its first, and no acknowledged chat is missing from anybody
who was there.
"""

import asyncio
import random
from pathlib import Path

import pytest
from salon_client.run.stack import Link, Stack
from support.control_client import ControlClient

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

CHATS = 100
VISITORS = 10


async def write_chats(clients: list[ControlClient]) -> None:
    for number in range(CHATS):
        await clients[number % len(clients)].chat(f"message {number}")


async def visit(stack: Stack, link: Link, index: int) -> ControlClient:
    """Join, stay for a while, leave; the log of what was seen is kept."""
    visitor = ControlClient(stack.signaling_grpc, link.room_id, link.secret, f"Visitor {index}", seed=index)
    await visitor.join(timeout=60)
    await visitor.chat(f"hello from visitor {index}")
    await visitor.leave()
    return visitor


async def break_things(stack: Stack, chance: random.Random) -> None:
    for victim in ("signaling-1", "nats", "signaling-2", "rooms-1", "rooms-2"):
        await asyncio.sleep(chance.uniform(0.3, 0.8))  # at a random moment
        await stack.kill(victim)
        await stack.start(victim)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_log_is_contiguous_and_no_acknowledged_chat_is_missing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with Stack(rooms=2, signaling=2, media=0, directory=tmp_path) as stack:
        link = await stack.create_room("Unbreakable")
        residents = [
            ControlClient(stack.signaling_grpc, link.room_id, link.secret, f"Resident {index}", seed=index)
            for index in range(4)
        ]
        await asyncio.gather(*(resident.join() for resident in residents))

        visitors = [asyncio.create_task(visit(stack, link, index)) for index in range(VISITORS)]
        breaking = asyncio.create_task(break_things(stack, chance))
        await write_chats(residents)
        left = await asyncio.gather(*visitors)
        await breaking

        await residents[0].chat("the end")
        for resident in residents:
            await wait_for_chat(resident, "the end")
        written = [chat for client in [*residents, *left] for chat in client.acknowledged]
        assert len(written) == CHATS + VISITORS + 1
        for resident in residents:
            resident.assert_contiguous()
            assert resident.snapshots == 1, "nothing was gone for longer than events are kept"
            assert sorted(resident.chats) == sorted(written), f"{resident.name} lacks a chat or has one twice"
            assert resident.chats == residents[0].chats, "everybody sees the same order"
            assert set(resident.present) == {other.participant_id for other in residents}
        for visitor in left:
            visitor.assert_contiguous()
        for resident in residents:
            await resident.close()


async def wait_for_chat(client: ControlClient, text: str) -> None:
    async with asyncio.timeout(30):
        while text not in client.chats:
            await client.wait_until_seen(client.last + 1)


async def test_a_gap_longer_than_what_is_kept_is_bridged_by_a_snapshot(tmp_path: Path) -> None:
    settings = {"rooms": {"SALON_ROOMS_EVENT_TTL": "1", "SALON_ROOMS_CHAT_TTL": "1"}}
    async with Stack(rooms=1, signaling=1, media=0, directory=tmp_path, settings=settings) as stack:
        link = await stack.create_room("Forgetful")
        stays = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Stays")
        sleeper = ControlClient(stack.signaling_grpc, link.room_id, link.secret, "Sleeper")
        await stays.join()
        await sleeper.join()
        await stays.wait_until_seen(sleeper.last)
        sleeper.pause()
        for number in range(3):
            await stays.chat(f"unheard {number}")
        await stays.wait_until_seen(sleeper.last + 3)
        await asyncio.sleep(3)  # longer than events are kept; the participant itself is kept for 10 s
        sleeper.resume()
        await sleeper.wait_until_seen(sleeper.last + 3)
        await stays.chat("heard")
        await wait_for_chat(sleeper, "heard")
        assert sleeper.snapshots == 2
        sleeper.assert_contiguous()
        stays.assert_contiguous()
        await sleeper.close()
        await stays.close()
