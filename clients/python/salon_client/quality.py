"""Reports to the operators, without names, how well it goes: once the first picture is there, each 30 s, and when leaving."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from salon.signaling.v1 import signaling_pb2
from salon_common.errors import SalonError

from salon_client.core.quality import QualityMeter

REPORT_SECONDS = 30.0
LOOK_SECONDS = 1.0
"""How often to look whether the first picture is there."""

Send = Callable[[signaling_pb2.ReportQualityRequest], Awaitable[None]]


class QualityReporter:
    """Sends what a meter measured; a report that is lost is lost."""

    def __init__(self, meter: QualityMeter, send: Send, interval: float = REPORT_SECONDS) -> None:
        self._meter = meter
        self._send = send
        self._interval = interval

    async def run(self) -> None:
        """Report until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._interval
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, self._interval))
            if self._meter.has_first or loop.time() >= due:
                await self.report()
                due = loop.time() + self._interval

    async def report(self) -> None:
        """Report now."""
        report = self._meter.take(asyncio.get_running_loop().time())
        with contextlib.suppress(SalonError):
            await self._send(report)
