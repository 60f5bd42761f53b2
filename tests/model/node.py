"""A media node: the real `NodeState`, `Mode` and `PresenceReports`, with the shell around them and the engine in short.

Stands for `salon_media.node`, `heartbeat` and the engine: a session that is connected is sent something each 200 ms, and one
that was not heard for `SILENT_AFTER` is over.
"""

from dataclasses import dataclass

from model.sim import Process
from model.surroundings import REGION, Surroundings
from salon.media.v1 import media_pb2
from salon.rooms.v1 import presence_pb2
from salon_common.ids import ParticipantId, RoomId
from salon_media.core.mode import deadline_of, read_mode
from salon_media.core.node_state import NodeState, ParticipantKey, SessionEntry, SessionStatus
from salon_media.core.presence import PresenceReports

SILENT_AFTER = 8.0
"""As the engine's default."""
BEAT_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 0.5
MAX_PARTICIPANTS = 100


@dataclass(frozen=True)
class Admitted:
    """Which session an Admit made: what the SDP answer says in reality."""

    node: "ModelNode"
    session: int


class ModelNode(Process):
    """One incarnation."""

    def __init__(self, around: Surroundings, node_id: str, boot_id: str) -> None:
        super().__init__(around.sim, node_id)
        self.boot_id = boot_id
        self.state = NodeState(boot_id, MAX_PARTICIPANTS)
        self.admissions: list[tuple[SessionEntry, int, str]] = []
        """Every admission, with the highest epoch that the room had here before, and the boot id that was asked for."""
        self._around = around
        self._presence = PresenceReports(node_id, boot_id)
        self._heard: dict[int, float] = {}
        self._sequence = 0
        around.nats.serve(
            self,
            f"media.{node_id}",
            {"Admit": self.admit, "Remove": self._remove, "SetMode": self._set_mode},
        )
        self.every(BEAT_SECONDS, self.beat)
        self.every(HOUSEKEEPING_SECONDS, self._keep_house)
        self._vouch()

    # ---- calls

    async def admit(self, request: media_pb2.AdmitRequest) -> Admitted:
        """MediaServicer.Admit."""
        key = ParticipantKey(RoomId(request.room_id), ParticipantId(request.participant.id))
        reached = max((e.epoch for e in self.state.entries() if e.key.room_id == key.room_id), default=0)
        admission = self.state.admit(
            key,
            boot_id=request.boot_id,
            session_number=request.participant.session_number,
            epoch=request.epoch,
            now=self.now,
        )
        entry = admission.entry
        self.admissions.append((entry, reached, request.boot_id))
        self._heard[entry.session] = self.now
        self._presence.note(entry)
        self._around.trace(
            self.name, f"admits {key.participant_id[:4]} #{entry.session_number} @{entry.epoch}"
        )
        return Admitted(self, entry.session)

    async def _remove(self, request: media_pb2.RemoveRequest) -> None:
        key = ParticipantKey(RoomId(request.room_id), ParticipantId(request.participant_id))
        self._gone(self.state.remove(key, request.session_number, self.now))

    async def _set_mode(self, request: media_pb2.SetModeRequest) -> None:
        self.tell_mode(request)

    def tell_mode(self, request: media_pb2.SetModeRequest) -> None:
        """An operator's word, or a signal's."""
        self.state.set_mode(read_mode(request, self.boot_id, self.now, self._around.wall))
        self._around.trace(self.name, self.state.mode.purpose.name.lower())
        self.beat()

    # ---- media, as the client's datagrams find it

    def connect(self, session: int) -> bool:
        """The client's check and handshake came through."""
        entry = self.state.entry(session)
        if entry is None:
            return False
        if entry.status is not SessionStatus.CONNECTED:
            self.state.connect(session)
            self._presence.note(entry)
        self.hear(session)
        return True

    def hear(self, session: int) -> None:
        """Something authentic came from the client."""
        self._heard[session] = self.now

    def serves(self, session: int) -> bool:
        """Whether the session gets packets now."""
        entry = self.state.entry(session)
        return self.runs and entry is not None and entry.status is SessionStatus.CONNECTED

    def has_ended(self, session: int) -> bool:
        """Whether a client that is heard would be told that its session is over."""
        return self.runs and self.state.entry(session) is None

    def roster(self, session: int) -> frozenset[str]:
        """Whose media can be had here."""
        entry = self.state.entry(session)
        if entry is None:
            return frozenset()
        connected = (e for e in self.state.sessions_in(entry.room) if e.status is SessionStatus.CONNECTED)
        return frozenset(e.key.participant_id for e in connected)

    def see_epoch(self, session: int, epoch: int) -> None:
        """EpochSeen came by the data channel."""
        self._gone(self.state.see_epoch(session, epoch))

    def end(self, session: int) -> None:
        """The client closed the connection."""
        self._gone(self.state.close(session))

    # ---- what it says by itself

    def beat(self) -> None:
        """Heartbeat."""
        self._sequence += 1
        mode = self.state.mode
        beat = presence_pb2.NodeHeartbeat(
            node_id=self.name,
            boot_id=self.boot_id,
            region=REGION,
            stress=self.state.participants / MAX_PARTICIPANTS,
            participants=self.state.participants,
            health_address=f"{self.name}:80",
            sequence=self._sequence,
            mode=mode.purpose.value,
            drain_deadline=deadline_of(mode, self.now, self._around.wall),
        )
        self._around.nats.publish(self, f"beat.media.{self.name}", beat, lossy=False)

    def _vouch(self) -> None:
        """Vouching.publish_due, each time something may be due."""
        for report in self._presence.take(self.state.entries(), self.now):
            if not self._around.nats.publish(self, "vouch", report, lossy=False):
                self._presence.restore(report, self.now)
        self.later(min(max(self._presence.next_at() - self.now, 0.02), 0.2), self._vouch)

    def _keep_house(self) -> None:
        for entry in self.state.expire(self.now):
            self._tell_gone(entry)
        for entry in self.state.entries():
            if self.now - self._heard[entry.session] >= SILENT_AFTER:
                self._gone(self.state.close(entry.session))

    def _gone(self, entry: SessionEntry | None) -> None:
        if entry is not None:
            self._tell_gone(entry)

    def _tell_gone(self, entry: SessionEntry) -> None:
        self._heard.pop(entry.session, None)
        self._presence.note_gone(entry)
        self._around.trace(self.name, f"lets {entry.key.participant_id[:4]} #{entry.session_number} go")
