"""Publishes whom this replica vouches for: changes each second, everybody each five seconds, nothing while NATS is away."""

import asyncio
import logging

import nats.errors
from nats.aio.client import Client
from salon.rooms.v1 import presence_pb2

from salon_signaling.core.presence import PresenceLedger

_log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between reports of changes."""
FULL_EVERY = 5
"""Every so manyth report is of everybody."""


class PresenceReporter:
    """Reports the ledger until it is stopped."""

    def __init__(self, nc: Client, ledger: PresenceLedger, *, region: str, replica_id: str) -> None:
        self._nc = nc
        self._ledger = ledger
        self._subject = f"vouch.{region}.signaling.{replica_id}"
        self._full_due = asyncio.Event()

    def handle_reconnected(self) -> None:
        """What was reported lately may be lost: everybody is reported next."""
        self._full_due.set()

    async def run(self) -> None:
        """Report for ever; cancel to stop."""
        ticks = 0
        while True:
            await asyncio.sleep(INTERVAL)
            ticks += 1
            if ticks % FULL_EVERY == 0:
                self._full_due.set()
            await self.report()

    async def report(self) -> None:
        """Report now. A report that would wait for NATS would be old when it arrives, so it is not made."""
        if not self._nc.is_connected:
            self._full_due.set()
            return
        if self._full_due.is_set():
            self._full_due.clear()
            reports = self._ledger.take_everybody()
        else:
            reports = self._ledger.take_changes()
        await self._publish(reports)

    async def _publish(self, reports: list[presence_pb2.PresenceReport]) -> None:
        try:
            for report in reports:
                await self._nc.publish(self._subject, report.SerializeToString())
        except nats.errors.Error:
            self._full_due.set()
            _log.warning("presence could not be reported")
