"""The loop: ask rooms how the nodes are, ask Kubernetes what is written, write what is off. What that is, is `core.scaling`'s."""

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from salon.rooms.v1 import nodes_pb2
from salon_common.clock import Clock
from salon_common.errors import SalonError

from salon_rooms.core.scaling import CostPatch, Pod, Scaling

if TYPE_CHECKING:
    # Declared in the generated types alone; at run time one class serves both kinds of channel.
    from salon.rooms.v1.nodes_pb2_grpc import NodesServiceAsyncStub

_log = logging.getLogger(__name__)


class PodsPort(Protocol):
    """What is wanted of Kubernetes."""

    async def list(self) -> list[Pod]:
        """The media pods. Raises SalonError."""
        ...

    async def write(self, patch: CostPatch) -> None:
        """Write one cost. Raises SalonError."""
        ...


class Scaler:
    """Keeps the costs of one region's media pods."""

    def __init__(self, nodes: "NodesServiceAsyncStub", pods: PodsPort, clock: Clock) -> None:
        self._nodes = nodes
        self._pods = pods
        self._clock = clock
        self._scaling = Scaling()
        self._problem = ""

    async def run(self, seconds: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        """One round. While somebody does not answer everything stays as it was written last."""
        try:
            nodes = (await self._nodes.ListNodes(nodes_pb2.ListNodesRequest())).nodes
            pods = await self._pods.list()
            for patch in self._scaling.plan(nodes, pods, self._clock.now()):
                await self._pods.write(patch)
                _log.info("cost", extra={"pod": patch.pod, "cost": patch.cost})
        except SalonError as error:
            self._tell(error.message)
        else:
            self._tell("")

    def _tell(self, problem: str) -> None:
        """A problem is logged when it comes and when it goes."""
        if problem and not self._problem:
            _log.warning("costs stay as they are: %s", problem)
        elif self._problem and not problem:
            _log.info("costs are kept again")
        self._problem = problem
