"""Tells media nodes to end sessions, as a courtesy: a node that does not hear it says so in its next whole list. And tells
them what they are for.
"""

import asyncio
import logging

from google.protobuf.timestamp_pb2 import Timestamp
from nats.aio.client import Client
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon.rooms.v1 import presence_pb2
from salon_common.errors import Code, SalonError
from salon_common.rpc import NatsChannel

from salon_rooms import metrics
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.room import Removal

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 0.5
MODE_SECONDS = 1.5
MAX_AT_ONCE = 200


class NodeClient:
    """Calls nodes of one region."""

    def __init__(self, nc: Client, region: str) -> None:
        self._nc = nc
        self._region = region
        self._calls: set[asyncio.Task[None]] = set()

    def remove(self, removal: Removal) -> None:
        """Have a node end a session, in the background."""
        if len(self._calls) >= MAX_AT_ONCE:
            metrics.REMOVALS.labels("dropped").inc()
            return
        call = asyncio.create_task(self._remove(removal))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def set_mode(
        self, node: NodeRef, mode: presence_pb2.NodeMode.ValueType, deadline: Timestamp | None
    ) -> int:
        """Have an incarnation do as told; how many participants it serves. Raises SalonError: the node's own, or UNAVAILABLE."""
        request = media_pb2.SetModeRequest(boot_id=node.boot_id, mode=mode, deadline=deadline)
        try:
            return (await self._stub(node.node_id).SetMode(request, timeout=MODE_SECONDS)).participants
        except SalonError as error:
            if error.code in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED):
                raise SalonError(
                    Code.UNAVAILABLE, f"node {node.node_id} does not answer: try again in a moment"
                ) from error
            raise

    async def close(self) -> None:
        """Let the calls under way end."""
        await asyncio.gather(*self._calls)

    def _stub(self, node_id: str) -> "media_pb2_grpc.MediaServiceAsyncStub":
        return media_pb2_grpc.MediaServiceStub(NatsChannel(self._nc, region=self._region, node=node_id))

    async def _remove(self, removal: Removal) -> None:
        request = media_pb2.RemoveRequest(
            room_id=removal.room_id,
            participant_id=removal.participant_id,
            session_number=removal.session_number,
        )
        try:
            await self._stub(removal.node_id).Remove(request, timeout=ANSWER_SECONDS)
        except SalonError as error:
            metrics.REMOVALS.labels("failed").inc()
            _log.debug(
                "a node was not told to end a session: %s",
                error.message,
                extra={
                    "room": removal.room_id,
                    "participant": removal.participant_id,
                    "node": removal.node_id,
                },
            )
        else:
            metrics.REMOVALS.labels("done").inc()
