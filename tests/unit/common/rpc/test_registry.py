"""What a registry records, and what it refuses."""

from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest
from salon.rooms.v1 import rooms_pb2, rooms_pb2_grpc
from salon.signaling.v1 import signaling_pb2, signaling_pb2_grpc
from salon_common.rpc import ServiceRegistry
from salon_common.rpc.registry import short_name

Context = grpc.aio.ServicerContext[Any, Any]


class Rooms(rooms_pb2_grpc.RoomsServiceServicer):
    async def Leave(self, request: rooms_pb2.LeaveRequest, context: Context) -> rooms_pb2.LeaveResponse:
        return rooms_pb2.LeaveResponse()


class Signaling(signaling_pb2_grpc.SignalingServiceServicer):
    async def Join(
        self, request: signaling_pb2.JoinRequest, context: Context
    ) -> AsyncGenerator[signaling_pb2.JoinResponse]:
        yield signaling_pb2.JoinResponse()


def test_it_records_what_servicers_implement() -> None:
    registry = ServiceRegistry()
    rooms_pb2_grpc.add_RoomsServiceServicer_to_server(Rooms(), registry)  # type: ignore[abstract]
    signaling_pb2_grpc.add_SignalingServiceServicer_to_server(Signaling(), registry)  # type: ignore[abstract]
    leave, join = registry.methods()
    assert (leave.path, leave.request, leave.response) == (
        "/salon.rooms.v1.RoomsService/Leave",
        rooms_pb2.LeaveRequest,
        rooms_pb2.LeaveResponse,
    )
    assert leave.unary is not None
    assert leave.stream is None
    assert (join.service, join.name) == ("salon.signaling.v1.SignalingService", "Join")
    assert join.unary is None
    assert join.stream is not None
    assert set(registry.services) == {"salon.rooms.v1.RoomsService", "salon.signaling.v1.SignalingService"}


def test_short_names() -> None:
    assert short_name("salon.rooms.v1.RoomsService") == "rooms"
    assert short_name("Odd") == "odd"


def test_a_handler_must_be_asynchronous() -> None:
    class Blocking(rooms_pb2_grpc.RoomsServiceServicer):
        def Leave(self, request: rooms_pb2.LeaveRequest, context: Context) -> rooms_pb2.LeaveResponse:
            return rooms_pb2.LeaveResponse()

    with pytest.raises(TypeError, match=r"RoomsService\.Leave: must be an async def$"):
        rooms_pb2_grpc.add_RoomsServiceServicer_to_server(Blocking(), ServiceRegistry())  # type: ignore[abstract]


def test_a_streaming_handler_must_yield() -> None:
    class Writing(signaling_pb2_grpc.SignalingServiceServicer):
        async def Join(  # type: ignore[override]
            self, request: signaling_pb2.JoinRequest, context: Context
        ) -> None:
            return None

    with pytest.raises(TypeError, match=r"Join: must be an async def that yields$"):
        signaling_pb2_grpc.add_SignalingServiceServicer_to_server(Writing(), ServiceRegistry())  # type: ignore[abstract]


def test_clients_do_not_stream() -> None:
    async def talk(requests: Any, context: Any) -> Any:
        return None

    handler: Any = grpc.stream_unary_rpc_method_handler(talk)
    with pytest.raises(TypeError, match="the client streams"):
        ServiceRegistry().add_registered_method_handlers("salon.rooms.v1.RoomsService", {"Leave": handler})


async def test_it_serves_nothing_itself() -> None:
    registry = ServiceRegistry()
    registry.add_generic_rpc_handlers([])
    for attempt in (registry.start, registry.wait_for_termination, lambda: registry.stop(None)):
        with pytest.raises(TypeError, match="only records handlers"):
            await attempt()
    with pytest.raises(TypeError, match="only records handlers"):
        registry.add_insecure_port("127.0.0.1:0")
    with pytest.raises(TypeError, match="only records handlers"):
        registry.add_secure_port("127.0.0.1:0", grpc.local_server_credentials())
