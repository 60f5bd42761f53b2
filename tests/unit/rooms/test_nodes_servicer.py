"""What operators are shown of nodes, and what becomes of what they tell them."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_rooms.core.occupants import Occupants
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.suspicion import ProbeOutcome
from salon_rooms.nodes_servicer import DEFAULT_DRAIN_SECONDS, NodesServicer
from unit.rooms.kit import beat

N1 = NodeRef("n1", "b1")
NO_CONTEXT = object()
ACTIVE, CORDONED = presence_pb2.NODE_MODE_ACTIVE, presence_pb2.NODE_MODE_CORDONED
DRAINING = presence_pb2.NODE_MODE_DRAINING


class Nodes:
    """Stands for the calls to nodes."""

    def __init__(self) -> None:
        self.told: list[tuple[NodeRef, int, Timestamp | None]] = []

    async def set_mode(
        self, node: NodeRef, mode: presence_pb2.NodeMode.ValueType, deadline: Timestamp | None
    ) -> int:
        self.told.append((node, mode, deadline))
        return 7


class Fixture:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.nodes = Directory(0.0)
        self.occupants = Occupants()
        self.calls = Nodes()
        self.servicer = NodesServicer(self.nodes, self.occupants, self.calls, self.clock)  # type: ignore[arg-type]
        for node in ("n2", "n1"):
            heartbeat = beat(node, health_address="127.0.0.1:9000", stress=0.25, participants=3)
            self.nodes.handle_beat(heartbeat, 0.0)
        for wanted in self.nodes.poll_probes(0.0):
            self.nodes.handle_probe(wanted.ref, ProbeOutcome.ANSWERED, 0.0)

    async def list(self) -> list[nodes_pb2.NodeStatus]:
        return list((await self.servicer.ListNodes(nodes_pb2.ListNodesRequest(), NO_CONTEXT)).nodes)

    async def tell(self, **fields: object) -> nodes_pb2.NodeStatus:
        request = nodes_pb2.SetNodeModeRequest(**fields)  # type: ignore[arg-type]
        return (await self.servicer.SetNodeMode(request, NO_CONTEXT)).node

    def kill(self, node: NodeRef) -> None:
        self.nodes.handle_disconnect(node, 0.0)
        for wanted in self.nodes.poll_probes(0.0):
            self.nodes.handle_probe(wanted.ref, ProbeOutcome.REFUSED, 0.0)


async def test_nodes_are_listed_by_id_with_who_is_placed_there() -> None:
    here = Fixture()
    for number in range(3):
        here.occupants.handle_stored(f"r{number % 2}", f"p{number}", N1, 0.0, is_present=True)
    first, second = await here.list()
    assert (first.node_id, first.boot_id, first.health) == ("n1", "b1", nodes_pb2.NODE_HEALTH_ALIVE)
    assert (first.mode, first.stress, first.participants) == (ACTIVE, 0.25, 3)
    assert (first.placed, first.rooms, first.HasField("drain_deadline")) == (3, 2, False)
    assert (second.node_id, second.placed, second.rooms) == ("n2", 0, 0)


async def test_a_node_that_drains_is_shown_with_its_deadline() -> None:
    here = Fixture()
    heartbeat = beat("n1", sequence=2, mode=DRAINING)
    heartbeat.drain_deadline.FromSeconds(1234)
    here.nodes.handle_beat(heartbeat, 0.5)
    status = (await here.list())[0]
    assert (status.mode, status.drain_deadline.ToSeconds()) == (DRAINING, 1234)


@pytest.mark.parametrize(("asked", "seconds"), [(0, DEFAULT_DRAIN_SECONDS), (30, 30)])
async def test_a_drain_has_a_deadline(asked: int, seconds: int) -> None:
    here = Fixture()
    status = await here.tell(node_id="n1", mode=DRAINING, drain_seconds=asked)
    ((node, mode, deadline),) = here.calls.told
    assert (node, mode) == (N1, DRAINING)
    assert deadline is not None
    assert deadline.ToMicroseconds() == round((here.clock.wall() + seconds) * 1e6)
    assert (status.mode, status.drain_deadline, status.participants) == (DRAINING, deadline, 7)


async def test_the_answer_has_the_mode_that_was_told() -> None:
    here = Fixture()
    heartbeat = beat("n1", sequence=2, mode=DRAINING)
    heartbeat.drain_deadline.FromSeconds(1234)
    here.nodes.handle_beat(heartbeat, 0.5)
    status = await here.tell(node_id="n1", mode=CORDONED)
    assert (status.mode, status.HasField("drain_deadline")) == (CORDONED, False)
    assert here.calls.told == [(N1, CORDONED, None)]


async def test_who_cannot_be_told() -> None:
    here = Fixture()
    here.kill(N1)
    for fields, code in (
        ({"node_id": "n1", "mode": ACTIVE}, Code.FAILED_PRECONDITION),
        ({"node_id": "n9", "mode": ACTIVE}, Code.NOT_FOUND),
        ({"node_id": "n2", "mode": 0}, Code.INVALID_ARGUMENT),
    ):
        with pytest.raises(SalonError) as error:
            await here.tell(**fields)
        assert error.value.code is code
    assert here.calls.told == []
