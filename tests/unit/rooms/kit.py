"""A room under test: commands applied as a writer would, on nodes that beat when told to."""

import hashlib
import itertools
from typing import Any, TypeVar

from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2
from salon_rooms.core.command import Command, Moment
from salon_rooms.core.entering import Join, Replace
from salon_rooms.core.making import CreateInvite, CreateRoom
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.places import active_node, leaving_nodes
from salon_rooms.core.relocating import Evacuate, MoveRoom
from salon_rooms.core.room import Change, Room
from salon_rooms.core.staying import Connected, Leave, Lost, SendChat, SetSources, Vouched
from salon_rooms.core.suspicion import ProbeOutcome

R = TypeVar("R")

KEY = b"k" * 32
ROOM_ID = "local-" + "a" * 20
WALL = 1_700_000_000.0
OWNER = room_pb2.Account(app="demo", subject="ada")
_ENTROPY = itertools.count()


def random_bytes(count: int) -> bytes:
    """Different each time, the same in each run."""
    return hashlib.shake_256(str(next(_ENTROPY)).encode()).digest(count)


def beat(
    node_id: str, boot_id: str = "b1", *, sequence: int = 1, draining: bool = False, **fields: Any
) -> presence_pb2.NodeHeartbeat:
    """A node's heartbeat."""
    mode = presence_pb2.NODE_MODE_DRAINING if draining else presence_pb2.NODE_MODE_ACTIVE
    beat = presence_pb2.NodeHeartbeat(
        node_id=node_id, boot_id=boot_id, region="local", sequence=sequence, mode=mode
    )
    for name, value in fields.items():
        setattr(beat, name, value)
    return beat


def create_command(request_id: str = "make-1", *, key: bytes = KEY, **settings: Any) -> CreateRoom:
    """The command that makes the room under test."""
    request = rooms_pb2.CreateRoomRequest(request_id=request_id, owner=OWNER, title="Tea")
    for name, value in settings.items():
        setattr(request.settings, name, value)
    return CreateRoom(ROOM_ID, request, key)


class House:
    """One room and the nodes around it."""

    def __init__(self, *nodes: str, **settings: Any) -> None:
        self.now = 100.0
        self.nodes = Directory(0.0)
        self.beats = itertools.count(1)
        for node in nodes or ("n1",):
            self.beat(node)
        self.room: Room | None = None
        self.changes: list[Change] = []
        made = self.do(create_command(**settings))
        self.link = made.invite_secret
        self.link_id = made.invite_id
        self.host_link = made.host_secret

    @property
    def state(self) -> Room:
        """The room, which exists."""
        assert self.room is not None
        return self.room

    @property
    def last(self) -> Change:
        """What the last command changed."""
        return self.changes[-1]

    @property
    def bodies(self) -> list[str | None]:
        """What kinds of events the last command caused."""
        return [event.WhichOneof("body") for event in self.last.events]

    @property
    def moment(self) -> Moment:
        """Now."""
        return Moment(self.now, WALL + self.now, self.nodes)

    def beat(self, node: str, boot: str = "b1", **fields: Any) -> None:
        """A node beats now, and answers whoever probes it."""
        fields = {"health_address": "127.0.0.1:9000"} | fields
        self.nodes.handle_beat(beat(node, boot, sequence=next(self.beats), **fields), self.now)
        for wanted in self.nodes.poll_probes(self.now):
            self.nodes.handle_probe(wanted.ref, ProbeOutcome.ANSWERED, self.now)

    def die(self, *nodes: str, alive: tuple[str, ...] = ()) -> None:
        """Nodes are killed, by default all; `alive` go on."""
        self.now += 5.0
        for node in alive:
            self.beat(node)
        for known, _ in self.nodes.beats(self.now):
            if known.node_id not in alive and (not nodes or known.node_id in nodes):
                self.nodes.handle_disconnect(NodeRef(known.node_id, known.boot_id), self.now)
        for wanted in self.nodes.poll_probes(self.now):
            self.nodes.handle_probe(wanted.ref, ProbeOutcome.REFUSED, self.now)

    def fall_silent(self, *nodes: str) -> None:
        """Nodes are frozen: they are doubted, and do not answer the probe."""
        for known, _ in self.nodes.beats(self.now):
            if known.node_id in nodes:
                self.nodes.handle_disconnect(NodeRef(known.node_id, known.boot_id), self.now)
        for wanted in self.nodes.poll_probes(self.now):
            self.nodes.handle_probe(wanted.ref, ProbeOutcome.SILENT, self.now)

    @property
    def node(self) -> NodeRef:
        """The node that takes newcomers."""
        active = active_node(self.state.head.placement)
        assert active is not None
        return active

    @property
    def leaving(self) -> list[NodeRef]:
        """The nodes that the room is leaving now."""
        return list(leaving_nodes(self.state.head.placement, self.moment.wall))

    @property
    def moved(self) -> dict[str, room_pb2.ParticipantMoved]:
        """Who was told by the last command to move."""
        told = [e.participant_moved for e in self.last.events if e.WhichOneof("body") == "participant_moved"]
        return {moved.participant_id: moved for moved in told}

    def move(self, node: NodeRef | None = None, to: NodeRef | None = None) -> bool:
        """The room is to leave a living node; by default the one it is on."""
        return self.do(MoveRoom(node or self.node, random_bytes(8), to))

    def evacuate(self, node: NodeRef | None = None, spread_ms: int = 0) -> bool:
        """The room is to leave a dead node; by default the one it is on."""
        return self.do(Evacuate(node or self.node, random_bytes(8), spread_ms))

    def do(self, command: Command[R]) -> R:
        """Apply a command and keep its change."""
        outcome = command.apply(self.room, self.moment)
        self.changes.append(outcome.change)
        if outcome.change.head is not None:
            self.room = (self.room or Room(outcome.change.head)).after(outcome.change)
        return outcome.reply

    def join(
        self,
        name: str = "Ada",
        *,
        secret: str | None = None,
        request_id: str = "",
        media: bool = True,
        account: room_pb2.Account | None = None,
    ) -> rooms_pb2.JoinResponse:
        """Somebody comes in by a link."""
        request = rooms_pb2.JoinRequest(
            room_id=ROOM_ID,
            request_id=request_id or f"join-{next(_ENTROPY)}",
            invite_secret=secret or self.link,
            name=name,
            wants_media=media,
            account=account,
        )
        return self.do(Join(request, random_bytes(18)))

    def host(self) -> rooms_pb2.JoinResponse:
        """The host comes in."""
        return self.join("Host", secret=self.host_link)

    def resume(
        self, participant_id: str, *, media: bool = True, unheard_epoch: int = 0
    ) -> rooms_pb2.JoinResponse:
        """Somebody comes back, perhaps because they hear their node no more."""
        request = rooms_pb2.JoinRequest(
            room_id=ROOM_ID,
            request_id="again",
            participant_id=participant_id,
            wants_media=media,
            unheard_epoch=unheard_epoch,
        )
        return self.do(Join(request, random_bytes(18)))

    def invite(self, participant_id: str, role: room_pb2.Role.ValueType) -> rooms_pb2.CreateInviteResponse:
        """Somebody makes a link."""
        request = rooms_pb2.CreateInviteRequest(room_id=ROOM_ID, participant_id=participant_id, role=role)
        return self.do(CreateInvite(request, random_bytes(26)))

    def replace(
        self, participant_id: str, failed: room_pb2.ParticipantPlace, *, unanswered: bool = False
    ) -> room_pb2.ParticipantPlace:
        """Somebody's node did not work."""
        request = rooms_pb2.ReplaceRequest(
            room_id=ROOM_ID, participant_id=participant_id, failed=failed, unanswered=unanswered
        )
        return self.do(Replace(request, random_bytes(8))).place

    def connected(self, participant_id: str, node: str = "", session: int = 0) -> Vouched:
        """A node says that it has somebody; by default the right one."""
        participant = self.state.participants[participant_id]
        ref = NodeRef(node or participant.place.node_id, participant.place.boot_id)
        return self.do(Connected(participant_id, session or participant.session_number, ref))

    def chat(self, participant_id: str, text: str = "hi", request_id: str = "c1") -> int:
        """Somebody writes."""
        request = rooms_pb2.SendChatRequest(
            room_id=ROOM_ID, participant_id=participant_id, request_id=request_id, text=text
        )
        return self.do(SendChat(request)).event_number

    def sources(self, participant_id: str, *active: room_pb2.SourceKind.ValueType) -> int:
        """Somebody turns sources on and off."""
        request = rooms_pb2.SetSourcesRequest(room_id=ROOM_ID, participant_id=participant_id, active=active)
        return self.do(SetSources(request)).event_number

    def leave(
        self,
        participant_id: str,
        reason: room_pb2.LeaveReason.ValueType = room_pb2.LEAVE_REASON_UNSPECIFIED,
        *,
        session: int = 0,
    ) -> None:
        """Somebody leaves, perhaps only if they have begun no session since."""
        request = rooms_pb2.LeaveRequest(
            room_id=ROOM_ID, participant_id=participant_id, reason=reason, session_number=session
        )
        self.do(Leave(request))

    def lose(self, participant_id: str, session: int) -> bool:
        """Somebody is lost."""
        return self.do(Lost(participant_id, session))
