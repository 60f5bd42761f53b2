"""Who can vouch for whom: what the sweep of the lost is measured against.

The rule of docs/invariants.md: nobody who lives is taken out as lost while one of those who vouch for them (the node with their
newest session, the signaling replica with their stream) has been speaking to NATS without a break for `STEADY_SECONDS`, nor for
`COVERED_SECONDS` after that. A whole list comes each 5 s and vouches for 10.
"""

from collections.abc import Iterable, Mapping

from model.client import ModelClient
from model.network import Nats
from model.signaling import ModelSignaling
from model.sim import Process, Simulation
from model.store import ModelStore
from salon_media.core.presence import COMPLETE_SECONDS
from salon_rooms.core.presence import LEASE

STEADY_SECONDS = COMPLETE_SECONDS + 0.7
"""A whole list was told within this, and has arrived."""
COVERED_SECONDS = LEASE - STEADY_SECONDS - 0.5


class Vouchers:
    """Keeps, for each participant, since when each of their vouchers could speak."""

    def __init__(self, sim: Simulation, nats: Nats) -> None:
        self._sim = sim
        self._nats = nats
        self._since: dict[tuple[str, Process], float] = {}
        self._steady: dict[str, float] = {}

    def look(
        self, clients: Iterable[ModelClient], signaling: Mapping[str, ModelSignaling], store: ModelStore
    ) -> None:
        """Take note of now."""
        now = self._sim.now
        since: dict[tuple[str, Process], float] = {}
        for client in clients:
            if not client.alive or client.ended or not client.me:
                self._steady.pop(client.me, None)
                continue
            for voucher in self._vouchers_of(client, signaling, store):
                if voucher.runs and self._nats.connected(voucher):
                    key = (client.me, voucher)
                    since[key] = self._since.get(key, now)
                    if now - since[key] >= STEADY_SECONDS:
                        self._steady[client.me] = now
        self._since = since

    def vouch_for(self, participant_id: str) -> bool:
        """Whether a replica that was listening must know that somebody is there."""
        return self._sim.now - self._steady.get(participant_id, float("-inf")) < COVERED_SECONDS

    def _vouchers_of(
        self, client: ModelClient, signaling: Mapping[str, ModelSignaling], store: ModelStore
    ) -> Iterable[Process]:
        if client.signaling in signaling:
            yield signaling[client.signaling]
        room = store.room(client.room_id)
        stored = room.participants.get(client.me) if room else None
        for session in client.sessions:
            entry = session.node.state.entry(session.media.session)
            if entry and stored and entry.session_number >= stored.session_number:
                yield session.node
