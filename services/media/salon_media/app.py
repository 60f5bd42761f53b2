"""The assembled node: which part is given which. Serving and draining in their order, no rules."""

import asyncio
import secrets

from nats.aio.client import Client
from prometheus_client import CollectorRegistry
from salon.media.v1 import media_pb2_grpc
from salon_common.clock import Clock
from salon_common.rpc import NatsMount, ServiceRegistry

from salon_media.addresses import client_addresses, probe_address
from salon_media.config import MediaSettings
from salon_media.core.node_state import NodeState
from salon_media.core.presence import PresenceReports
from salon_media.core.stress import StressMeter
from salon_media.draining import drain
from salon_media.dtls import NodeCertificate
from salon_media.engine import EnginePort, EngineReader, end_process, watch_engine
from salon_media.heartbeat import Heartbeat, NodeIdentity, Publisher, Vouching
from salon_media.metrics import NodeCollector, NodeMetrics
from salon_media.node import MediaNode
from salon_media.servicer import MediaServicer


class MediaApp:
    """One node, from its engine's first event to its last session's end."""

    def __init__(
        self,
        settings: MediaSettings,
        boot_id: str,
        engine: EnginePort,
        clock: Clock,
        metrics: CollectorRegistry,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self.state = NodeState(boot_id, settings.max_participants)
        self._presence = PresenceReports(settings.node_id, boot_id)
        self._node = MediaNode(
            self.state,
            self._presence,
            engine=engine,
            certificate=NodeCertificate.generateCertificate(),
            addresses=client_addresses(settings),
            clock=clock,
            random=secrets.token_bytes,
            metrics=NodeMetrics(metrics),
        )
        self._stress = StressMeter(settings.max_participants)
        metrics.register(NodeCollector(engine.counters, self.state, self._stress, clock))
        self._reader = EngineReader(engine, self._node)

    async def serve(self, nc: Client, health_port: int, started: asyncio.Event, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then drain. Sets `started` once calls reach the node."""
        settings, state = self._settings, self.state
        registry = ServiceRegistry()
        servicer = MediaServicer(settings.node_id, self._node, state, self._engine, self._clock)
        media_pb2_grpc.add_MediaServiceServicer_to_server(servicer, registry)
        mount = NatsMount(nc, registry, region=settings.region, node=settings.node_id)
        identity = NodeIdentity(
            settings.node_id, state.boot_id, settings.region, probe_address(settings, health_port)
        )
        publisher = Publisher(nc)
        heartbeat = Heartbeat(identity, state, self._stress, self._node.mode_changed, publisher, self._clock)
        vouching = Vouching(
            identity, state, self._presence, self._node.presence_changed, publisher, self._clock
        )
        self._reader.start()
        try:
            await mount.start()
            async with asyncio.TaskGroup() as group:
                work = [
                    group.create_task(run)
                    for run in (
                        heartbeat.run(),
                        vouching.run(),
                        self._node.keep_house(),
                        watch_engine(self._engine, end_process),
                    )
                ]
                started.set()
                await stop.wait()
                await drain(self._node, state, self._clock, settings.drain_seconds)
                await heartbeat.beat()
                await mount.stop()
                await self._node.close()
                await vouching.publish_due()
                for task in work:
                    task.cancel()
        finally:
            self._reader.stop()
