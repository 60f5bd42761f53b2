"""One servicer gives the same statuses, messages and metadata through every mount."""

import json
import logging

import pytest
from contract.conftest import Probe
from salon_common.errors import Code

FAILURES = [code for code in Code if code is not Code.OK]
MESSAGES = [
    "",
    "the room is full",
    "Grüße aus Zürich, 你好, 🎥",
    "two\nlines\r\nand a tab\t",
    "100 % sure, %41 stays, a+b=c&d",
    " edges ",
]
METADATA: list[tuple[str, str | bytes]] = [
    ("x-word", "first"),
    ("x-data-bin", bytes(range(256))),
    ("x-word", "second, with a comma"),
    ("x-data-bin", b""),
    ("x-sign", "a=b&c%20d"),
]


async def test_an_answer_arrives(probe: Probe) -> None:
    outcome = await probe.client.call("echo", "Grüße\n🎥")
    assert (outcome.code, outcome.text) == (Code.OK, "Grüße\n🎥")


async def test_every_code_arrives(probe: Probe) -> None:
    outcomes = [await probe.client.call("fail", f"{code.name} it is {code.name}") for code in FAILURES]
    assert [outcome.code for outcome in outcomes] == FAILURES
    assert [outcome.text for outcome in outcomes] == [f"it is {code.name}" for code in FAILURES]


async def test_a_message_arrives_as_it_was_written(probe: Probe) -> None:
    outcomes = [await probe.client.call("fail", f"NOT_FOUND {message}") for message in MESSAGES]
    assert [outcome.text for outcome in outcomes] == MESSAGES


async def test_an_unexpected_exception_is_internal_and_its_text_stays_in_the_log(
    probe: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        outcome = await probe.client.call("crash", "the password is swordfish")
    assert outcome.code is Code.INTERNAL
    assert "swordfish" not in outcome.text
    error_id = outcome.text.removeprefix("internal error ")
    (record,) = [record for record in caplog.records if record.name == "salon_common.rpc.calls"]
    assert error_id in record.getMessage()
    assert record.exc_info is not None
    assert "swordfish" in str(record.exc_info[1])


async def test_a_cancellation_or_timeout_of_the_handlers_own_is_internal(probe: Probe) -> None:
    for verb in ("cancel itself", "time itself out"):
        outcome = await probe.client.call(verb)
        assert outcome.code is Code.INTERNAL
        assert outcome.text.startswith("internal error ")


async def test_a_method_that_the_servicer_lacks_is_unimplemented(probe: Probe) -> None:
    assert (await probe.client.unknown()).code is Code.UNIMPLEMENTED


async def test_metadata_travels_both_ways_repeated_and_binary(probe: Probe) -> None:
    outcome = await probe.client.call("metadata", metadata=METADATA)
    for key in dict(METADATA):
        sent = [value for name, value in METADATA if name == key]
        got = [value for name, value in json.loads(outcome.text) if name == key]
        assert got == [value.hex() if isinstance(value, bytes) else value for value in sent]
        assert [value for name, value in outcome.trailing if name == key] == sent


async def test_abort_ends_the_call_with_metadata(probe: Probe) -> None:
    outcome = await probe.client.call("abort", "lost the race")
    assert (outcome.code, outcome.text) == (Code.ABORTED, "lost the race")
    assert [value for key, value in outcome.trailing if key == "why"] == ["told to", "twice"]
    assert ("raw-bin", b"\x00\xff") in outcome.trailing


async def test_the_handler_is_told_who_calls(probe: Probe) -> None:
    outcome = await probe.client.call("peer")
    assert outcome.text == "nats:calling" or outcome.text.startswith("ipv4:127.0.0.1:")
