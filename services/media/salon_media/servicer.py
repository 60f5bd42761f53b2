"""MediaService as other services call it; the mount turns SalonError into a status."""

import logging
from typing import Any

import grpc.aio
from salon.media.v1 import media_pb2, media_pb2_grpc
from salon_common.clock import Clock
from salon_common.errors import SalonError

from salon_media.core.mode import read_mode
from salon_media.core.node_state import NodeState
from salon_media.engine import EnginePort
from salon_media.node import MediaNode

_log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class MediaServicer(media_pb2_grpc.MediaServiceServicer):
    """Translates calls into the node's methods."""

    def __init__(
        self, node_id: str, node: MediaNode, state: NodeState, engine: EnginePort, clock: Clock
    ) -> None:
        self._node_id = node_id
        self._node = node
        self._state = state
        self._engine = engine
        self._clock = clock

    async def Admit(self, request: media_pb2.AdmitRequest, context: Context) -> media_pb2.AdmitResponse:
        """Make a participant's media session."""
        try:
            answer = await self._node.admit(request)
        except SalonError as error:
            extra = {"room": request.room_id[:64], "participant": request.participant.id[:64]}
            _log.info("not admitted: %s: %s", error.code.name, error.message, extra=extra)
            raise
        return media_pb2.AdmitResponse(answer=answer)

    async def Remove(self, request: media_pb2.RemoveRequest, context: Context) -> media_pb2.RemoveResponse:
        """End a participant's media session."""
        await self._node.remove(request.room_id, request.participant_id, request.session_number)
        return media_pb2.RemoveResponse()

    async def Inspect(self, request: media_pb2.InspectRequest, context: Context) -> media_pb2.InspectResponse:
        """Say how the node is doing."""
        counters = self._engine.counters()
        return media_pb2.InspectResponse(
            node_id=self._node_id,
            boot_id=self._state.boot_id,
            rooms=self._state.rooms,
            participants=self._state.participants,
            datagrams_in=counters.get("datagrams_in", 0),
            datagrams_out=counters.get("datagrams_out", 0),
        )

    async def SetMode(self, request: media_pb2.SetModeRequest, context: Context) -> media_pb2.SetModeResponse:
        """Take everybody, take no new rooms, or be emptied until a deadline."""
        mode = read_mode(request, self._state.boot_id, self._clock.now(), self._clock.wall())
        self._node.set_mode(mode)
        return media_pb2.SetModeResponse(participants=self._state.participants)
