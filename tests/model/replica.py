"""A rooms replica: the real commands, `Directory`, `PresenceTracker` and `Replicas`, with servicer, sweeper, doubts, evacuation
and mover around them in short.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from model.doubts import ModelDoubts
from model.moves import ModelMoves
from model.network import Handler
from model.node import ModelNode
from model.sim import Future, Process
from model.store import ModelStore
from model.surroundings import Surroundings
from model.writer import Writer
from salon.media.v1 import media_pb2
from salon.rooms.v1 import presence_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import ID_BYTES
from salon_rooms.core.command import Command, Moment, existing
from salon_rooms.core.entering import CHOICE_BYTES, Join, Locate, Replace
from salon_rooms.core.limits import MAX_EVENTS_IN_REPLY
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.places import node_of
from salon_rooms.core.presence import HeardParticipant, LostParticipant, PresenceTracker
from salon_rooms.core.replay import continue_from
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.room import Change, Removal
from salon_rooms.core.staying import Connected, Leave, Lost, SendChat, Vouched
from salon_rooms.store import StoreUnavailable

SWEEP_SECONDS = 0.5
BEAT_SECONDS = 1.0
PAGE = 500
LISTEN_SECONDS = 1.2 * BEAT_SECONDS


class ModelReplica(Process):
    """One replica's incarnation."""

    def __init__(
        self,
        around: Surroundings,
        name: str,
        boot_id: str,
        store: ModelStore,
        find_node: Callable[[str], ModelNode | None],
    ) -> None:
        super().__init__(around.sim, name)
        self.nodes = Directory(self.now)
        self.tracker = PresenceTracker(self.now)
        self.replicas = Replicas(name)
        self._around = around
        self._boot_id = boot_id
        self._store = store
        self._moves = ModelMoves(
            around, self, self.nodes, self.replicas, self.tracker.occupants, self.submit, self._follow
        )
        self._doubts = ModelDoubts(around, self, self.nodes, find_node, self._moves.on_dead)
        self._writers: dict[str, Writer] = {}
        self._turns = 0
        self._next_sequence = 1
        self._reading: Future[None] | None = None
        self._sweeping = False
        self._work: set[tuple[str, ...]] = set()
        self._beat_late_at = self.now + 3 * BEAT_SECONDS
        self._reconnected = False
        nats = around.nats
        nats.subscribe(self, "beat.media.", lambda beat: self.nodes.handle_beat(beat, self.now))
        nats.subscribe(self, "beat.rooms.", lambda beat: self.replicas.handle_beat(beat, self.now))
        nats.subscribe(self, "vouch", self._on_report)
        nats.on_reconnected(self, self._on_reconnected)
        methods: dict[str, Handler] = {
            "Join": self._join,
            "Replace": self._replace,
            "Leave": self._leave,
            "SendChat": self._chat,
            "Replay": self._replay,
        }
        # A new replica listens for heartbeats before it takes calls.
        self.later(LISTEN_SECONDS, lambda: nats.serve(self, "rooms", methods))
        self.every(BEAT_SECONDS, self._beat)
        self.every(SWEEP_SECONDS, lambda: self.spawn(self._sweep()))

    # ---- calls: RoomsServicer

    async def submit(self, room_id: str, command: Command[Any]) -> Any:
        """Have a command written. Raises SalonError."""
        writer = self._writers.get(room_id)
        if writer is None:
            writer = Writer(self, room_id, self._store, self._moment, self._turn_id, self._on_committed)
            self._writers[room_id] = writer
        return await writer.submit(command)

    async def _join(self, request: rooms_pb2.JoinRequest) -> rooms_pb2.JoinResponse:
        if request.unheard_epoch:
            unheard: NodeRef | None = await self.submit(
                request.room_id, Locate(request.participant_id, request.unheard_epoch)
            )
            if unheard is not None:
                await self._doubts.doubt(unheard, presence_pb2.DOUBT_REASON_UNHEARD, request.asker)
        random = self._around.chance.bytes(ID_BYTES + CHOICE_BYTES)
        answer: rooms_pb2.JoinResponse = await self.submit(request.room_id, Join(request, random))
        return answer

    async def _replace(self, request: rooms_pb2.ReplaceRequest) -> rooms_pb2.ReplaceResponse:
        if request.unanswered:
            await self._doubts.doubt(node_of(request.failed), presence_pb2.DOUBT_REASON_UNANSWERED, "")
        answer: rooms_pb2.ReplaceResponse = await self.submit(
            request.room_id, Replace(request, self._around.chance.bytes(CHOICE_BYTES))
        )
        return answer

    async def _leave(self, request: rooms_pb2.LeaveRequest) -> rooms_pb2.LeaveResponse:
        answer: rooms_pb2.LeaveResponse = await self.submit(request.room_id, Leave(request))
        return answer

    async def _chat(self, request: rooms_pb2.SendChatRequest) -> rooms_pb2.SendChatResponse:
        answer: rooms_pb2.SendChatResponse = await self.submit(request.room_id, SendChat(request))
        return answer

    async def _replay(self, request: rooms_pb2.ReplayRequest) -> rooms_pb2.ReplayResponse:
        try:
            kept = await self._store.events(self, request.room_id, request.after, MAX_EVENTS_IN_REPLY)
            if kept.head is not None:
                response = continue_from(request.after, kept.head, kept.events)
                if response is not None:
                    return response
            room = existing((await self._store.load(self, request.room_id)).room)
        except StoreUnavailable as error:
            raise SalonError(Code.UNAVAILABLE, "the store did not answer") from error
        return rooms_pb2.ReplayResponse(snapshot=room.snapshot())

    # ---- beats

    def _beat(self) -> None:
        """Beats.run: what makes this replica think that it was deaf itself is here."""
        if self._reconnected or self.now > self._beat_late_at:
            self._reconnected = False
            self.nodes.handle_own_outage(self.now)
            self.tracker.handle_own_outage(self.now)
        self._beat_late_at = self.now + 3 * BEAT_SECONDS
        beat = presence_pb2.ReplicaHeartbeat(replica_id=self.name)
        self._around.nats.publish(self, f"beat.rooms.{self.name}", beat, lossy=False)

    def _on_reconnected(self) -> None:
        self._reconnected = True

    # ---- presence: Sweeper

    async def _sweep(self) -> None:
        if self._sweeping:
            return
        self._sweeping = True
        try:
            await self._follow()
        except StoreUnavailable:
            self.tracker.handle_own_outage(self.now)
        else:
            self._judge()
        finally:
            self._sweeping = False

    async def _follow(self) -> None:
        """Feed.follow: one reader at a time."""
        while self._reading is not None:
            await self._reading
        self._reading = Future()
        try:
            await self._read_feed()
        finally:
            reading, self._reading = self._reading, None
            reading.resolve(None)

    async def _read_feed(self) -> None:
        while True:
            page = await self._store.participants_from(self, self._next_sequence, PAGE)
            for stored in page:
                self.tracker.handle_stored(
                    stored.room_id, stored.participant_id, stored.participant, self.now
                )
            if page:
                self._next_sequence = page[-1].sequence + 1
            if len(page) < PAGE:
                return

    def _judge(self) -> None:
        self.tracker.handle_nodes(self.nodes.alive(self.now), self.now, self.nodes.gone())
        for lost in self.tracker.tick(self.now):
            if self.replicas.is_own(lost.room_id, self.now):
                self._start((lost.room_id, lost.participant_id), self._take_out(lost))
        self._moves.look_again()

    def _on_report(self, report: presence_pb2.PresenceReport) -> None:
        self._look_into(self.tracker.handle_report(report, self.now))

    def _look_into(self, heard: Iterable[HeardParticipant]) -> None:
        for item in heard:
            if self.replicas.is_own(item.room_id, self.now):
                self._start((item.room_id, item.participant_id), self._compare(item))

    async def _take_out(self, lost: LostParticipant) -> None:
        if await self.submit(lost.room_id, Lost(lost.participant_id, lost.session_number)):
            self._around.trace(self.name, f"takes out {lost.participant_id[:4]} as lost")
        self.tracker.handle_stored(lost.room_id, lost.participant_id, None, self.now)

    async def _compare(self, heard: HeardParticipant) -> None:
        command = Connected(heard.participant_id, heard.session_number, heard.node)
        if await self.submit(heard.room_id, command) is Vouched.WRONG:
            self._remove(
                Removal(heard.node.node_id, heard.room_id, heard.participant_id, heard.session_number)
            )

    def _start(self, key: tuple[str, ...], work: Any) -> None:
        """Do something, unless it is being done already."""
        if key in self._work:
            work.close()
            return
        self._work.add(key)
        self.spawn(self._guard(key, work))

    async def _guard(self, key: tuple[str, ...], work: Any) -> None:
        try:
            with suppress(SalonError):
                await work
        finally:
            self._work.discard(key)

    # ---- inside

    def _moment(self) -> Moment:
        return Moment(self.now, self._around.wall, self.nodes)

    def _turn_id(self) -> str:
        self._turns += 1
        return f"{self.name}-{self._boot_id}-{self._turns}"

    def _on_committed(self, change: Change) -> None:
        for node_id in change.sent:
            self.nodes.handle_sent(node_id, self.now)
        for removal in change.removals:
            self._remove(removal)

    def _remove(self, removal: Removal) -> None:
        request = media_pb2.RemoveRequest(
            room_id=removal.room_id,
            participant_id=removal.participant_id,
            session_number=removal.session_number,
        )
        self.spawn(self._around.nats.call(self, f"media.{removal.node_id}", "Remove", request, 0.5))
