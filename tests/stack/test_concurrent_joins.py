"""200 people press "join" at once on a room of 50: exactly 50 are in, 150 are told that it is full.

Joins alternate over both signaling replicas, whose calls NATS spreads over both rooms replicas. In half of the runs
one replica of each is killed midway; clients retry with the same request id, as real ones do.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from pathlib import Path

import grpc
import grpc.aio
import pytest
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_client.run.stack import Link, Stack
from support.control_client import CHANNEL_OPTIONS, RETRIABLE

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

RUNS = 20
JOINS = 200
CAPACITY = 50


class Joiner:
    """One person who joins, holding the stream open once in."""

    def __init__(
        self, stubs: list[signaling_pb2_grpc.SignalingServiceAsyncStub], link: Link, index: int
    ) -> None:
        self._stubs = stubs[index % len(stubs) :] + stubs[: index % len(stubs)]
        self._random = random.Random(index)
        self._request = signaling_pb2.JoinRequest(
            room_id=link.room_id,
            invite_secret=link.secret,
            name=f"Guest {index}",
            request_id=uuid.uuid4().hex,
        )
        self.participant_id = ""
        self.token = ""
        self.call: grpc.aio.UnaryStreamCall[signaling_pb2.JoinRequest, signaling_pb2.JoinResponse] | None = (
            None
        )

    async def join(self) -> str:
        """Answers "in", or the refusal as `CODE: message`; what a client may retry is retried."""
        for attempt in range(200):
            self.call = self._stubs[attempt % len(self._stubs)].Join(self._request)
            try:
                message = await self.call.read()
                if isinstance(message, signaling_pb2.JoinResponse):
                    assert message.WhichOneof("body") == "welcome"
                    self.participant_id = message.welcome.participant_id
                    self.token = message.welcome.session_token.token
                    return "in"
            except grpc.aio.AioRpcError as error:
                if error.code() not in RETRIABLE:
                    return f"{error.code().name}: {error.details()}"
            await asyncio.sleep(self._random.uniform(0.05, 0.2))  # the back-off of a client
        return "never answered"


async def people_in(stub: signaling_pb2_grpc.SignalingServiceAsyncStub, link: Link) -> int:
    """How many the room itself counts."""
    preview = await stub.PreviewRoom(
        signaling_pb2.PreviewRoomRequest(room_id=link.room_id, invite_secret=link.secret), timeout=5
    )
    return preview.occupancy


async def kill_one_of_each(stack: Stack, seed: int) -> list[str]:
    chance = random.Random(seed)
    victims = [f"rooms-{chance.choice((1, 2))}", f"signaling-{chance.choice((1, 2))}"]
    await asyncio.sleep(chance.uniform(0.02, 0.25))  # at a random moment of the burst
    for victim in victims:
        await stack.kill(victim)
    return victims


async def test_200_joins_at_once_fill_a_room_of_50_exactly(tmp_path: Path) -> None:
    async with Stack(rooms=2, signaling=2, media=0, directory=tmp_path) as stack:
        for run in range(RUNS):
            await run_once(stack, seed=run, with_kills=run % 2 == 1)


async def run_once(stack: Stack, *, seed: int, with_kills: bool) -> None:
    link = await stack.create_room(f"Burst {seed}")
    channels = [
        grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) for address in stack.signaling_grpc
    ]
    stubs = [signaling_pb2_grpc.SignalingServiceStub(channel) for channel in channels]
    joiners = [Joiner(stubs, link, index) for index in range(JOINS)]
    killing = asyncio.create_task(kill_one_of_each(stack, seed)) if with_kills else None
    outcomes = await asyncio.gather(*(joiner.join() for joiner in joiners))
    if killing is not None:
        for victim in await killing:
            await stack.start(victim)
    counts = {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
    assert counts == {"in": CAPACITY, "RESOURCE_EXHAUSTED: the room is full": JOINS - CAPACITY}, (
        f"run {seed}: {counts}"
    )
    assert len({joiner.participant_id for joiner in joiners if joiner.participant_id}) == CAPACITY
    assert await people_in(stubs[0], link) == CAPACITY
    for joiner in joiners:
        if joiner.call is not None:
            joiner.call.cancel()
    for channel in channels:
        await channel.close()
