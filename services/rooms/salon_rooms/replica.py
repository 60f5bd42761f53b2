"""One replica put together: the store, the trackers, the writers, and what feeds them, on one NATS connection."""

import asyncio
import contextlib
import logging
import secrets

from nats.aio.client import Client
from salon.rooms.v1 import nodes_pb2_grpc, rooms_pb2_grpc
from salon_common.clock import Clock
from salon_common.rpc import NatsMount, ServiceRegistry

from salon_rooms import metrics
from salon_rooms.beats import BEAT_SECONDS, Beats
from salon_rooms.census import Census
from salon_rooms.config import RoomsSettings
from salon_rooms.core.placement import Directory
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.room import Change
from salon_rooms.core.targets import Target, media_targets
from salon_rooms.disconnects import Disconnects
from salon_rooms.doubts import Doubts
from salon_rooms.evacuation import Evacuation
from salon_rooms.feed import Feed
from salon_rooms.jetstream import JetStreamStore, Lifetimes
from salon_rooms.mover import Mover
from salon_rooms.node_client import NodeClient
from salon_rooms.nodes_servicer import NodesServicer
from salon_rooms.servicer import RoomsServicer
from salon_rooms.store import StoreUnavailable
from salon_rooms.sweeper import Sweeper
from salon_rooms.writer import Writers

_log = logging.getLogger(__name__)

LISTEN_SECONDS = 1.2 * BEAT_SECONDS
"""How long a new replica waits for the first node's heartbeat before it takes calls that need one."""
PREPARE_PAUSE = 0.5


class Replica:
    """Serves the rooms of a region beside its equals. The connection stays the caller's."""

    def __init__(self, nc: Client, settings: RoomsSettings, link_key: bytes, clock: Clock) -> None:
        self._nc = nc
        self._settings = settings
        self._clock = clock
        lifetimes = Lifetimes(event=settings.event_ttl, chat=settings.chat_ttl)
        self._store = JetStreamStore(nc, settings.partitions, lifetimes)
        self._nodes = Directory(clock.now())
        replicas = Replicas(settings.replica_id)
        tracker = PresenceTracker(clock.now())
        self._node_client = NodeClient(nc, settings.region)
        self._writers = Writers(self._store, self._nodes, clock, self._act_on)
        feed = Feed(self._store, tracker, clock)
        self._evacuation = Evacuation(
            feed, self._writers, tracker, self._nodes, replicas, clock, secrets.token_bytes
        )
        self._mover = Mover(self._writers, tracker, self._nodes, replicas, clock, secrets.token_bytes)
        self._sweeper = Sweeper(
            feed,
            self._writers,
            tracker,
            self._nodes,
            replicas,
            clock,
            self._node_client.remove,
            self._look_at_nodes,
        )
        self._beats = Beats(
            nc,
            settings.region,
            settings.replica_id,
            self._nodes,
            replicas,
            tracker,
            clock,
            self._sweeper.look_into,
        )
        self._doubts = Doubts(nc, settings.region, self._nodes, clock, on_dead=self._evacuation.on_dead)
        self._disconnects = Disconnects(nc, settings.nats_account, self._doubts.handle_disconnect)
        self._census = Census(nc, settings.partitions, tracker, replicas, clock)
        self._mount = NatsMount(nc, self._services(link_key, tracker), region=settings.region)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Prepare the store, however long it takes; listen; then take calls."""
        await self._prepare()
        await self._beats.start()
        await self._doubts.start()
        await self._disconnects.start()
        self._tasks = [
            asyncio.create_task(run)
            for run in (self._beats.run(), self._sweeper.run(), self._doubts.run(), self._census.run())
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTEN_SECONDS):
                await self._beats.node_heard.wait()
        await self._mount.start()

    async def stop(self) -> None:
        """Take no more calls, finish those that wait, and leave this replica's share to the others."""
        await self._mount.stop()
        await self._beats.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._disconnects.stop()
        await self._doubts.stop()
        await self._sweeper.close()
        await self._evacuation.close()
        await self._mover.close()
        await self._writers.close()
        await self._node_client.close()

    def media_targets(self) -> list[Target]:
        """The media nodes, for Prometheus."""
        return media_targets(self._nodes.beats(self._clock.now()), self._settings.region)

    def _services(self, link_key: bytes, tracker: PresenceTracker) -> ServiceRegistry:
        registry = ServiceRegistry()
        rooms = RoomsServicer(
            self._settings.region,
            link_key,
            self._writers,
            self._store,
            self._clock,
            secrets.token_bytes,
            self._doubts,
        )
        rooms_pb2_grpc.add_RoomsServiceServicer_to_server(rooms, registry)
        nodes = NodesServicer(self._nodes, tracker.occupants, self._node_client, self._clock)
        nodes_pb2_grpc.add_NodesServiceServicer_to_server(nodes, registry)
        return registry

    async def _prepare(self) -> None:
        while True:
            try:
                return await self._store.prepare(self._settings.stream_replicas)
            except StoreUnavailable as error:
                _log.warning("the store is not there yet: %s", error)
                await asyncio.sleep(PREPARE_PAUSE)

    def _look_at_nodes(self) -> None:
        self._evacuation.look_again()
        self._mover.look_again()

    def _act_on(self, change: Change) -> None:
        """Do what follows from a committed change."""
        now = self._clock.now()
        metrics.PLACEMENTS.labels("placed").inc(len(change.sent))
        for node_id in change.sent:
            self._nodes.handle_sent(node_id, now)
        for removal in change.removals:
            self._node_client.remove(removal)
