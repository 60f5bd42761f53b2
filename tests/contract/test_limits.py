"""Sizes and counts are bounded alike on every mount, and the refusal names the size and the limit."""

import asyncio
import re

import pytest
from contract.conftest import Probe
from salon_common.errors import Code
from salon_common.rpc import MAX_MESSAGE


async def test_the_largest_messages_pass_both_ways(probe: Probe) -> None:
    room = MAX_MESSAGE - 100
    outcome = await probe.client.call("echo", "x" * room)
    assert (outcome.code, len(outcome.text)) == (Code.OK, room)


async def test_a_request_that_is_too_large_is_refused(probe: Probe) -> None:
    for size in (MAX_MESSAGE + 1, 3 * MAX_MESSAGE):
        outcome = await probe.client.call("echo", "x" * size)
        assert outcome.code is Code.RESOURCE_EXHAUSTED
        named = [int(number) for number in re.findall(r"\d+", outcome.text)]
        assert max(named) >= size, outcome.text
        assert MAX_MESSAGE in named, outcome.text


async def test_an_answer_that_is_too_large_is_refused(probe: Probe) -> None:
    outcome = await probe.client.call("big", str(3 * MAX_MESSAGE))
    assert outcome.code is Code.RESOURCE_EXHAUSTED
    framing = 8  # two tags and two lengths
    assert outcome.text == f"answer: {3 * MAX_MESSAGE + framing} bytes, the limit is {MAX_MESSAGE}"


async def test_500_calls_at_once(probe: Probe) -> None:
    outcomes = await asyncio.gather(
        *(probe.client.call("echo", str(number), timeout=30) for number in range(500))
    )
    assert [outcome.text for outcome in outcomes] == [str(number) for number in range(500)]


@pytest.mark.parametrize("max_unary", [4])
async def test_no_more_handlers_run_than_the_mount_was_given(probe: Probe) -> None:
    seen = probe.servicer.seen
    calls = [asyncio.create_task(probe.client.call("gather", timeout=30)) for _ in range(7)]
    refused, pending = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    while len(refused) < 3:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        refused |= done
    seen.go.set()
    outcomes = await asyncio.gather(*calls)
    assert sorted(outcome.code for outcome in outcomes) == [Code.OK] * 4 + [Code.UNAVAILABLE] * 3
    assert seen.most == 4
    assert {(await call).text for call in refused} == {
        "too many calls run here at once: try again in a moment"
    }
    assert (await probe.client.call("echo", "room again")).code is Code.OK
