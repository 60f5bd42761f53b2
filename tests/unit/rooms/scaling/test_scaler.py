"""The loop around the plan: what is written, and what happens while somebody does not answer."""

import logging

import pytest
from salon.rooms.v1 import nodes_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_rooms.core.scaling import CostPatch, Pod
from salon_rooms.scaling.scaler import Scaler


class Nodes:
    """Stands for the rooms service."""

    def __init__(self) -> None:
        self.people: dict[str, int] | None = {"media-a": 20}

    async def ListNodes(self, request: nodes_pb2.ListNodesRequest) -> nodes_pb2.ListNodesResponse:
        if self.people is None:
            raise SalonError(Code.UNAVAILABLE, "rooms is away")
        nodes = [nodes_pb2.NodeStatus(node_id=name, participants=n) for name, n in self.people.items()]
        return nodes_pb2.ListNodesResponse(nodes=nodes)


class Pods:
    """Stands for Kubernetes."""

    def __init__(self) -> None:
        self.costs = {"media-a": 0, "media-b": 0}
        self.refuses = False
        self.writes = 0

    async def list(self) -> list[Pod]:
        return [Pod(name, cost) for name, cost in self.costs.items()]

    async def write(self, patch: CostPatch) -> None:
        if self.refuses:
            raise SalonError(Code.UNAVAILABLE, "the Kubernetes API: 403")
        self.costs[patch.pod] = patch.cost
        self.writes += 1


class Fixture:
    def __init__(self) -> None:
        self.nodes, self.pods, self.clock = Nodes(), Pods(), ManualClock()
        self.scaler = Scaler(self.nodes, self.pods, self.clock)  # type: ignore[arg-type]


async def test_costs_follow_people() -> None:
    here = Fixture()
    await here.scaler.look()
    assert here.pods.costs == {"media-a": 20, "media-b": 0}
    await here.scaler.look()
    assert here.pods.writes == 1, "what is right is not written again"


async def test_while_rooms_does_not_answer_costs_stay(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    here = Fixture()
    await here.scaler.look()
    here.nodes.people = None
    await here.scaler.look()
    await here.scaler.look()
    assert here.pods.costs == {"media-a": 20, "media-b": 0}
    here.nodes.people = {"media-b": 7}
    await here.scaler.look()
    assert here.pods.costs == {"media-a": 20, "media-b": 7}
    told = [record.getMessage() for record in caplog.records if record.name.endswith("scaler")]
    assert told == [
        "cost",
        "costs stay as they are: rooms is away",
        "cost",
        "costs are kept again",
    ], "a problem is told once"


async def test_a_refused_write_ends_the_round_and_not_the_loop() -> None:
    here = Fixture()
    here.pods.refuses = True
    await here.scaler.look()
    here.pods.refuses = False
    here.clock.advance(60.0)
    await here.scaler.look()
    assert here.pods.costs["media-a"] == 20
