"""Media nodes, as signaling asks them: admit a participant, or forget one."""

import logging
from collections.abc import Callable

import grpc.aio
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon_common.errors import SalonError

_log = logging.getLogger(__name__)


class MediaClient:
    """Every node, by its id."""

    def __init__(self, channel_to: Callable[[str], grpc.aio.Channel]) -> None:
        """`channel_to` makes the channel to a node."""
        self._channel_to = channel_to
        self._stubs: dict[str, media_pb2_grpc.MediaServiceAsyncStub] = {}

    async def admit(self, node_id: str, request: media_pb2.AdmitRequest, timeout: float) -> str:
        """The node's SDP answer. Raises SalonError as the node says, or UNAVAILABLE or DEADLINE_EXCEEDED without it."""
        return (await self._stub(node_id).Admit(request, timeout=timeout)).answer

    async def remove(self, node_id: str, request: media_pb2.RemoveRequest) -> None:
        """End a session, if the node can be reached; if not, the node notices the silence."""
        try:
            await self._stub(node_id).Remove(request, timeout=0.5)
        except SalonError as error:
            _log.info(
                "a node could not be told to forget a participant: %s",
                error.message,
                extra={"node": node_id, "room": request.room_id, "participant": request.participant_id},
            )

    def _stub(self, node_id: str) -> "media_pb2_grpc.MediaServiceAsyncStub":
        if node_id not in self._stubs:
            self._stubs[node_id] = media_pb2_grpc.MediaServiceStub(self._channel_to(node_id))
        return self._stubs[node_id]
