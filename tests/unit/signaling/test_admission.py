"""The two tries at a node, as calls."""

import asyncio
from dataclasses import replace

import nats.errors
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


async def test_the_node_is_told_what_the_one_before_knew_of_the_path(replica: Replica) -> None:
    entry = replace(ENTRY, uplink_bps=1_500_000, downlink_bps=2_500_000)
    await replica.parts.admission.admit(entry, PARTICIPANT)
    (request,) = replica.nodes["node-1"].script.of("Admit")
    assert (request.uplink_bps, request.downlink_bps) == (1_500_000, 2_500_000)


async def test_a_node_that_does_not_answer_in_time_is_doubted(replica: Replica) -> None:
    replica.nodes["node-1"].script.gates["Admit"] = asyncio.Event()
    assert (await replica.parts.admission.admit(ENTRY, PARTICIPANT)).place.node_id == "node-2"
    (request,) = replica.rooms.script.of("Replace")
    assert request.unanswered
    assert request.failed == PARTICIPANT.place
    await replica.parts.chores.finish()


async def test_a_node_that_nobody_serves_is_doubted_at_once(replica: Replica) -> None:
    nobody = SalonError(Code.UNAVAILABLE, "nobody serves this now")
    nobody.__cause__ = nats.errors.NoRespondersError()
    replica.nodes["node-1"].script.failures["Admit"] = [nobody]
    await replica.parts.admission.admit(ENTRY, PARTICIPANT)
    assert replica.rooms.script.of("Replace")[0].unanswered
    await replica.parts.chores.finish()


async def test_a_node_that_refuses_is_not_doubted(replica: Replica) -> None:
    replica.nodes["node-1"].script.failures["Admit"] = [SalonError(Code.UNAVAILABLE, "draining")]
    await replica.parts.admission.admit(ENTRY, PARTICIPANT)
    assert not replica.rooms.script.of("Replace")[0].unanswered
    await replica.parts.chores.finish()


@pytest.mark.parametrize(("unheard_epoch", "patient"), [(6, True), (7, False)])
async def test_who_was_moved_for_an_ask_waits_longer_for_the_new_node(
    replica: Replica, unheard_epoch: int, patient: bool
) -> None:
    """The same place again is doubtful; a new one is alive and has others to admit."""
    gate = replica.nodes["node-1"].script.gates["Admit"] = asyncio.Event()
    reserve = rooms_pb2.JoinRequest(room_id=ROOM, participant_id="p", unheard_epoch=unheard_epoch)
    admitting = asyncio.create_task(
        replica.parts.admission.admit(Entry(ROOM, reserve, "v=0 offer"), PARTICIPANT)
    )
    asyncio.get_running_loop().call_later(0.1, gate.set)  # between the first patience and the second
    admitted = await admitting
    assert (admitted.place.node_id == "node-1") is patient
    await replica.parts.chores.finish()


async def test_a_node_that_is_asked_again_is_not_told_to_forget(replica: Replica) -> None:
    """Its removal of the session would refuse the very session that is asked for next."""
    replica.rooms.nodes = ["node-1", "node-1"]
    replica.nodes["node-1"].script.failures["Admit"] = [SalonError(Code.UNAVAILABLE, "busy")]
    first = room_pb2.Participant()
    first.CopyFrom(PARTICIPANT)
    first.place.boot_id = "b"
    await replica.parts.admission.admit(ENTRY, first)
    await replica.parts.chores.finish()
    script = replica.nodes["node-1"].script
    assert (len(script.of("Admit")), script.of("Remove")) == (2, [])


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
