"""One region: rooms replicas, signaling replicas, media nodes, NATS with its store, people, and what goes wrong."""

from collections.abc import Iterable
from dataclasses import dataclass

from model.chance import Chance
from model.client import ModelClient
from model.network import CALM, Nats, Network, Weather
from model.node import ModelNode
from model.observer import Observer, Violation
from model.replica import ModelReplica
from model.signaling import ModelSignaling
from model.sim import Simulation
from model.store import ModelStore
from model.surroundings import Surroundings
from model.trace import Trace
from model.vouchers import Vouchers
from salon.media.v1 import media_pb2
from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2
from salon_rooms.core.command import Moment
from salon_rooms.core.making import CreateRoom
from salon_rooms.core.placement import Directory
from salon_rooms.core.room import Room, timestamp
from salon_rooms.core.turn import Commit, Load, Turn
from salon_signaling.core.stream import StreamTimes

LOOK_SECONDS = 0.1
_KEY = b"k" * 32
_PRESENT = room_pb2.PARTICIPANT_STATE_PRESENT


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    rooms: int = 1
    people: int = 3
    nodes: int = 3
    replicas: int = 2
    signaling: int = 2
    capacity: int = 6


class World:
    """Everything, from one chance."""

    def __init__(
        self, chance: Chance, size: Size = Size(), weather: Weather = CALM, *, one_faulty_write_in: int = 0
    ) -> None:
        self.sim = Simulation()
        self.trace = Trace(self.sim)
        self.network = Network(self.sim, chance, weather)
        self.nats = Nats(self.sim, self.network, chance)
        self._around = Surroundings(self.sim, chance, self.network, self.nats, self.trace)
        self._chance = chance
        self.vouchers = Vouchers(self.sim, self.nats)
        self.observer = Observer(self.trace, lambda who: not self.vouchers.vouch_for(who))
        self.store = ModelStore(
            self.sim,
            self.nats,
            self.network,
            chance,
            one_faulty_in=one_faulty_write_in,
            on_stored=self._on_stored,
        )
        self._numbers = 0
        self.states: set[tuple[object, ...]] = set()
        """Those that the region was seen in, as far as placement and presence go."""
        self.clients: list[ModelClient] = []
        self.nodes: dict[str, ModelNode] = {}
        self.replicas: dict[str, ModelReplica] = {}
        self.signaling: dict[str, ModelSignaling] = {}
        self.node_ids = [f"media-{n}" for n in range(1, size.nodes + 1)]
        self.replica_ids = [f"rooms-{n}" for n in range(1, size.replicas + 1)]
        self.signaling_ids = [f"signaling-{n}" for n in range(1, size.signaling + 1)]
        for name in self.replica_ids:
            self.start_replica(name)
        for name in self.signaling_ids:
            self.start_signaling(name)
        for name in self.node_ids:
            self.start_node(name)
        made = [self._make_room(number, size.capacity) for number in range(size.rooms)]
        self.room_ids = [each.room.id for each in made]
        self._secrets = {each.room.id: each.invite_secret for each in made}
        self._look()
        self.sim.run(3.5)  # every replica has been there for long enough to know the nodes
        for number in range(size.people):
            self.come(self.room_ids[number % len(self.room_ids)])

    def next_number(self) -> int:
        """Never the same twice."""
        self._numbers += 1
        return self._numbers

    # ---- processes come and go

    def start_node(self, name: str) -> None:
        """A new incarnation, unless one is there."""
        if name not in self.nodes:
            self.nodes[name] = ModelNode(self._around, name, f"b{self.next_number()}")

    def crash_node(self, name: str) -> None:
        """Kill -9."""
        node = self.nodes.pop(name, None)
        if node is not None:
            node.crash()
            self._end_connection(node)

    def start_replica(self, name: str) -> None:
        """A new incarnation, unless one is there."""
        if name not in self.replicas:
            boot = f"b{self.next_number()}"
            self.replicas[name] = ModelReplica(self._around, name, boot, self.store, self.nodes.get)

    def crash_replica(self, name: str) -> None:
        """Kill -9."""
        replica = self.replicas.pop(name, None)
        if replica is not None:
            replica.crash()
            self._end_connection(replica)

    def start_signaling(self, name: str) -> None:
        """A new incarnation, unless one is there."""
        if name not in self.signaling:
            self.signaling[name] = ModelSignaling(self._around, name, f"b{self.next_number()}", StreamTimes())

    def crash_signaling(self, name: str) -> None:
        """Kill -9."""
        replica = self.signaling.pop(name, None)
        if replica is not None:
            replica.crash()
            self._end_connection(replica)

    def _end_connection(self, process: ModelNode | ModelReplica | ModelSignaling) -> None:
        self.nats.forget(process)
        if self.network.reaches(process.name, "nats"):
            self.nats.disconnected(process)

    def mend(self, host: str) -> None:
        """A host that was cut off is back; its connection to NATS is a new one."""
        self.network.mend(host)
        for process in (self.nodes.get(host), self.replicas.get(host), self.signaling.get(host)):
            if process is not None:
                self.nats.disconnected(process)
                self.nats.reconnect(process)

    def set_mode(self, name: str, drain_seconds: float = 0.0) -> None:
        """An operator drains a node, or calls it off."""
        node = self.nodes.get(name)
        if node is None:
            return
        mode = presence_pb2.NODE_MODE_DRAINING if drain_seconds else presence_pb2.NODE_MODE_ACTIVE
        deadline = timestamp(self._around.wall + drain_seconds) if drain_seconds else None
        node.tell_mode(media_pb2.SetModeRequest(boot_id=node.boot_id, mode=mode, deadline=deadline))

    def come(self, room_id: str) -> ModelClient:
        """Somebody opens a room's link."""
        client = ModelClient(
            self._around,
            f"client-{len(self.clients) + 1}",
            room_id,
            self._secrets[room_id],
            self.signaling_ids,
            self.signaling.get,
        )
        self.clients.append(client)
        return client

    # ---- the store

    def _make_room(self, number: int, capacity: int) -> rooms_pb2.CreateRoomResponse:
        owner = room_pb2.Account(app="demo", subject="ada")
        request = rooms_pb2.CreateRoomRequest(request_id=f"make-{number}", owner=owner, title="Tea")
        request.settings.capacity = capacity
        room_id = "local-" + "abcdefgh"[number] * 20
        command = CreateRoom(room_id, request, _KEY)
        turn = Turn([command], None, f"make-{number}")
        moment = Moment(self.sim.now, self._around.wall, Directory(0.0))
        assert isinstance(turn.poll(moment), Load)
        turn.handle_loaded(self.store.kept.read(room_id))
        commit = turn.poll(moment)
        assert isinstance(commit, Commit)
        self.store.kept.write(room_id, commit)
        return command.apply(self.store.room(room_id), moment).reply

    def _on_stored(self, room_id: str, before: Room | None, commit: Commit) -> None:
        after = self.store.room(room_id)
        assert after is not None
        self.observer.stored(room_id, before, commit, after)
        for event in commit.change.events:
            self.nats.republish(f"live.{room_id}.{event.number}", (room_id, event))

    # ---- looking

    def _look(self) -> None:
        self.observer.look(self.nodes.values(), self.clients)
        self.vouchers.look(self.clients, self.signaling, self.store)
        self.states.add(self._state())
        self.sim.at(LOOK_SECONDS, self._look)

    def _state(self) -> tuple[object, ...]:
        rooms = [self.store.room(room_id) for room_id in self.room_ids]
        return (
            tuple(
                (
                    room.head.placement.epoch,
                    tuple((n.node_id, n.boot_id, n.state) for n in room.head.placement.nodes),
                    tuple(
                        (p.id, p.state, p.session_number, p.place.epoch) for p in room.participants.values()
                    ),
                )
                for room in rooms
                if room is not None
            ),
            tuple(
                (n.name, n.frozen, tuple((e.epoch, e.status) for e in n.state.entries()))
                for n in self.nodes.values()
            ),
            tuple((c.me, tuple((s.epoch, s.node.name) for s in c.sessions)) for c in self.clients),
            tuple((r.name, r.frozen, tuple(r.nodes.dead(self.sim.now))) for r in self.replicas.values()),
        )

    def living(self, room_id: str) -> Iterable[ModelClient]:
        """Everybody who wants to be in a room."""
        return [c for c in self.clients if c.alive and not c.ended and c.room_id == room_id]

    def is_whole(self) -> bool:
        """Whether everything is as if nothing had ever gone wrong."""
        return not any(self.wrongs(room_id) for room_id in self.room_ids)

    def all_wrongs(self) -> str:
        """What keeps it from being whole."""
        return "; ".join(wrong for room_id in self.room_ids for wrong in self.wrongs(room_id))

    def calm_down(self) -> None:
        """End every fault that goes on, and the bad weather with them."""
        self.network.weather = CALM
        self.store.one_faulty_in = 0

    def wrongs(self, room_id: str) -> list[str]:
        """What is not as it should be in a room, once everything works."""
        room = self.store.room(room_id)
        assert room is not None
        living = list(self.living(room_id))
        wrong = [f"{client.name}: {why}" for client in living for why in self._wrongs_of(client, room)]
        ghosts = set(room.participants) - {client.me for client in living}
        wrong += [f"{ghost[:4]} is a ghost" for ghost in sorted(ghosts)]
        return wrong

    def _wrongs_of(self, client: ModelClient, room: Room) -> Iterable[str]:
        me = room.participants.get(client.me)
        if me is None:
            yield "is not in"
            return
        active = [n for n in room.head.placement.nodes if n.state == room_pb2.PLACED_NODE_STATE_ACTIVE]
        node = self.nodes.get(active[0].node_id) if active else None
        if node is None or node.boot_id != active[0].boot_id:
            yield "the room has no living node"
            return
        if me.state != _PRESENT:
            yield "is not present"
        if (me.place.node_id, me.place.boot_id) != (node.name, node.boot_id):
            yield f"is placed on {me.place.node_id}, the room is on {node.name}"
        if [session.node for session in client.sessions] != [node]:
            yield f"has sessions at {[s.node.name for s in client.sessions]}, the room is on {node.name}"
        elif not node.serves(client.sessions[0].media.session):
            yield "is not served"
        if client.state.last_event != room.head.last_event:
            yield f"is at event {client.state.last_event} of {room.head.last_event}"
        elif set(client.state.participants) != {p.id for p in room.snapshot().participants}:
            yield "sees others than are there"

    def check_end(self) -> None:
        """After the faults and a quiet time."""
        for room_id in self.room_ids:
            wrong = self.wrongs(room_id)
            if wrong:
                raise Violation("; ".join(wrong))
            room = self.store.room(room_id)
            assert room is not None
            of_room = [client for client in self.clients if client.room_id == room_id]
            self.observer.check_acknowledged(room_id, of_room, room)
            for client in of_room:
                if client.ended == "taken over":
                    raise Violation(f"{client.name} was taken over by nobody")
