"""What people are promised when one thing goes wrong and the network is good, in simulated time."""

from collections.abc import Callable

import pytest
from model.chance import Seeded
from model.client import ModelClient
from model.faults import Fault, Kind, begin
from model.node import ModelNode
from model.observer import Violation
from model.world import Size, World
from salon.media.v1 import media_pb2
from salon.rooms.v1 import room_pb2
from salon_common.errors import SalonError

SEEDS = range(8)
REGION = Size(rooms=2, people=6, nodes=3)


def whole(seed: int, size: Size = REGION) -> World:
    world = World(Seeded(seed), size)
    assert world.sim.run_until(world.is_whole, 10), world.all_wrongs()
    return world


def node_of(world: World, room: int = 0) -> ModelNode:
    stored = world.store.room(world.room_ids[room])
    assert stored is not None
    return world.nodes[stored.head.placement.nodes[0].node_id]


def people_of(world: World, room: int = 0) -> list[ModelClient]:
    return list(world.living(world.room_ids[room]))


def epoch_of(world: World, room: int = 0) -> int:
    stored = world.store.room(world.room_ids[room])
    assert stored is not None
    return stored.head.placement.epoch


def gap(world: World, act: Callable[[], None], seconds: float = 20.0) -> float:
    """The longest time that anybody hears nothing, after something happened."""
    for client in world.clients:
        client.longest_gap = 0.0
    act()
    world.sim.run(seconds)
    assert world.is_whole(), f"{world.all_wrongs()}\n{world.trace.text()}"
    return max(client.longest_gap for client in world.clients)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_node_is_missed_for_less_than_half_a_second(seed: int) -> None:
    """Nobody has to notice by themselves: the end of the connection and a refused probe are enough."""
    world = whole(seed)
    victim = node_of(world).name
    assert gap(world, lambda: world.crash_node(victim)) < 0.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [Kind.FREEZE_NODE, Kind.CUT_NODE])
def test_a_node_that_falls_silent_is_missed_for_less_than_two_seconds(seed: int, kind: Kind) -> None:
    world = whole(seed)
    victim = world.node_ids.index(node_of(world).name)
    assert gap(world, lambda: begin(world, Fault(kind, 0.0, victim, 15.0)), 30.0) < 2.0


@pytest.mark.parametrize("seed", SEEDS)
def test_other_rooms_notice_nothing(seed: int) -> None:
    world = whole(seed)
    epoch = epoch_of(world, 1)
    others = sorted(world.nodes.values(), key=lambda node: -node.state.participants)
    world.crash_node(next(node.name for node in others if node is not node_of(world, 1)))
    for client in world.clients:
        client.longest_gap = 0.0
    world.sim.run(20.0)
    assert max(client.longest_gap for client in people_of(world, 1)) <= 0.11
    assert epoch_of(world, 1) == epoch


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drain_is_heard_by_nobody_and_empties_the_node(seed: int) -> None:
    world = whole(seed)
    node = node_of(world)
    assert gap(world, lambda: world.set_mode(node.name, drain_seconds=60), 30.0) <= 0.11
    assert node.state.participants == 0


@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.0, 8.0, 20.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_of_nats_moves_nobody(seed: int, seconds: float) -> None:
    world = whole(seed)
    epochs = [epoch_of(world, room) for room in range(2)]
    assert gap(world, lambda: begin(world, Fault(Kind.NATS_AWAY, 0.0, 0, seconds)), seconds + 30.0) <= 0.11
    assert [epoch_of(world, room) for room in range(2)] == epochs
    assert not world.observer.swept


def test_seven_minutes_without_nats_cost_nobody_their_place() -> None:
    world = whole(1)
    people = {client.me for client in world.clients}
    begin(world, Fault(Kind.NATS_AWAY, 0.0, 0, 420.0))
    for client in world.clients:
        client.longest_gap = 0.0
    world.sim.run(430.0)
    assert world.is_whole(), world.all_wrongs()
    assert {client.me for client in world.clients} == people
    assert max(client.longest_gap for client in world.clients) <= 0.11
    assert epoch_of(world) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_time_without_any_node_costs_nobody_their_place(seed: int) -> None:
    """Everybody's stream ends, since they ask for a place again and again: nobody can vouch for them."""
    world = whole(seed)
    people = {client.me for client in world.clients}
    for name in world.node_ids:
        world.crash_node(name)
    world.sim.run(40.0)
    for name in world.node_ids:
        world.start_node(name)
    world.sim.run(12.0)
    assert world.is_whole(), world.all_wrongs()
    assert {client.me for client in world.clients} == people


@pytest.mark.parametrize("seed", SEEDS)
def test_who_vanishes_is_no_ghost_15_s_later(seed: int) -> None:
    world = whole(seed)
    ghost = world.clients[0].me
    world.clients[0].vanish()
    world.sim.run(15.0)
    stored = world.store.room(world.room_ids[0])
    assert stored is not None
    assert ghost not in stored.participants


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [Kind.CRASH_ROOMS, Kind.CRASH_SIGNALING, Kind.NATS_AWAY, Kind.CRASH_NODE])
def test_a_room_is_never_too_full_however_many_come_while_something_dies(seed: int, kind: Kind) -> None:
    """The observer looks at each write; here it is that the places are all taken in the end."""
    world = World(Seeded(seed), Size(people=12, capacity=4))
    world.sim.run(0.004 * (seed + 1))
    begin(world, Fault(kind, 0.0, seed, 1.0))
    world.sim.run(60.0)
    stored = world.store.room(world.room_ids[0])
    assert stored is not None
    assert stored.head.occupancy == 4
    assert not world.all_wrongs()
    assert {client.ended for client in world.clients} == {"", "the room is full"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_frozen_node_that_wakes_up_is_heard_by_nobody(seed: int) -> None:
    world = whole(seed)
    node = node_of(world)
    node.freeze()
    world.sim.run(5.0)
    assert world.is_whole(), world.all_wrongs()
    node.resume()
    world.sim.run(1.0)
    assert not any(session.node is node for client in people_of(world) for session in client.sessions)
    assert not any(client.doubles for client in world.clients)
    world.sim.run(10.0)
    assert node.state.participants == 0


def test_a_restarted_node_refuses_the_places_of_its_former_self() -> None:
    world = whole(0)
    former = node_of(world)
    world.crash_node(former.name)
    world.start_node(former.name)
    node = world.nodes[former.name]
    request = media_pb2.AdmitRequest(
        boot_id=former.boot_id,
        room_id=world.room_ids[0],
        participant=room_pb2.Participant(id=world.clients[0].me, session_number=9),
        epoch=9,
    )
    answer = node.spawn(node.admit(request))
    with pytest.raises(SalonError, match="restarted"):
        answer.result()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_cut_off_from_nats_alone_keeps_its_people(seed: int) -> None:
    world = whole(seed)
    victim = world.node_ids.index(node_of(world).name)
    epoch = epoch_of(world)
    fault = Fault(Kind.CUT_NODE_FROM_NATS, 0.0, victim, 25.0)
    assert gap(world, lambda: begin(world, fault), 45.0) <= 0.11
    assert epoch_of(world) == epoch
    assert not world.observer.swept


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_whose_media_alone_is_cut_is_left_by_the_room(seed: int) -> None:
    """It answers every probe; more than half of those present ask."""
    world = whole(seed)
    node, epoch = node_of(world), epoch_of(world)
    for client in people_of(world):
        world.network.sever(client.name, node.name)
    world.sim.run(15.0)
    assert world.is_whole(), f"{world.all_wrongs()}\n{world.trace.text()}"
    assert epoch_of(world) > epoch


def test_a_violation_is_told_with_the_end_of_the_story() -> None:
    world = whole(0)
    world.clients[0].sessions.clear()
    with pytest.raises(Violation, match="has sessions at"):
        world.check_end()
