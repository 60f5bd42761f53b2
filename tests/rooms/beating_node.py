"""A process that beats as a media node does and has a health port, to be killed, frozen and cut off: run as a program."""

import asyncio
import sys

from salon.rooms.v1 import presence_pb2
from salon_common import nats
from salon_common.health import HealthServer


async def beat(url: str, region: str, node_id: str, boot_id: str, port: str) -> None:
    health = HealthServer(f"127.0.0.1:{port}", boot_id)
    heartbeat = presence_pb2.NodeHeartbeat(
        node_id=node_id,
        boot_id=boot_id,
        region=region,
        health_address=f"127.0.0.1:{await health.start()}",
        mode=presence_pb2.NODE_MODE_ACTIVE,
    )
    nc = await nats.connect(url, name=f"{node_id}.{boot_id}")
    while True:
        heartbeat.sequence += 1
        if nc.is_connected:
            await nc.publish(f"beat.{region}.media.{node_id}", heartbeat.SerializeToString())
        await asyncio.sleep(1.0)


if __name__ == "__main__":
    asyncio.run(beat(*sys.argv[1:]))
