"""Bounded, in order, and quick to say that something is there."""

import asyncio

from salon_signaling.mailbox import MAX_WAITING, Mailbox, Reconnected
from unit.signaling.events import chat


async def test_inputs_are_taken_in_order_and_once() -> None:
    box = Mailbox()
    box.put(chat(1))
    box.put(chat(2))
    assert box.take() == [chat(1), chat(2)]
    assert box.take() == []


async def test_waiting_ends_when_something_comes() -> None:
    box = Mailbox()
    waiting = asyncio.create_task(box.wait(60))
    await asyncio.sleep(0)
    box.put(chat(1))
    await waiting


async def test_waiting_ends_in_time() -> None:
    box = Mailbox()
    await box.wait(0.001)
    await box.wait(0)
    await box.wait(-1)


async def test_what_waits_already_is_not_waited_for() -> None:
    box = Mailbox()
    box.put(chat(1))
    await box.wait(60)


async def test_too_much_is_dropped_and_remembered() -> None:
    box = Mailbox()
    for number in range(MAX_WAITING + 10):
        box.put(chat(number))
    box.put(Reconnected())
    assert box.overflown
    assert box.take() == []
    await box.wait(0)
