"""Join from end to end over fakes: what is asked in which order, and what is undone."""

import asyncio

import pytest
from salon.rooms.v1 import presence_pb2, room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError, invalid
from salon_signaling.core.claim import StreamClaim
from salon_signaling.entry import Entry
from unit.signaling.conftest import Replica
from unit.signaling.fakes import ANSWER, ROOM, SECRET


def newcomer(offer: str = "v=0 offer", name: str = "Ada") -> Entry:
    reserve = rooms_pb2.JoinRequest(
        room_id=ROOM, request_id="r1", invite_secret=SECRET, name=name, wants_media=bool(offer)
    )
    return Entry(ROOM, reserve, offer, 0)


def returning(participant_id: str, last_event: int, offer: str = "") -> Entry:
    reserve = rooms_pb2.JoinRequest(
        room_id=ROOM, request_id="r2", participant_id=participant_id, wants_media=bool(offer)
    )
    return Entry(ROOM, reserve, offer, last_event)


class TestNewcomers:
    async def test_the_welcome_comes_first_and_events_follow(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
            assert welcome.answer == ANSWER
            assert welcome.node_id == "node-1"
            assert welcome.epoch == 1
            assert welcome.snapshot.event_number == 1
            claims = replica.parts.authority.session(welcome.session_token.token, ROOM)
            assert claims.participant_id == welcome.participant_id
            await replica.rooms.emit(room_pb2.Event(chat=room_pb2.ChatMessage(text="hello")))
            assert await stream.event_number() == 2

    async def test_no_event_falls_between_snapshot_and_stream(self, replica: Replica) -> None:
        gate = replica.nodes["node-1"].script.gates["Admit"] = asyncio.Event()
        async with replica.stream(newcomer()) as stream:
            welcome = asyncio.create_task(stream.welcome())
            await replica.nodes["node-1"].script.until("Admit")
            await replica.rooms.emit(room_pb2.Event(chat=room_pb2.ChatMessage(text="during admission")))
            gate.set()
            assert (await welcome).snapshot.event_number == 1
            assert await stream.event_number() == 2

    async def test_without_an_offer_no_node_is_asked(self, replica: Replica) -> None:
        async with replica.stream(newcomer(offer="")) as stream:
            assert (await stream.welcome()).answer == ""
        assert not replica.nodes["node-1"].script.calls

    async def test_whoever_is_refused_is_told_why(self, replica: Replica) -> None:
        full = SalonError(Code.RESOURCE_EXHAUSTED, "the room is full")
        replica.rooms.script.failures["Join"] = [full]
        async with replica.stream(newcomer()) as stream:
            with pytest.raises(SalonError, match="the room is full"):
                await stream.next()


class TestAdmission:
    async def test_another_node_is_found_and_the_first_told_to_forget(self, replica: Replica) -> None:
        first = replica.nodes["node-1"].script
        first.gates["Admit"] = asyncio.Event()
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
            assert (welcome.node_id, welcome.epoch) == ("node-2", 2)
        (admit,) = replica.nodes["node-2"].script.of("Admit")
        assert admit.participant.place.node_id == "node-2"
        assert admit.epoch == 2
        (remove,) = first.of("Remove")
        assert remove.participant_id == welcome.participant_id
        assert remove.session_number == 1

    async def test_a_newcomer_whom_no_node_takes_gives_the_place_back(self, replica: Replica) -> None:
        for node in replica.nodes.values():
            node.script.failures["Admit"] = [SalonError(Code.UNAVAILABLE, "draining")]
        async with replica.stream(newcomer()) as stream:
            with pytest.raises(SalonError, match="no media node could take you in"):
                await stream.next()
            assert not replica.rooms.participants
        (leave,) = replica.rooms.script.of("Leave")
        assert leave.reason == room_pb2.LEAVE_REASON_LEFT

    async def test_a_bad_offer_is_told_in_the_nodes_words(self, replica: Replica) -> None:
        replica.nodes["node-1"].script.failures["Admit"] = [invalid("offer", "line 7 is odd")]
        async with replica.stream(newcomer()) as stream:
            with pytest.raises(SalonError, match="offer: line 7 is odd") as caught:
                await stream.next()
            assert caught.value.code == Code.INVALID_ARGUMENT
        assert not replica.rooms.participants

    async def test_who_resumes_is_never_removed_for_it(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
        replica.nodes["node-1"].script.failures["Admit"] = [invalid("offer", "is odd")]
        async with replica.stream(returning(welcome.participant_id, 1, offer="v=0 odd")) as stream:
            with pytest.raises(SalonError, match="offer: is odd"):
                await stream.next()
        assert welcome.participant_id in replica.rooms.participants

    async def test_a_place_that_cannot_be_given_back_does_not_hide_the_reason(self, replica: Replica) -> None:
        replica.nodes["node-1"].script.failures["Admit"] = [invalid("offer", "is odd")]
        replica.rooms.script.failures["Leave"] = [SalonError(Code.NOT_FOUND, "gone")]
        async with replica.stream(newcomer()) as stream:
            with pytest.raises(SalonError, match="offer: is odd"):
                await stream.next()


class TestCallersWhoGiveUp:
    @pytest.mark.parametrize("during", ["Join", "Admit"])
    async def test_a_newcomers_place_is_given_back(self, replica: Replica, during: str) -> None:
        script = replica.rooms.script if during == "Join" else replica.nodes["node-1"].script
        gate = script.gates[during] = asyncio.Event()
        messages = replica.joins.open(newcomer())
        opening = asyncio.ensure_future(anext(messages))
        await script.until(during)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        gate.set()
        await replica.parts.chores.finish()
        (leave,) = replica.rooms.script.of("Leave")
        assert leave.session_number == 1, "a later session of the same caller would stay"
        assert not replica.rooms.participants

    async def test_a_refusal_that_nobody_waits_for_is_no_error(self, replica: Replica) -> None:
        gate = replica.rooms.script.gates["Join"] = asyncio.Event()
        replica.rooms.script.failures["Join"] = [SalonError(Code.RESOURCE_EXHAUSTED, "the room is full")]
        messages = replica.joins.open(newcomer())
        opening = asyncio.ensure_future(anext(messages))
        await replica.rooms.script.until("Join")
        opening.cancel()
        gate.set()
        await replica.parts.chores.finish()
        assert not replica.rooms.script.of("Leave")
        with pytest.raises(asyncio.CancelledError):
            await opening

    async def test_after_the_welcome_the_place_is_kept_for_a_resume(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            await stream.welcome()
        assert not replica.rooms.script.of("Leave")
        assert len(replica.rooms.participants) == 1


class TestResume:
    async def test_missed_events_follow_one_by_one_without_a_snapshot(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
        for text in ("one", "two"):
            await replica.rooms.emit(room_pb2.Event(chat=room_pb2.ChatMessage(text=text)))
        async with replica.stream(returning(welcome.participant_id, last_event=1)) as stream:
            again = await stream.welcome()
            assert not again.HasField("snapshot")
            assert again.participant_id == welcome.participant_id
            assert [await stream.event_number(), await stream.event_number()] == [2, 3]

    async def test_a_client_without_history_gets_a_snapshot(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
        async with replica.stream(returning(welcome.participant_id, last_event=0)) as stream:
            assert (await stream.welcome()).snapshot.event_number == 1

    async def test_a_number_that_the_room_has_not_reached_is_answered_with_a_snapshot(
        self, replica: Replica
    ) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
        async with replica.stream(returning(welcome.participant_id, last_event=99)) as stream:
            assert (await stream.welcome()).snapshot.event_number == 1

    async def test_who_was_removed_is_refused(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
        await replica.rooms.remove(welcome.participant_id, room_pb2.LEAVE_REASON_REMOVED)
        async with replica.stream(returning(welcome.participant_id, last_event=1)) as stream:
            with pytest.raises(SalonError, match="no such participant"):
                await stream.next()

    async def test_the_older_stream_is_told_and_ends(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as first:
            welcome = await first.welcome()
            replica.clock.advance(1)
            async with replica.stream(returning(welcome.participant_id, 1, offer="v=0")) as second:
                await second.welcome()
                assert (await first.next()).WhichOneof("body") == "taken_over"
                assert await first.ended()
                await replica.rooms.emit(room_pb2.Event(chat=room_pb2.ChatMessage(text="still here")))
                assert await second.event_number() == 2


class TestEnds:
    async def test_removal_is_seen_and_ends_the_stream(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
            await replica.rooms.remove(welcome.participant_id, room_pb2.LEAVE_REASON_REMOVED)
            assert await stream.event_number() == 2
            assert await stream.ended()

    async def test_a_drain_tells_everybody_to_resume_elsewhere(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            await stream.welcome()
            replica.parts.live.drain()
            with pytest.raises(SalonError, match="resume elsewhere"):
                await stream.next()


class TestPresence:
    async def test_open_streams_are_vouched_for_and_ended_ones_are_gone(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            await stream.welcome()
            assert self.statuses(replica) == [presence_pb2.PRESENCE_STATUS_EXPECTED]
        assert self.statuses(replica) == [presence_pb2.PRESENCE_STATUS_GONE]

    async def test_a_stream_that_was_taken_over_does_not_say_gone(self, replica: Replica) -> None:
        async with replica.stream(newcomer()) as stream:
            welcome = await stream.welcome()
            self.statuses(replica)
            newer = StreamClaim(
                replica.parts.authority.session(welcome.session_token.token, ROOM).participant_id,
                session_number=9,
                opened_at_ms=0,
                stream_id="f" * 16,
            )
            await replica.parts.live.announce(ROOM, newer)
            await stream.next()
            assert await stream.ended()
        assert self.statuses(replica) == []

    @staticmethod
    def statuses(replica: Replica) -> list[int]:
        return [entry.status for report in replica.parts.ledger.take_changes() for entry in report.entries]
