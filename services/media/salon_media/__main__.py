"""`python -m salon_media`: one media node. Assembles the parts and drains on SIGTERM; no rules here."""

import asyncio
import secrets
import sys
from contextlib import AsyncExitStack

from prometheus_client import REGISTRY
from salon.media.v1 import media_pb2_grpc
from salon_common import logs, nats
from salon_common.clock import SystemClock
from salon_common.errors import SettingsError
from salon_common.health import HealthServer
from salon_common.net import parse_bind
from salon_common.process import announce_ready, run_service
from salon_common.rpc import NatsMount, ServiceRegistry
from salon_common.settings import load

from salon_media.config import MediaSettings
from salon_media.core.node_state import NodeState
from salon_media.core.presence import PresenceReports
from salon_media.dtls import NodeCertificate
from salon_media.engine import EngineReader, start_engine
from salon_media.heartbeat import Heartbeat, NodeIdentity, Publisher, Vouching
from salon_media.metrics import NodeCollector, NodeMetrics
from salon_media.node import MediaNode
from salon_media.servicer import MediaServicer


async def serve(settings: MediaSettings, stop: asyncio.Event) -> None:
    """Run a node until `stop` is set, then drain it."""
    clock = SystemClock()
    boot_id = secrets.token_hex(8)
    state = NodeState(boot_id, settings.max_participants)
    presence = PresenceReports(settings.node_id, boot_id)
    async with AsyncExitStack() as stack:
        address, port = parse_bind(settings.udp_bind)
        try:
            engine = start_engine(address, port)
        except OSError as error:
            raise SettingsError(
                f"SALON_MEDIA_UDP_BIND: {settings.udp_bind}: {error.strerror or error}"
            ) from error
        stack.callback(engine.stop)
        node = MediaNode(
            state,
            presence,
            engine=engine,
            certificate=NodeCertificate.generateCertificate(),
            addresses=settings.advertise,
            clock=clock,
            random=secrets.token_bytes,
            metrics=NodeMetrics(REGISTRY),
        )
        REGISTRY.register(NodeCollector(engine.counters, state))
        reader = EngineReader(engine, node)
        reader.start()
        stack.callback(reader.stop)

        health = HealthServer(settings.health_bind)
        health_port = await health.start()
        stack.push_async_callback(health.stop)

        nc = await nats.connect(settings.nats_url, name=f"{settings.node_id}.{boot_id}")
        stack.push_async_callback(nc.close)
        health.add_check("nats", lambda: nc.is_connected)
        health.add_check("admitting", lambda: not state.draining)
        registry = ServiceRegistry()
        media_pb2_grpc.add_MediaServiceServicer_to_server(
            MediaServicer(settings.node_id, node, state, engine), registry
        )
        mount = NatsMount(nc, registry, region=settings.region, node=settings.node_id)
        await mount.start()

        identity = NodeIdentity(
            settings.node_id, boot_id, settings.region, probe_address(settings, health_port)
        )
        publisher = Publisher(nc)
        heartbeat = Heartbeat(identity, state, publisher, clock)
        vouching = Vouching(identity, state, presence, node.presence_changed, publisher, clock)
        await heartbeat.beat()
        tasks = [asyncio.create_task(work) for work in (heartbeat.run(), vouching.run(), node.keep_house())]
        announce_ready(udp=engine.port, health=health_port)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)

        state.draining = True
        await heartbeat.beat()
        await mount.stop()
        await node.close()
        await vouching.publish_due()
        for task in (stopped, *tasks):
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


def probe_address(settings: MediaSettings, health_port: int) -> str:
    """Where others reach the health port: where it listens, or at the advertised address if it listens everywhere."""
    host, _ = parse_bind(settings.health_bind)
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = settings.advertise[0]
    return f"[{host}]:{health_port}" if ":" in host else f"{host}:{health_port}"


def main() -> int:
    """Run the process; returns its exit code."""
    settings = load(MediaSettings)
    logs.setup("media", settings.log_level)
    return run_service(lambda stop: serve(settings, stop))


if __name__ == "__main__":
    sys.exit(main())
