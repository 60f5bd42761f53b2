"""Which rooms replicas are alive, and which of them looks after a room's presence."""

import hashlib

from salon.rooms.v1 import presence_pb2

DEAD_AFTER = 3.0
"""Seconds without a heartbeat; they come each second."""


class Replicas:
    """The living replicas; this one always is."""

    def __init__(self, own_id: str) -> None:
        self._own_id = own_id
        self._heard: dict[str, float] = {}

    def handle_beat(self, beat: presence_pb2.ReplicaHeartbeat, now: float) -> None:
        """Take a heartbeat; one that is leaving is gone at once."""
        if beat.leaving:
            self._heard.pop(beat.replica_id, None)
        else:
            self._heard[beat.replica_id] = now

    def alive(self, now: float) -> list[str]:
        """The ids of those that beat, and this one's."""
        self._heard = {key: at for key, at in self._heard.items() if now - at <= DEAD_AFTER}
        return sorted({*self._heard, self._own_id})

    def is_own(self, room_id: str, now: float) -> bool:
        """Whether this replica looks after a room: the one whose hash with the room is highest (rendezvous hashing),
        so that a replica's coming or going moves its own share alone.
        """
        return max(self.alive(now), key=lambda replica: _weight(replica, room_id)) == self._own_id


def _weight(replica: str, room_id: str) -> bytes:
    return hashlib.blake2b(f"{replica}\0{room_id}".encode(), digest_size=8).digest()
