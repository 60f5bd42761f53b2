"""The mended client's flush, over one of nats-py that behaves as under Python 3.11."""

import asyncio
import contextlib

import pytest
from nats.aio.client import Client
from salon_common.nats import _Client


async def test_a_cancellation_that_comes_with_the_answer_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = asyncio.Event()

    async def flush(_client: Client, timeout: float) -> None:
        waiting.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    async def beat(client: Client) -> None:
        while True:
            await client.flush(timeout=1)

    monkeypatch.setattr(Client, "flush", flush)
    beating = asyncio.create_task(beat(_Client()))
    await waiting.wait()
    beating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(beating, 5)
