"""What a process measures of itself: its loop, its connection to NATS, its calls to others."""

import asyncio
import math
import time
from typing import Any, cast

import nats.errors
import pytest
from prometheus_client import REGISTRY
from salon_common.errors import Code, SalonError
from salon_common.settings import ServiceSettings
from salon_common.telemetry import nats_connection
from salon_common.telemetry.calls import client_call
from salon_common.telemetry.event_loop import LOOK_SECONDS, watch_loop
from salon_common.telemetry.nats_connection import watch_connection
from salon_common.telemetry.process import observed


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"salon_{name}", labels) or 0.0


async def test_a_loop_that_is_held_up_is_seen() -> None:
    count, lag = sample("event_loop_lag_seconds_count"), sample("event_loop_lag_seconds_sum")
    watching = asyncio.create_task(watch_loop())
    await asyncio.sleep(0)
    time.sleep(3 * LOOK_SECONDS)  # noqa: ASYNC251 - what a handler must not do
    async with asyncio.timeout(5):
        while sample("event_loop_lag_seconds_count") == count:  # noqa: ASYNC110 - the loop turns, and so does the watch
            await asyncio.sleep(0)
    assert sample("event_loop_lag_seconds_sum") - lag >= LOOK_SECONDS
    watching.cancel()


class Connection:
    def __init__(self) -> None:
        self.is_connected = True
        self.error: Exception | None = None
        self.pings = asyncio.Semaphore(0)

    async def flush(self, timeout: float) -> None:
        self.pings.release()
        await asyncio.sleep(0.01)
        if self.error:
            raise self.error


async def test_the_connection_to_nats_is_pinged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_connection, "PING_SECONDS", 0.0)
    nc = Connection()
    watching = asyncio.create_task(watch_connection(cast("Any", nc)))
    await nc.pings.acquire()
    await nc.pings.acquire()
    assert sample("nats_connected") == 1
    assert 0.01 <= sample("nats_round_trip_seconds") < 1
    nc.error = nats.errors.TimeoutError()
    await nc.pings.acquire()
    await nc.pings.acquire()
    assert math.isnan(sample("nats_round_trip_seconds"))
    nc.is_connected = False
    assert sample("nats_connected") == 0
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert watching.cancelled()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (SalonError(Code.NOT_FOUND, "gone"), "NOT_FOUND"),
        (asyncio.CancelledError(), "CANCELLED"),
        (ValueError(), "INTERNAL"),
    ],
)
def test_calls_are_counted_by_how_they_end(outcome: BaseException, code: str) -> None:
    labels = {"service": "rooms", "method": "Counted"}
    failed, fine = (sample("rpc_client_seconds_count", **labels, code=c) for c in (code, "OK"))
    with pytest.raises(type(outcome)), client_call("rooms", "Counted"):
        raise outcome
    with client_call("rooms", "Counted"):
        pass
    assert sample("rpc_client_seconds_count", **labels, code=code) == failed + 1
    assert sample("rpc_client_seconds_count", **labels, code="OK") == fine + 1


async def test_an_observed_service_says_what_it_is_and_fails_as_its_work_does() -> None:
    async def work() -> None:
        raise SalonError(Code.UNAVAILABLE, "not today")

    with pytest.raises(SalonError, match="not today"):
        await observed("watched", ServiceSettings(), work())
    versions = [
        sample.labels["version"]
        for metric in REGISTRY.collect()
        if metric.name == "salon_build_info"
        for sample in metric.samples
        if sample.labels["service"] == "watched"
    ]
    assert len(versions) == 1
