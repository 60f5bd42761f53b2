"""Tells the rooms service over NATS: each second that the node lives, and whom it vouches for.

Owns the subjects. Media does not depend on it: while NATS is away heartbeats are dropped, and what presence has to say waits,
merged, in `core.presence`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import nats.errors
from nats.aio.client import Client
from salon.rooms.v1 import presence_pb2
from salon_common.clock import Clock

from salon_media.core.mode import deadline_of
from salon_media.core.node_state import NodeState
from salon_media.core.presence import PresenceReports
from salon_media.core.stress import StressMeter

_log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who the node is, and where it is probed."""

    node_id: str
    boot_id: str
    region: str
    health_address: str


class Publisher:
    """Publishes to NATS while there is a connection."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def publish(self, subject: str, payload: bytes) -> bool:
        """False when NATS is away: the message is not kept."""
        if not self._nc.is_connected:
            return False
        try:
            await self._nc.publish(subject, payload)
            await self._nc.flush(timeout=1)
        except (nats.errors.Error, OSError) as error:
            _log.debug("not published: %s", error)
            return False
        return True


class Heartbeat:
    """NodeHeartbeat on `beat.<region>.media.<node>`."""

    def __init__(
        self,
        identity: NodeIdentity,
        state: NodeState,
        stress: StressMeter,
        mode_changed: asyncio.Event,
        publisher: Publisher,
        clock: Clock,
        cpu_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        self._identity = identity
        self._state = state
        self._mode_changed = mode_changed
        self._publisher = publisher
        self._clock = clock
        self._cpu_seconds = cpu_seconds
        self._stress = stress
        self._subject = f"beat.{identity.region}.media.{identity.node_id}"
        self._sequence = 0

    async def run(self) -> None:
        """Beat each second, and at once when the mode changes, until cancelled."""
        while True:
            self._mode_changed.clear()
            await self.beat()
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._mode_changed.wait()
            except TimeoutError:
                continue

    async def beat(self) -> None:
        """Beat once, now."""
        self._sequence += 1
        now = self._clock.now()
        stress = self._stress.measure(
            cpu_seconds=self._cpu_seconds(), participants=self._state.participants, now=now
        )
        mode = self._state.mode
        message = presence_pb2.NodeHeartbeat(
            node_id=self._identity.node_id,
            boot_id=self._identity.boot_id,
            region=self._identity.region,
            stress=stress,
            participants=self._state.participants,
            mode=mode.purpose.value,
            drain_deadline=deadline_of(mode, now, self._clock.wall()),
            health_address=self._identity.health_address,
            metrics_address=self._identity.health_address,
            sequence=self._sequence,
        )
        await self._publisher.publish(self._subject, message.SerializeToString())


class Vouching:
    """PresenceReport on `vouch.<region>.media.<node>`."""

    def __init__(
        self,
        identity: NodeIdentity,
        state: NodeState,
        presence: PresenceReports,
        changed: asyncio.Event,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._state = state
        self._presence = presence
        self._changed = changed
        self._publisher = publisher
        self._clock = clock
        self._subject = f"vouch.{identity.region}.media.{identity.node_id}"

    async def run(self) -> None:
        """Publish what is due until cancelled."""
        while True:
            self._changed.clear()
            await self.publish_due()
            delay = self._presence.next_at() - self._clock.now()
            try:
                async with asyncio.timeout(max(0.0, delay)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def publish_due(self) -> None:
        """Publish what is due now."""
        for report in self._presence.take(self._state.entries(), self._clock.now()):
            if not await self._publisher.publish(self._subject, report.SerializeToString()):
                self._presence.restore(report, self._clock.now())
