"""Has a node admit a participant: carries out the steps of a JoinPlan."""

import asyncio
from typing import assert_never

from salon.media.v1 import media_pb2
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import SalonError

from salon_signaling import metrics
from salon_signaling.chores import Chores
from salon_signaling.core.join_plan import Admit, Admitted, AdmitTimes, JoinPlan, Refused, Replace, Step
from salon_signaling.entry import Entry
from salon_signaling.media_client import MediaClient, UnansweredError
from salon_signaling.rooms_client import RoomsClient


class Admission:
    """Asks nodes, and rooms for another one."""

    def __init__(self, rooms: RoomsClient, media: MediaClient, times: AdmitTimes, chores: Chores) -> None:
        self._rooms = rooms
        self._media = media
        self._times = times
        self._chores = chores

    async def admit(self, entry: Entry, participant: room_pb2.Participant) -> Admitted:
        """The place that serves the participant, with its answer. Raises SalonError."""
        if not entry.offer:
            return Admitted(participant.place, answer="")
        fresh = entry.is_resume and participant.place.epoch > entry.reserve.unheard_epoch
        plan = JoinPlan(participant.place, self._times, fresh=fresh)
        step = plan.start()
        while True:
            match step:
                case Admit(place, timeout):
                    step = await self._ask_node(plan, entry, participant, place, timeout)
                case Replace():
                    step = await self._ask_rooms(plan, entry, participant, step)
                case Admitted():
                    return step
                case Refused(error):
                    raise error
                case _:
                    assert_never(step)

    async def _ask_node(
        self,
        plan: JoinPlan,
        entry: Entry,
        participant: room_pb2.Participant,
        place: room_pb2.ParticipantPlace,
        timeout: float,
    ) -> Step:
        placed = room_pb2.Participant()
        placed.CopyFrom(participant)
        placed.place.CopyFrom(place)
        request = media_pb2.AdmitRequest(
            boot_id=place.boot_id,
            room_id=entry.room,
            participant=placed,
            epoch=place.epoch,
            offer=entry.offer,
            uplink_bps=entry.uplink_bps,
            downlink_bps=entry.downlink_bps,
        )
        try:
            return plan.handle_answer(await self._media.admit(place.node_id, request, timeout))
        except SalonError as error:
            return plan.handle_admit_failed(error, unanswered=isinstance(error, UnansweredError))
        except asyncio.CancelledError:
            self._forget_at(place, entry, participant)
            raise

    async def _ask_rooms(
        self,
        plan: JoinPlan,
        entry: Entry,
        participant: room_pb2.Participant,
        replace: Replace,
    ) -> Step:
        metrics.REPLACED.inc()
        failed = replace.failed
        request = rooms_pb2.ReplaceRequest(
            room_id=entry.room,
            participant_id=participant.id,
            failed=failed,
            unanswered=replace.unanswered,
        )
        try:
            place = (await self._rooms.replace(request)).place
        except SalonError as error:
            self._forget_at(failed, entry, participant)
            return plan.handle_replace_failed(error)
        if (place.node_id, place.boot_id) != (failed.node_id, failed.boot_id):
            # The same node is told nothing: a removal would keep out the session that it is asked for next.
            self._forget_at(failed, entry, participant)
        return plan.handle_replaced(place)

    def _forget_at(
        self, place: room_pb2.ParticipantPlace, entry: Entry, participant: room_pb2.Participant
    ) -> None:
        """It may have admitted the participant and been too late to say so."""
        request = media_pb2.RemoveRequest(
            room_id=entry.room, participant_id=participant.id, session_number=participant.session_number
        )
        self._chores.begin(self._media.remove(place.node_id, request))
