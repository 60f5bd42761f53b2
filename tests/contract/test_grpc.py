"""What is native gRPC's own: the health service, and ports that are taken."""

import grpc.aio
import pytest
from contract.probe import SERVICE, new_servicer, registry_of
from grpc_health.v1 import health_pb2, health_pb2_grpc
from salon_common.errors import SettingsError
from salon_common.rpc import GrpcMount


def mount_on(bind: str) -> GrpcMount:
    return GrpcMount(registry_of(new_servicer()), bind)


async def test_the_health_service_answers_for_all_and_for_each_service() -> None:
    mount = mount_on("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await mount.start()}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    await mount.stop(0)
    await mount.stop(0)


async def test_a_taken_port_is_a_settings_error() -> None:
    first = mount_on("127.0.0.1:0")
    port = await first.start()
    with pytest.raises(SettingsError, match=f"gRPC: cannot listen on 127.0.0.1:{port} "):
        await mount_on(f"127.0.0.1:{port}").start()
    await first.stop(0)
