"""The two tries at a node, as calls."""

import asyncio

import pytest
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_signaling.entry import Entry
from unit.signaling.conftest import Replica
from unit.signaling.fakes import ANSWER, ROOM

PARTICIPANT = room_pb2.Participant(
    id="p", session_number=3, place=room_pb2.ParticipantPlace(node_id="node-1", boot_id="boot", epoch=7)
)
ENTRY = Entry(ROOM, rooms_pb2.JoinRequest(room_id=ROOM), "v=0 offer", 0)


async def test_the_node_is_told_all_it_checks(replica: Replica) -> None:
    admitted = await replica.parts.admission.admit(ENTRY, PARTICIPANT)
    assert admitted.answer == ANSWER
    (request,) = replica.nodes["node-1"].script.of("Admit")
    assert (request.boot_id, request.room_id, request.epoch) == ("boot", ROOM, 7)
    assert request.participant == PARTICIPANT
    assert request.offer == ENTRY.offer


async def test_without_a_second_place_the_join_fails(replica: Replica) -> None:
    replica.nodes["node-1"].script.failures["Admit"] = [SalonError(Code.FAILED_PRECONDITION, "old epoch")]
    replica.rooms.script.failures["Replace"] = [SalonError(Code.NOT_FOUND, "no such participant")]
    with pytest.raises(SalonError, match="no such participant"):
        await replica.parts.admission.admit(ENTRY, PARTICIPANT)
    await replica.parts.chores.finish()


async def test_a_node_that_cannot_be_told_to_forget_is_left_alone(replica: Replica) -> None:
    script = replica.nodes["node-1"].script
    script.failures["Admit"] = [SalonError(Code.UNAVAILABLE, "draining")]
    script.failures["Remove"] = [SalonError(Code.UNAVAILABLE, "gone")]
    assert (await replica.parts.admission.admit(ENTRY, PARTICIPANT)).place.node_id == "node-2"
    await replica.parts.chores.finish()
    assert len(script.of("Remove")) == 1


async def test_a_caller_who_gives_up_leaves_no_session(replica: Replica) -> None:
    script = replica.nodes["node-1"].script
    script.gates["Admit"] = asyncio.Event()
    admitting = asyncio.create_task(replica.parts.admission.admit(ENTRY, PARTICIPANT))
    await script.until("Admit")
    admitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await admitting
    await replica.parts.chores.finish()
    (remove,) = script.of("Remove")
    assert remove.session_number == 3
