"""What a part of a running stack tells Prometheus, as tests ask it."""

import asyncio
import urllib.request
from collections.abc import Callable

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from salon_client.run.stack import Stack

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and sorted labels."""


async def scrape(stack: Stack, name: str) -> str:
    """The text, with exemplars."""
    request = urllib.request.Request(f"http://{stack.health_address(name)}/metrics", headers=OPENMETRICS)

    def read() -> bytes:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bytes(answer.read())

    return (await asyncio.to_thread(read)).decode()


async def series_of(stack: Stack, name: str) -> Series:
    """Every series."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(await scrape(stack, name))  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float:
    """One series; 0 when there is none."""
    return series.get((name, tuple(sorted(labels.items()))), 0.0)


async def until_told(
    stack: Stack, name: str, holds: Callable[[Series], bool], seconds: float = 30.0
) -> Series:
    """Ask again and again until what is told holds."""
    async with asyncio.timeout(seconds):
        while not holds(series := await series_of(stack, name)):  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.2)
    return series
