"""What comes over NATS without an answer: heartbeats of nodes and replicas, and presence reports; and this replica's
own heartbeat.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

import nats.errors
from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from salon.rooms.v1 import presence_pb2
from salon_common.clock import Clock

from salon_rooms import metrics
from salon_rooms.core.placement import Directory
from salon_rooms.core.presence import HeardParticipant, PresenceTracker
from salon_rooms.core.replicas import Replicas

_log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0

_VOUCHERS = {"media": presence_pb2.VOUCHER_MEDIA, "signaling": presence_pb2.VOUCHER_SIGNALING}

M = TypeVar("M", bound=Message)


class Beats:
    """Takes what is published to the trackers, and beats."""

    def __init__(
        self,
        nc: Client,
        region: str,
        replica_id: str,
        nodes: Directory,
        replicas: Replicas,
        tracker: PresenceTracker,
        clock: Clock,
        look_into: Callable[[Iterable[HeardParticipant]], None],
    ) -> None:
        self._nc = nc
        self._region = region
        self._replica_id = replica_id
        self._nodes = nodes
        self._replicas = replicas
        self._tracker = tracker
        self._clock = clock
        self._look_into = look_into
        self._subscriptions: list[Subscription] = []
        self._reconnects = 0
        self.node_heard = asyncio.Event()
        """Set once a node has beaten."""

    async def start(self) -> None:
        """Subscribe; when this returns, everything published from now on is heard."""
        self._reconnects = self._nc.stats["reconnects"]
        for subject, take in (
            (f"beat.{self._region}.media.*", self._on_node),
            (f"beat.{self._region}.rooms.*", self._on_replica),
            (f"vouch.{self._region}.*.*", self._on_report),
        ):
            self._subscriptions.append(await self._nc.subscribe(subject, cb=take))
        await self._nc.flush()

    async def run(self) -> None:
        """Beat each second, and notice when NATS was away, until cancelled."""
        late = self._clock.now() + 3 * BEAT_SECONDS
        while True:
            now = self._clock.now()
            if self._nc.stats["reconnects"] != self._reconnects or now > late:
                self._reconnects = self._nc.stats["reconnects"]
                self._nodes.handle_own_outage(now)
                self._tracker.handle_own_outage(now)
            late = now + 3 * BEAT_SECONDS
            await self._beat(leaving=False)
            await asyncio.sleep(BEAT_SECONDS)

    async def leave(self) -> None:
        """Say that this replica stops, and hear no more."""
        await self._beat(leaving=True)
        for subscription in self._subscriptions:
            await subscription.unsubscribe()

    async def _beat(self, *, leaving: bool) -> None:
        beat = presence_pb2.ReplicaHeartbeat(replica_id=self._replica_id, leaving=leaving)
        if not self._nc.is_connected:
            return  # buffered beats would all arrive later, and mean nothing then
        try:
            await self._nc.publish(f"beat.{self._region}.rooms.{self._replica_id}", beat.SerializeToString())
        except nats.errors.Error as error:
            _log.warning("a heartbeat was not sent: %s", error)

    async def _on_node(self, message: Msg) -> None:
        beat = _decode(message, presence_pb2.NodeHeartbeat, "node")
        if beat and _is_from(message, beat.node_id, "node"):
            self._nodes.handle_beat(beat, self._clock.now())
            self.node_heard.set()

    async def _on_replica(self, message: Msg) -> None:
        beat = _decode(message, presence_pb2.ReplicaHeartbeat, "replica")
        if beat and _is_from(message, beat.replica_id, "replica"):
            self._replicas.handle_beat(beat, self._clock.now())

    async def _on_report(self, message: Msg) -> None:
        report = _decode(message, presence_pb2.PresenceReport, "report")
        if not report or not _is_from(message, report.sender_id, "report"):
            return
        if report.voucher != _VOUCHERS.get(message.subject.split(".")[-2]):
            metrics.BAD_MESSAGES.labels("report").inc()
            return
        self._look_into(self._tracker.handle_report(report, self._clock.now()))


def _decode(message: Msg, kind: type[M], label: str) -> M | None:
    """The message, or None, counted, when it is none."""
    try:
        return kind.FromString(message.data)
    except DecodeError:
        metrics.BAD_MESSAGES.labels(label).inc()
        return None


def _is_from(message: Msg, sender_id: str, label: str) -> bool:
    """Whether the sender is whom the subject names: NATS lets each service publish on its own subjects alone."""
    if message.subject.rpartition(".")[2] == sender_id:
        return True
    metrics.BAD_MESSAGES.labels(label).inc()
    return False
