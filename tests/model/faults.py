"""What can go wrong, and what people and operators do, as values: a run's faults can be printed, repeated and shrunk."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.world import World


class Kind(Enum):
    """What happens to a target. Some last; their end is part of them."""

    CRASH_NODE = "crash node"
    RESTART_NODE = "restart node at once"
    FREEZE_NODE = "freeze node"
    CUT_NODE = "cut node off"
    CUT_NODE_FROM_NATS = "cut node from NATS"
    DRAIN_NODE = "drain node"
    CRASH_ROOMS = "crash rooms"
    FREEZE_ROOMS = "freeze rooms"
    CUT_ROOMS = "cut rooms off"
    CRASH_SIGNALING = "crash signaling"
    CUT_SIGNALING = "cut signaling from NATS"
    NATS_AWAY = "NATS away"
    CUT_CLIENT_FROM_NODE = "cut client from node"
    COME = "come"
    LEAVE = "leave"
    VANISH = "vanish"
    WRITE = "write"


@dataclass(frozen=True)
class Fault:
    """One thing that happens."""

    kind: Kind
    at: float
    """Seconds after everybody was in."""
    target: int = 0
    """Which of its kind, modulo how many there are."""
    lasts: float = 2.0


def schedule(world: "World", fault: Fault) -> None:
    """Have it happen, and end."""
    world.sim.at(fault.at, lambda: begin(world, fault))


def begin(world: "World", fault: Fault) -> None:
    """Have it happen now, and end."""
    world.trace("FAULT", f"{fault.kind.value} {fault.target} for {fault.lasts:.1f} s")
    _BEGIN[fault.kind](world, fault)


def _crash_node(world: "World", fault: Fault) -> None:
    node_id = world.node_ids[fault.target % len(world.node_ids)]
    world.crash_node(node_id)
    world.sim.at(fault.lasts, lambda: world.start_node(node_id))


def _restart_node(world: "World", fault: Fault) -> None:
    node_id = world.node_ids[fault.target % len(world.node_ids)]
    world.crash_node(node_id)
    world.sim.at(0.05, lambda: world.start_node(node_id))


def _freeze_node(world: "World", fault: Fault) -> None:
    node = world.nodes.get(world.node_ids[fault.target % len(world.node_ids)])
    if node is not None and not node.frozen:
        node.freeze()
        world.sim.at(fault.lasts, node.resume)


def _cut(world: "World", host: str, lasts: float) -> None:
    world.network.cut(host)
    world.sim.at(lasts, lambda: world.mend(host))


def _cut_from_nats(world: "World", host: str, lasts: float) -> None:
    world.network.sever(host, "nats")
    world.sim.at(lasts, lambda: world.mend(host))


def _drain_node(world: "World", fault: Fault) -> None:
    node_id = world.node_ids[fault.target % len(world.node_ids)]
    world.set_mode(node_id, drain_seconds=30)
    world.sim.at(max(fault.lasts, 5.0), lambda: world.set_mode(node_id))


def _freeze_rooms(world: "World", fault: Fault) -> None:
    replica = world.replicas.get(world.replica_ids[fault.target % len(world.replica_ids)])
    if replica is not None and not replica.frozen:
        replica.freeze()
        world.sim.at(fault.lasts, replica.resume)


def _crash_rooms(world: "World", fault: Fault) -> None:
    name = world.replica_ids[fault.target % len(world.replica_ids)]
    world.crash_replica(name)
    world.sim.at(fault.lasts, lambda: world.start_replica(name))


def _crash_signaling(world: "World", fault: Fault) -> None:
    name = world.signaling_ids[fault.target % len(world.signaling_ids)]
    world.crash_signaling(name)
    world.sim.at(fault.lasts, lambda: world.start_signaling(name))


def _nats_away(world: "World", fault: Fault) -> None:
    if world.nats.up:
        world.nats.stop()
        world.sim.at(fault.lasts, world.nats.start)


def _cut_client(world: "World", fault: Fault) -> None:
    inside = [client for client in world.clients if client.sessions]
    if inside:
        client = inside[fault.target % len(inside)]
        host = client.sessions[-1].node.name
        world.network.sever(client.name, host)
        world.sim.at(fault.lasts, lambda: world.mend(client.name))


def _with_client(act: "Callable[[World, int], object]") -> "Callable[[World, Fault], None]":
    def act_on_one(world: "World", fault: Fault) -> None:
        living = [index for index, client in enumerate(world.clients) if client.alive and not client.ended]
        if living:
            act(world, living[fault.target % len(living)])

    return act_on_one


_BEGIN: "dict[Kind, Callable[[World, Fault], object]]" = {
    Kind.CRASH_NODE: _crash_node,
    Kind.RESTART_NODE: _restart_node,
    Kind.FREEZE_NODE: _freeze_node,
    Kind.CUT_NODE: lambda w, f: _cut(w, w.node_ids[f.target % len(w.node_ids)], f.lasts),
    Kind.CUT_NODE_FROM_NATS: lambda w, f: _cut_from_nats(w, w.node_ids[f.target % len(w.node_ids)], f.lasts),
    Kind.DRAIN_NODE: _drain_node,
    Kind.CRASH_ROOMS: _crash_rooms,
    Kind.FREEZE_ROOMS: _freeze_rooms,
    Kind.CUT_ROOMS: lambda w, f: _cut(w, w.replica_ids[f.target % len(w.replica_ids)], f.lasts),
    Kind.CRASH_SIGNALING: _crash_signaling,
    Kind.CUT_SIGNALING: lambda w, f: _cut_from_nats(
        w, w.signaling_ids[f.target % len(w.signaling_ids)], f.lasts
    ),
    Kind.NATS_AWAY: _nats_away,
    Kind.CUT_CLIENT_FROM_NODE: _cut_client,
    Kind.COME: lambda w, f: w.come(w.room_ids[f.target % len(w.room_ids)]),
    Kind.LEAVE: _with_client(lambda w, index: w.clients[index].leave()),
    Kind.VANISH: _with_client(lambda w, index: w.clients[index].vanish()),
    Kind.WRITE: _with_client(lambda w, index: w.clients[index].write(f"message {w.next_number()}")),
}
