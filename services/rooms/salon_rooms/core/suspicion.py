"""Whether one incarnation of a node is alive: what speaks for it, what against it, and the verdict.

A `Watch` takes the evidence and the passing of time. Of other nodes it is told one thing, whether anybody is
heard: a replica that hears nobody is itself the one that is cut off, and condemns nobody by silence. The rules as a
table are in docs/recovery.md.
"""

from enum import Enum, StrEnum
from typing import Final, TypeAlias

from salon.rooms.v1 import nodes_pb2

LATE_AFTER: Final = 1.15
"""Seconds without a heartbeat that make a suspicion; they come each second. A probe costs little, and so the silence of a
node that was frozen is mostly known when its people ask, a second after their last packet."""
OVERDUE_AFTER: Final = 1.4
"""Seconds without a heartbeat that speak against a node."""
DEAD_AFTER: Final = 3.0
"""Seconds without a sign of life that condemn a silent node."""
ASKS_WITHIN: Final = 3.0
"""Seconds within which two askers condemn a silent node."""
PROBE_SECONDS: Final = 0.3
"""How long a probe waits for its answer, and so how often a silent node is probed."""
PROBE_SLOWLY: Final = 1.0
"""Seconds between probes of a node that answers but does not beat, or that has been silent for long."""
SILENT_FOR_LONG: Final = 5.0
INTRODUCE_AGAIN: Final = 10.0
"""Seconds until an address that has never answered is tried again."""
FRESH: Final = 0.1
"""Seconds for which a probe that was answered answers doubts that come later."""
UNDER_WAY: Final = 0.5
"""Seconds for which heartbeats of a process that is gone may still arrive."""

Health: TypeAlias = nodes_pb2.NodeHealth.ValueType

_NEVER: Final = float("inf")
_NOT_YET: Final = float("-inf")


class ProbeOutcome(Enum):
    """What came of a probe."""

    REFUSED = "refused"
    """Refused or reset: no process has the port."""
    OTHER_BOOT = "other_boot"
    """Somebody else answered: another incarnation, or another program."""
    ANSWERED = "answered"
    """This incarnation answered."""
    SILENT = "silent"
    """No answer in time, or no way there."""


class Evidence(StrEnum):
    """Why a node is thought to be as it is."""

    BEATS = "it beats"
    DISCONNECTED = "its connection to NATS has ended"
    UNHEARD = "a client hears it no more"
    UNANSWERED = "it did not answer a call"
    OVERDUE = "its heartbeat is overdue"
    ANSWERED = "it answers its probe"
    ONLY_ANSWERS = "it answers its probe, and is not heard over NATS"
    REFUSED = "its health port is closed"
    OTHER_BOOT = "another process has its health port"
    RESTARTED = "another incarnation beats"
    SILENT_AND_UNHEARD = "it does not answer its probe, and two clients hear it no more"
    SILENT = "it has given no sign of life for too long"


_PROOFS: Final = {
    ProbeOutcome.REFUSED: Evidence.REFUSED,
    ProbeOutcome.OTHER_BOOT: Evidence.OTHER_BOOT,
}
"""What shows that a process is gone, and not only out of hearing."""


class Watch:
    """The evidence about one incarnation, from its first heartbeat on. `judge` after each input, and as time passes."""

    def __init__(self, now: float, *, has_address: bool) -> None:
        self.health: Health = nodes_pb2.NODE_HEALTH_ALIVE
        self.evidence = Evidence.BEATS
        self.heard = now
        """When it beat, or was given time to beat again."""
        self.condemned_at = _NEVER
        self._suspected_at = _NEVER
        self._silent = False
        self._asks: list[tuple[str, float]] = []
        self._answered = _NOT_YET
        """When the last probe began that it answered."""
        self._is_introduced = False
        """Whether its address has ever answered: one that has not may be wrong, and proves nothing by refusing."""
        self._probe_at = now if has_address else _NEVER
        self._probe_began = _NOT_YET
        self._is_probing = False
        self._probe_counts = False
        """Whether the probe under way began in this suspicion: an answer to an older one says nothing about it."""
        self._has_answered = False
        """Whether a probe that counts was answered."""

    @property
    def is_suspected(self) -> bool:
        """Whether something speaks against it that is not settled."""
        return self._suspected_at != _NEVER

    @property
    def answers(self) -> bool:
        """Whether it is not known to be silent or dead."""
        return self.health != nodes_pb2.NODE_HEALTH_DEAD and not self._silent

    @property
    def is_gone(self) -> bool:
        """Whether its process is proved to have ended: it is not only out of hearing."""
        return self.evidence in _PROOFS.values()

    @property
    def is_stranger(self) -> bool:
        """Whether it is to be probed without a suspicion, to learn whether its address is right."""
        return not (self.is_suspected or self._is_introduced) and (
            self._is_probing or self._probe_at != _NEVER
        )

    def is_probed(self, now: float) -> bool:
        """Whether the outcome of a probe is about to settle something."""
        return self.is_suspected and (self._is_probing or self._probe_at <= now)

    # ---- evidence

    def handle_beat(self, now: float) -> bool:
        """It beat, which clears it of everything. False when it is known to be gone, and this was still under way."""
        if self.is_gone and now - self.condemned_at < UNDER_WAY:
            return False
        self.heard = now
        self._clear(Evidence.BEATS)
        return True

    def handle_own_outage(self, now: float) -> None:
        """Nothing could be heard until now: it has time to beat again."""
        self.heard = now

    def handle_disconnect(self, now: float) -> None:
        """Its connection to NATS has ended: by its death, in order, or with the server."""
        self._suspect(Evidence.DISCONNECTED, now)

    def handle_doubt(self, evidence: Evidence, asker: str, now: float) -> None:
        """Somebody doubts it; `asker` tells those apart who hear it no more."""
        if asker:
            others = [(who, at) for who, at in self._asks if who != asker]
            self._asks = [*others[-1:], (asker, now)]
        if now - self._answered >= FRESH:
            self._suspect(evidence, now)

    def handle_probe(self, outcome: ProbeOutcome, now: float) -> None:
        """The probe that was taken has ended."""
        self._is_probing = False
        if self.health == nodes_pb2.NODE_HEALTH_DEAD:
            return
        if outcome is ProbeOutcome.ANSWERED:
            self._handle_answer(now)
        elif not self._is_introduced:
            self._probe_at = now + INTRODUCE_AGAIN
        elif proof := _PROOFS.get(outcome):
            self.condemn(proof, now)
        elif self.is_suspected:
            self._silent = True
            pause = PROBE_SLOWLY if now - self._suspected_at > SILENT_FOR_LONG else PROBE_SECONDS
            self._probe_at = max(now, self._probe_began + pause)

    # ---- verdicts

    def judge(self, now: float, *, anybody_heard: bool) -> None:
        """Come to a verdict from what is known."""
        if self.health == nodes_pb2.NODE_HEALTH_DEAD:
            return
        late = now - self.heard
        if late > LATE_AFTER and anybody_heard and not self.is_suspected:
            self._suspect(Evidence.OVERDUE, now)
        if not self.is_suspected:
            return
        if self._is_silent(late):
            self._judge_silent(now, late, anybody_heard=anybody_heard)
        elif self._has_answered:
            self._judge_answering(late, anybody_heard=anybody_heard)

    def condemn(self, evidence: Evidence, now: float) -> None:
        """It is dead, unless it beats again."""
        self._clear(evidence)
        self.health = nodes_pb2.NODE_HEALTH_DEAD
        self.condemned_at = now
        self._probe_at = _NEVER

    # ---- probing

    def take_probe(self, now: float) -> bool:
        """Whether a probe is wanted now; then it is the caller's to make."""
        if self._is_probing or now < self._probe_at:
            return False
        self._is_probing, self._probe_began, self._probe_at = True, now, _NEVER
        self._probe_counts = self.is_suspected
        return True

    # ---- inside

    def _suspect(self, evidence: Evidence, now: float) -> None:
        if self.health == nodes_pb2.NODE_HEALTH_DEAD:
            return
        if not self.is_suspected:
            self._suspected_at = now
            self.health, self.evidence = nodes_pb2.NODE_HEALTH_SUSPECTED, evidence
        if self._is_introduced and not self._is_probing:
            self._probe_at = now

    def _clear(self, evidence: Evidence) -> None:
        self.health, self.evidence = nodes_pb2.NODE_HEALTH_ALIVE, evidence
        self.condemned_at = self._suspected_at = _NEVER
        self._silent = self._has_answered = self._probe_counts = False
        self._asks = []
        if self._is_introduced:
            self._probe_at = _NEVER

    def _handle_answer(self, now: float) -> None:
        self._is_introduced = True
        self._silent = False
        self._answered = self._probe_began
        self._has_answered = self._probe_counts
        if not self.is_suspected:
            self._probe_at = _NEVER
        else:
            self._probe_at = now + PROBE_SLOWLY if self._probe_counts else now

    def _is_silent(self, late: float) -> bool:
        return self._silent if self._is_introduced else late > OVERDUE_AFTER

    def _judge_silent(self, now: float, late: float, *, anybody_heard: bool) -> None:
        self.health = nodes_pb2.NODE_HEALTH_SUSPECTED
        if not anybody_heard:
            return
        asks = sum(1 for _, at in self._asks if now - at <= ASKS_WITHIN)
        if asks > 1 and late > OVERDUE_AFTER:
            self.condemn(Evidence.SILENT_AND_UNHEARD, now)
        elif now - max(self.heard, self._answered) > DEAD_AFTER:
            self.condemn(Evidence.SILENT, now)

    def _judge_answering(self, late: float, *, anybody_heard: bool) -> None:
        """Once isolated it stays so until it beats: an outage of our own says nothing about it."""
        if self.health == nodes_pb2.NODE_HEALTH_ISOLATED:
            return
        if late <= (LATE_AFTER if self.evidence is Evidence.OVERDUE else OVERDUE_AFTER):
            self._clear(Evidence.ANSWERED)
        elif late > DEAD_AFTER and anybody_heard:
            self.health, self.evidence = nodes_pb2.NODE_HEALTH_ISOLATED, Evidence.ONLY_ANSWERS
