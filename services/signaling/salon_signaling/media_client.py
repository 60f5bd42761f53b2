"""Media nodes, as signaling asks them: admit a participant, or forget one."""

import logging
from collections.abc import Callable

import grpc.aio
import nats.errors
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon_common.errors import Code, SalonError

_log = logging.getLogger(__name__)


class UnansweredError(SalonError):
    """A node said nothing, where it could have refused."""


class MediaClient:
    """Every node, by its id."""

    def __init__(self, channel_to: Callable[[str], grpc.aio.Channel]) -> None:
        """`channel_to` makes the channel to a node."""
        self._channel_to = channel_to
        self._stubs: dict[str, media_pb2_grpc.MediaServiceAsyncStub] = {}

    async def admit(self, node_id: str, request: media_pb2.AdmitRequest, timeout: float) -> str:
        """The node's SDP answer. Raises SalonError as the node says, and UnansweredError when it says nothing."""
        try:
            return (await self._stub(node_id).Admit(request, timeout=timeout)).answer
        except SalonError as error:
            nobody_there = isinstance(error.__cause__, nats.errors.NoRespondersError)
            if nobody_there or error.code == Code.DEADLINE_EXCEEDED:
                raise UnansweredError(error.code, error.message) from error
            raise

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
