"""Keeps the verdicts on nodes true: passes doubts between replicas, makes the probes that are wanted, and tells who died.

What follows from evidence is decided in `core.suspicion`; each replica comes to its own verdicts.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_common.clock import Clock

from salon_rooms import metrics
from salon_rooms.core.placement import PROBES_AT_ONCE, Directory, NodeRef, ProbeWanted, Verdict
from salon_rooms.core.suspicion import ProbeOutcome
from salon_rooms.probe import probe

_log = logging.getLogger(__name__)

TICK_SECONDS = 0.1
ASK_SECONDS = 0.6
"""How long whoever asks waits for the outcome: a probe, and as much again for a busy machine."""
MAX_ASKER = 128
"""Characters of an asker's mark."""

_HEALTH = {
    nodes_pb2.NODE_HEALTH_ALIVE: "alive",
    nodes_pb2.NODE_HEALTH_SUSPECTED: "suspected",
    nodes_pb2.NODE_HEALTH_ISOLATED: "isolated",
    nodes_pb2.NODE_HEALTH_DEAD: "dead",
}
_GRAVE = (nodes_pb2.NODE_HEALTH_ISOLATED, nodes_pb2.NODE_HEALTH_DEAD)


class Doubts:
    """One replica's part in finding out who is alive."""

    def __init__(
        self,
        nc: Client,
        region: str,
        nodes: Directory,
        clock: Clock,
        *,
        on_dead: Callable[[NodeRef], None] = lambda _ref: None,
        prober: Callable[[str, str], Awaitable[ProbeOutcome]] = probe,
    ) -> None:
        """`on_dead` is called at once when a node is found dead; whoever missed it finds it in `Directory.dead`."""
        self._nc = nc
        self._region = region
        self._nodes = nodes
        self._clock = clock
        self._on_dead = on_dead
        self._prober = prober
        self._subscription: Subscription | None = None
        self._probes: set[asyncio.Task[None]] = set()
        self._settled: dict[NodeRef, asyncio.Event] = {}
        self._is_scheduled = False
        self._is_stopped = False

    async def start(self) -> None:
        """Hear the other replicas' doubts."""
        subject = f"doubt.{self._region}.*"
        self._subscription = await self._nc.subscribe(subject, cb=self._on_doubt)

    async def run(self) -> None:
        """Judge again and again, until cancelled. While NATS is away nobody can be heard, and nobody is judged."""
        while True:
            now = self._clock.now()
            if not self._nc.is_connected:
                self._nodes.handle_own_outage(now)
            self._nodes.tick(now)
            try:
                self._settle()
            except Exception:  # noqa: BLE001 - nodes must be judged after any fault
                _log.exception("judging nodes failed")
            await asyncio.sleep(TICK_SECONDS)

    async def stop(self) -> None:
        """Hear no more, and drop the probes under way."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()
        self._is_stopped = True
        for task in self._probes:
            task.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)

    async def ask(self, ref: NodeRef, asker: str) -> None:
        """Somebody hears a node no more. Returns when a probe has said what that means, at the latest after 600 ms;
        at once when the node is known to be silent or dead.
        """
        await self._doubt(ref, presence_pb2.DOUBT_REASON_UNHEARD, asker)

    async def handle_unanswered(self, ref: NodeRef) -> None:
        """A node did not answer a call. Returns as `ask` does."""
        await self._doubt(ref, presence_pb2.DOUBT_REASON_UNANSWERED, "")

    def handle_disconnect(self, ref: NodeRef) -> None:
        """A node's connection to NATS has ended."""
        self._nodes.handle_disconnect(ref, self._clock.now())
        self._schedule()

    # ---- doubts

    async def _doubt(self, ref: NodeRef, reason: presence_pb2.DoubtReason.ValueType, asker: str) -> None:
        doubt = presence_pb2.NodeDoubt(node_id=ref.node_id, boot_id=ref.boot_id, reason=reason, asker=asker)
        if not self._nodes.is_alive(ref, self._clock.now()):
            return
        self._nodes.handle_doubt(doubt, self._clock.now())
        self._schedule()
        if self._nc.is_connected:
            with contextlib.suppress(nats.errors.Error):
                await self._nc.publish(f"doubt.{self._region}.{ref.node_id}", doubt.SerializeToString())
        if not self._is_open(ref):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASK_SECONDS):
                await self._settled.setdefault(ref, asyncio.Event()).wait()

    async def _on_doubt(self, message: Msg) -> None:
        try:
            doubt = presence_pb2.NodeDoubt.FromString(message.data)
        except DecodeError:
            metrics.BAD_MESSAGES.labels("doubt").inc()
            return
        if message.subject.rpartition(".")[2] != doubt.node_id or len(doubt.asker) > MAX_ASKER:
            metrics.BAD_MESSAGES.labels("doubt").inc()
            return
        self._nodes.handle_doubt(doubt, self._clock.now())
        self._schedule()

    # ---- verdicts and probes

    def _schedule(self) -> None:
        """Settle once for all evidence that comes in the same turn of the loop."""
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        self._is_scheduled = False
        if self._is_stopped:
            return
        for verdict in self._nodes.take_verdicts():
            self._tell(verdict)
        for ref in [ref for ref in self._settled if not self._is_open(ref)]:
            self._settled.pop(ref).set()
        free = PROBES_AT_ONCE - len(self._probes)
        for wanted in self._nodes.poll_probes(self._clock.now(), free):
            task = asyncio.create_task(self._probe(wanted))
            self._probes.add(task)
            task.add_done_callback(self._end_probe)

    def _is_open(self, ref: NodeRef) -> bool:
        """Whether a probe is about to say something. A node that is known to be silent is probed again and again, and not
        waited for: whoever asks may go elsewhere at once.
        """
        now = self._clock.now()
        return self._nodes.answers(ref, now) and self._nodes.is_probed(ref, now)

    def _tell(self, verdict: Verdict) -> None:
        health = _HEALTH[verdict.health]
        metrics.VERDICTS.labels(health).inc()
        _log.log(
            logging.WARNING if verdict.health in _GRAVE else logging.INFO,
            "node %s: %s",
            health,
            verdict.evidence,
            extra={"node": verdict.ref.node_id, "boot": verdict.ref.boot_id},
        )
        if verdict.health == nodes_pb2.NODE_HEALTH_DEAD:
            self._on_dead(verdict.ref)

    async def _probe(self, wanted: ProbeWanted) -> None:
        try:
            outcome = await self._prober(wanted.address, wanted.ref.boot_id)
        except Exception:  # noqa: BLE001 - without an outcome the node would never be probed again
            _log.exception("a probe failed", extra={"node": wanted.ref.node_id})
            outcome = ProbeOutcome.SILENT
        metrics.PROBES.labels(outcome.value).inc()
        self._nodes.handle_probe(wanted.ref, outcome, self._clock.now())

    def _end_probe(self, task: "asyncio.Task[None]") -> None:
        self._probes.discard(task)
        self._schedule()
