"""The node: carries out what `core.node_state` decides, and tells presence what became of it.

Owns the media sessions, from admission to their end. Transports of the API, heartbeats and the publishing of reports are
other modules' work.
"""

import asyncio
import base64
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from salon.media.v1 import media_pb2
from salon.rooms.v1 import room_pb2
from salon_common.clock import Clock
from salon_common.errors import Code, SalonError, invalid
from salon_common.ids import ParticipantId, RoomId, parse_participant_id, parse_room_id

from salon_media.core.answer import NodeTransport, make_answer
from salon_media.core.mode import Mode
from salon_media.core.node_state import NodeState, ParticipantKey, SessionEntry
from salon_media.core.offer import Offer, read_offer
from salon_media.core.presence import PresenceReports
from salon_media.core.session_spec import IceCredentials, SessionSpec, make_session_spec
from salon_media.dtls import NodeCertificate
from salon_media.engine import EnginePort
from salon_media.metrics import NodeMetrics
from salon_media.session import MediaSession, slot_changes

_log = logging.getLogger(__name__)

UFRAG_BYTES: Final = 9
PWD_BYTES: Final = 18
"""144 random bits; RFC 8445 section 5.3 asks for 128."""
HOUSEKEEPING_SECONDS: Final = 0.5


class MediaNode:
    """All sessions of this process. `random(n)` gives n random bytes."""

    def __init__(
        self,
        state: NodeState,
        presence: PresenceReports,
        *,
        engine: EnginePort,
        certificate: NodeCertificate,
        addresses: Sequence[str],
        clock: Clock,
        random: Callable[[int], bytes],
        metrics: NodeMetrics,
    ) -> None:
        self._state = state
        self._presence = presence
        self._engine = engine
        self._certificate = certificate
        self._transport = NodeTransport(tuple(addresses), engine.port, certificate.fingerprint)
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._sessions: dict[int, MediaSession] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.presence_changed = asyncio.Event()
        """Set when a report may be due earlier than was thought."""
        self.mode_changed = asyncio.Event()
        """Set when a heartbeat is due at once."""
        self.empty = asyncio.Event()
        """Set while nobody has a session here."""
        self.empty.set()

    async def admit(self, request: media_pb2.AdmitRequest) -> str:
        """Make a session from an offer; returns the answer. Raises SalonError."""
        key = ParticipantKey(
            parse_room_id(request.room_id), parse_participant_id(request.participant.id, "participant.id")
        )
        if request.participant.session_number == 0:
            raise invalid("participant.session_number", "must be at least 1")
        offer = read_offer(request.offer)
        draft = self._draft(offer, request)
        admission = self._state.admit(
            key,
            boot_id=request.boot_id,
            session_number=request.participant.session_number,
            epoch=request.epoch,
            now=self._clock.now(),
            microphone=_microphone(request.participant),
        )
        entry = admission.entry
        self.empty.clear()
        spec = replace(draft, session=entry.session, room=entry.room)
        try:
            if admission.replaces is not None:
                self._tell_roster(admission.replaces)
                await self._close(admission.replaces.session)
            self._open(entry, spec, offer)
        except BaseException:
            if self._state.close(entry.session) is not None:
                self._tell_gone(entry)
            raise
        self._presence.note(entry)
        self.presence_changed.set()
        return make_answer(offer, spec, self._transport, uplink_bps=request.uplink_bps)

    async def remove(self, room_id: str, participant_id: str, session_number: int) -> None:
        """End a participant's session. Idempotent. Raises SalonError for ids that cannot be."""
        key = ParticipantKey(parse_room_id(room_id), parse_participant_id(participant_id))
        entry = self._state.remove(key, session_number, self._clock.now())
        if entry is not None:
            self._tell_gone(entry)
            await self._close(entry.session)

    def set_mode(self, mode: Mode) -> None:
        """Be for something else from now on. Raises SalonError."""
        self._state.set_mode(mode)
        _log.info(
            "the node is %s", mode.purpose.name.lower(), extra={"participants": self._state.participants}
        )
        self.mode_changed.set()

    async def keep_house(self) -> None:
        """Let go of clients that never connected, and of all who are left when draining is over; runs until cancelled."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            now = self._clock.now()
            for entry in self._state.expire(now):
                _log.info(
                    "the drain is over" if self._state.mode.is_over(now) else "never connected",
                    extra=_names(entry),
                )
                self._tell_gone(entry)
                self._close_soon(entry.session)

    async def close(self) -> None:
        """End every session, telling the clients."""
        for entry in self._state.entries():
            self._state.close(entry.session)
            self._tell_gone(entry)
            self._close_soon(entry.session)
        while self._closing:
            await asyncio.wait(self._closing)

    # -- what the engine tells --------------------------------------------------------------------------------------

    def on_dtls(self, session: int, datagram: bytes) -> None:
        """A datagram for DTLS."""
        if session in self._sessions:
            self._sessions[session].on_dtls(datagram)

    def on_selected(self, session: int) -> None:
        """The client has an address."""
        if session in self._sessions:
            self._sessions[session].on_selected()

    def on_silent(self, session: int) -> None:
        """The client was not heard for too long."""
        self.on_ended(session, "silent")

    def on_slots(self, session: int, slots: Sequence[tuple[int, int, int, int]]) -> None:
        """Slots show something else."""
        if session in self._sessions:
            self._sessions[session].on_slots(slot_changes(slots))

    def on_speakers(self, room: int, sources: Sequence[int], dominant: int) -> None:
        """Somebody else is heard in a room."""
        for entry in self._state.sessions_in(room):
            if entry.session in self._sessions:
                self._sessions[entry.session].on_speakers(sources, dominant)

    def on_failed(self, room: int) -> None:
        """The engine has lost a room: its participants must come anew."""
        for entry in self._state.sessions_in(room):
            self.on_ended(entry.session, "the room failed")

    # -- what sessions tell -----------------------------------------------------------------------------------------

    def on_connected(self, session: int) -> None:
        """The handshake is complete and the engine has the keys."""
        entry = self._state.connect(session)
        if entry is not None:
            self._metrics.handshakes.labels("completed").inc()
            self._presence.note(entry)
            self.presence_changed.set()
            self._tell_roster(entry)

    def on_handshake_failed(self, session: int, reason: str) -> None:
        """DTLS did not come about."""
        self._metrics.handshakes.labels("failed").inc()
        self.on_ended(session, reason)

    def on_ended(self, session: int, reason: str) -> None:
        """A session is over."""
        entry = self._state.close(session)
        if entry is not None:
            _log.info("session over: %s", reason, extra=_names(entry))
            self._tell_gone(entry)
            self._close_soon(session)

    def on_epoch_seen(self, session: int, epoch: int) -> None:
        """The client was placed anew since."""
        entry = self._state.see_epoch(session, epoch)
        if entry is not None:
            _log.info("placed elsewhere", extra=_names(entry))
            self._tell_gone(entry)
            self._close_soon(session)

    def on_message_refused(self, session: int) -> None:
        """A client's message was odd, or one too many."""
        self._metrics.refused_messages.inc()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _draft(self, offer: Offer, request: media_pb2.AdmitRequest) -> SessionSpec:
        """Everything about the session but its numbers, so that a bad offer changes nothing."""
        ice = IceCredentials(self._secret(UFRAG_BYTES), self._secret(PWD_BYTES))
        return make_session_spec(
            offer, request.participant, session=0, room=0, ice=ice, random_ssrcs=self._random_ssrcs()
        )

    def _secret(self, length: int) -> str:
        return base64.b64encode(self._random(length)).decode()

    def _random_ssrcs(self) -> Iterator[int]:
        while True:
            yield int.from_bytes(self._random(4), "big")

    def _open(self, entry: SessionEntry, spec: SessionSpec, offer: Offer) -> None:
        if self._state.entry(entry.session) is None:
            raise SalonError(Code.ABORTED, "the participant was removed or admitted again meanwhile")
        try:
            self._sessions[entry.session] = MediaSession(
                spec,
                offer,
                engine=self._engine,
                certificate=self._certificate,
                clock=self._clock,
                listener=self,
            )
        except ValueError as error:
            raise invalid("offer", f"contradicts itself: {error}") from error

    def _tell_gone(self, entry: SessionEntry) -> None:
        self._presence.note_gone(entry)
        self.presence_changed.set()
        if not self._state.participants:
            self.empty.set()
        self._tell_roster(entry)

    def _tell_roster(self, changed: SessionEntry) -> None:
        """Who can be heard in a room has changed by this session."""
        roster = self._state.roster(changed.room)
        for entry in self._state.sessions_in(changed.room):
            if entry.session in self._sessions:
                self._sessions[entry.session].on_roster(roster)

    def _close_soon(self, session: int) -> None:
        task = asyncio.create_task(self._close(session))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, session: int) -> None:
        media_session = self._sessions.pop(session, None)
        if media_session is None:
            return
        try:
            await media_session.close()
        except Exception:  # noqa: BLE001 - the session is forgotten all the same; the engine was told
            _log.exception("a session did not close well", extra={"session": session})


def _microphone(participant: room_pb2.Participant) -> int:
    numbers = (item.number for item in participant.sources if item.kind == room_pb2.SOURCE_KIND_MICROPHONE)
    return next(numbers, 0)


def _names(entry: SessionEntry) -> dict[str, RoomId | ParticipantId | int]:
    """Fields for the log."""
    return {
        "room": entry.key.room_id,
        "participant": entry.key.participant_id,
        "session_number": entry.session_number,
    }
