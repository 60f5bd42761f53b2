"""The store behind NATS: each read and each write is a step that can be late, refused, lost, or done without an answer.

What is stored follows the rules of `SimulatedStore`; every write is shown to the observer before anybody hears of it.
"""

from collections.abc import Callable, Sequence
from enum import Enum

from model.chance import Chance
from model.network import Nats, Network
from model.sim import Process, Simulation
from salon_rooms.core.room import Room
from salon_rooms.core.turn import Commit, Loaded
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.store import KeptEvents, StoreConflict, StoredParticipant, StoreUnavailable, StoreUnheard

ANSWER_SECONDS = 1.0
"""How long a replica waits for the store."""


class Fate(Enum):
    """What becomes of a write."""

    ANSWERED = "answered"
    LOST = "lost"
    UNANSWERED = "stored, and the answer lost"
    LATE = "stored when nobody waits any more"


class ModelStore:
    """The store as one replica after another finds it."""

    partitions = 1

    def __init__(
        self,
        sim: Simulation,
        nats: Nats,
        network: Network,
        chance: Chance,
        *,
        one_faulty_in: int,
        on_stored: Callable[[str, Room | None, Commit], None],
    ) -> None:
        self.kept = SimulatedStore()
        self._sim = sim
        self._nats = nats
        self._network = network
        self._chance = chance
        self.one_faulty_in = one_faulty_in
        """One write in so many; 0 for none."""
        self._on_stored = on_stored

    def room(self, room_id: str) -> Room | None:
        """As it is now."""
        return self.kept.read(room_id).room

    async def load(self, caller: Process, room_id: str) -> Loaded:
        """Raises StoreUnavailable."""
        await self._reach(caller)
        loaded = self.kept.read(room_id)
        await self._reach(caller)
        return loaded

    async def events(self, caller: Process, room_id: str, after: int, limit: int) -> KeptEvents:
        """Raises StoreUnavailable."""
        await self._reach(caller)
        return await self.kept.events(room_id, after, limit)

    async def participants_from(
        self, caller: Process, sequence: int, limit: int
    ) -> Sequence[StoredParticipant]:
        """Raises StoreUnavailable."""
        await self._reach(caller)
        return await self.kept.participants_from(0, sequence, limit)

    async def commit(self, caller: Process, room_id: str, commit: Commit) -> int:
        """Raises StoreConflict, StoreUnheard, StoreUnavailable."""
        if not self._nats.connected(caller):
            raise StoreUnavailable
        fate = self._fate()
        await caller.sleep(self._network.delay())
        if not self._nats.connected(caller) or fate is Fate.LOST:
            await caller.sleep(ANSWER_SECONDS)
            raise StoreUnheard
        if fate is Fate.LATE:
            self._sim.at(2 * ANSWER_SECONDS * self._chance.fraction(), lambda: self._land(room_id, commit))
            await caller.sleep(ANSWER_SECONDS)
            raise StoreUnheard
        try:
            sequence = self._write(room_id, commit)
        except StoreConflict:
            if fate is Fate.UNANSWERED:
                await caller.sleep(ANSWER_SECONDS)
                raise StoreUnheard from None
            await caller.sleep(self._network.delay())
            raise
        await caller.sleep(self._network.delay())
        if fate is Fate.UNANSWERED or not self._nats.connected(caller):
            await caller.sleep(ANSWER_SECONDS)
            raise StoreUnheard
        return sequence

    def _fate(self) -> Fate:
        if not self.one_faulty_in or self._chance.pick(self.one_faulty_in) != 1:
            return Fate.ANSWERED
        return list(Fate)[1 + self._chance.pick(3)]

    def _land(self, room_id: str, commit: Commit) -> None:
        try:
            self._write(room_id, commit)
        except StoreConflict:
            return

    def _write(self, room_id: str, commit: Commit) -> int:
        before = self.room(room_id)
        sequence = self.kept.write(room_id, commit)
        self._on_stored(room_id, before, commit)
        return sequence

    async def _reach(self, caller: Process) -> None:
        """One way to the store or back."""
        await caller.sleep(self._network.delay())
        if not self._nats.connected(caller):
            await caller.sleep(ANSWER_SECONDS)
            raise StoreUnavailable
