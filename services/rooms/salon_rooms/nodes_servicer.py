"""NodesService: lists the region's media nodes as this replica sees them, and tells one what it is for.

A node is the only keeper of its mode: it is told here, and says so in its heartbeats from then on.
"""

from salon.rooms.v1 import nodes_pb2, nodes_pb2_grpc, presence_pb2
from salon_common.clock import Clock
from salon_common.errors import Code, SalonError

from salon_rooms.core import limits
from salon_rooms.core.occupants import Occupants
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.room import timestamp
from salon_rooms.core.suspicion import Health
from salon_rooms.node_client import NodeClient

DEFAULT_DRAIN_SECONDS = 120

Context = object
"""Not used: what a servicer needs is in the request."""


class NodesServicer(nodes_pb2_grpc.NodesServiceServicer):
    """The media nodes of one region."""

    def __init__(self, nodes: Directory, occupants: Occupants, node_client: NodeClient, clock: Clock) -> None:
        self._nodes = nodes
        self._occupants = occupants
        self._node_client = node_client
        self._clock = clock

    async def ListNodes(
        self, request: nodes_pb2.ListNodesRequest, context: Context
    ) -> nodes_pb2.ListNodesResponse:
        beats = self._nodes.beats(self._clock.now())
        return nodes_pb2.ListNodesResponse(nodes=[self._status(beat, health) for beat, health in beats])

    async def SetNodeMode(
        self, request: nodes_pb2.SetNodeModeRequest, context: Context
    ) -> nodes_pb2.SetNodeModeResponse:
        limits.check_set_node_mode(request)
        status = self._find(request.node_id)
        deadline = None
        if request.mode == presence_pb2.NODE_MODE_DRAINING:
            deadline = timestamp(self._clock.wall() + (request.drain_seconds or DEFAULT_DRAIN_SECONDS))
        node = NodeRef(status.node_id, status.boot_id)
        status.participants = await self._node_client.set_mode(node, request.mode, deadline)
        status.mode = request.mode
        status.ClearField("drain_deadline")
        if deadline is not None:
            status.drain_deadline.CopyFrom(deadline)
        return nodes_pb2.SetNodeModeResponse(node=status)

    def _find(self, node_id: str) -> nodes_pb2.NodeStatus:
        """A living node. Raises SalonError NOT_FOUND, FAILED_PRECONDITION."""
        for beat, health in self._nodes.beats(self._clock.now()):
            if beat.node_id != node_id:
                continue
            if health == nodes_pb2.NODE_HEALTH_DEAD:
                raise SalonError(Code.FAILED_PRECONDITION, f"node {node_id} is dead")
            return self._status(beat, health)
        raise SalonError(Code.NOT_FOUND, f"there is no node {node_id}: `salon nodes` lists those there are")

    def _status(self, beat: presence_pb2.NodeHeartbeat, health: Health) -> nodes_pb2.NodeStatus:
        node = NodeRef(beat.node_id, beat.boot_id)
        status = nodes_pb2.NodeStatus(
            node_id=beat.node_id,
            boot_id=beat.boot_id,
            health=health,
            mode=beat.mode or presence_pb2.NODE_MODE_ACTIVE,
            stress=beat.stress,
            participants=beat.participants,
            placed=self._occupants.people_on(node),
            rooms=len(self._occupants.rooms_on(node)),
        )
        if beat.HasField("drain_deadline"):
            status.drain_deadline.CopyFrom(beat.drain_deadline)
        return status
