"""One servicer, three mounts: gRPC, Connect with gRPC-Web, and NATS; and the channel that calls over NATS."""

from salon_common.rpc.connect_mount import connect_app
from salon_common.rpc.grpc_mount import GrpcMount
from salon_common.rpc.limits import MAX_MESSAGE
from salon_common.rpc.nats_channel import NatsChannel
from salon_common.rpc.nats_mount import NatsMount
from salon_common.rpc.registry import ServiceRegistry
from salon_common.web import WebMount

__all__ = [
    "MAX_MESSAGE",
    "GrpcMount",
    "NatsChannel",
    "NatsMount",
    "ServiceRegistry",
    "WebMount",
    "connect_app",
]
