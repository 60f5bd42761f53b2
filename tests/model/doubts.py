"""A replica's verdicts on nodes: the real `Directory`, with `salon_rooms.doubts` and `disconnects` around it in short."""

from collections.abc import Callable
from contextlib import suppress

from model.node import ModelNode
from model.sim import Future, Process
from model.surroundings import Surroundings
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_rooms.core.placement import Directory, NodeRef, ProbeWanted
from salon_rooms.core.suspicion import PROBE_SECONDS, ProbeOutcome

TICK_SECONDS = 0.1
ASK_SECONDS = 0.6
"""How long whoever asks waits for the outcome."""


class ModelDoubts:
    """Passes doubts on, makes the probes that are wanted, and tells who died."""

    def __init__(
        self,
        around: Surroundings,
        replica: Process,
        nodes: Directory,
        find_node: Callable[[str], ModelNode | None],
        on_dead: Callable[[NodeRef], None],
    ) -> None:
        self._around = around
        self._replica = replica
        self._nodes = nodes
        self._find_node = find_node
        self._on_dead = on_dead
        self._settled: dict[NodeRef, Future[None]] = {}
        around.nats.subscribe(replica, "disconnect.", self._on_disconnect)
        around.nats.subscribe(replica, "doubt.", self._on_doubt)
        replica.every(TICK_SECONDS, self._tick)

    async def doubt(self, ref: NodeRef, reason: presence_pb2.DoubtReason.ValueType, asker: str) -> None:
        """Open a suspicion; returns when a probe has said what is to be thought of it, at the latest after 600 ms."""
        doubt = presence_pb2.NodeDoubt(node_id=ref.node_id, boot_id=ref.boot_id, reason=reason, asker=asker)
        if not self._nodes.is_alive(ref, self._replica.now):
            return
        self._on_doubt(doubt)
        self._around.nats.publish(self._replica, f"doubt.{ref.node_id}", doubt)
        if self._is_open(ref):
            with suppress(TimeoutError):
                await self._replica.within(ASK_SECONDS, self._settled.setdefault(ref, Future()))

    def _on_disconnect(self, process: Process) -> None:
        if isinstance(process, ModelNode):
            self._nodes.handle_disconnect(NodeRef(process.name, process.boot_id), self._replica.now)
            self._settle()

    def _on_doubt(self, doubt: presence_pb2.NodeDoubt) -> None:
        self._nodes.handle_doubt(doubt, self._replica.now)
        self._settle()

    def _tick(self) -> None:
        """While NATS is away nobody can be heard, and nobody is judged."""
        if not self._around.nats.connected(self._replica):
            self._nodes.handle_own_outage(self._replica.now)
        self._nodes.tick(self._replica.now)
        self._settle()

    def _settle(self) -> None:
        now = self._replica.now
        for verdict in self._nodes.take_verdicts():
            health = nodes_pb2.NodeHealth.Name(verdict.health).removeprefix("NODE_HEALTH_").lower()
            self._around.trace(
                self._replica.name, f"finds {verdict.ref.node_id} {health}: {verdict.evidence}"
            )
            if verdict.health == nodes_pb2.NODE_HEALTH_DEAD:
                self._on_dead(verdict.ref)
        for ref in [ref for ref in self._settled if not self._is_open(ref)]:
            self._settled.pop(ref).resolve(None)
        for wanted in self._nodes.poll_probes(now):
            self._replica.spawn(self._probe(wanted))

    def _is_open(self, ref: NodeRef) -> bool:
        now = self._replica.now
        return self._nodes.answers(ref, now) and self._nodes.is_probed(ref, now)

    async def _probe(self, wanted: ProbeWanted) -> None:
        self._nodes.handle_probe(wanted.ref, await self._outcome(wanted), self._replica.now)
        self._settle()

    async def _outcome(self, wanted: ProbeWanted) -> ProbeOutcome:
        """TCP to the health port, which the process's own loop answers."""
        host, network = wanted.address.partition(":")[0], self._around.network
        await self._replica.sleep(2 * network.delay())
        node = self._find_node(host)
        if not network.reaches(self._replica.name, host) or (node is not None and node.frozen):
            await self._replica.sleep(PROBE_SECONDS)
            return ProbeOutcome.SILENT
        if node is None:
            return ProbeOutcome.REFUSED
        return ProbeOutcome.ANSWERED if node.boot_id == wanted.ref.boot_id else ProbeOutcome.OTHER_BOOT
