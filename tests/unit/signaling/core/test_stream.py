"""What a stream sends, asks for, and ends with; then any interleaving at all."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import Code, SalonError
from salon_signaling.core.stream import (
    End,
    EndCause,
    Membership,
    Output,
    ParticipantStream,
    RenewToken,
    RequestReplay,
    Send,
    StreamTimes,
)
from unit.signaling.events import ME, OTHER, changed, chat, claim, left, moved, snapshot

TIMES = StreamTimes(keepalive=10, token_lifetime=600, audit=30, replay_backoff=0.1, replay_backoff_max=0.4)


def open_stream(
    last_event: int = 5,
    room_event: int = 5,
    *,
    role: "room_pb2.Role.ValueType" = room_pb2.ROLE_SPEAKER,
    seen_epoch: int = 0,
    old_node_serves: bool = False,
) -> ParticipantStream:
    member = Membership(
        claim=claim(), role=role, epoch=3, seen_epoch=seen_epoch, old_node_serves=old_node_serves
    )
    return ParticipantStream(member, last_event=last_event, room_event=room_event, times=TIMES, now=0.0)


def kinds(outputs: list[Output]) -> list[str]:
    """Short names: the kind of each message sent, the class of each other output."""
    return [
        (o.message.WhichOneof("body") or "") if isinstance(o, Send) else type(o).__name__ for o in outputs
    ]


def numbers(outputs: list[Output]) -> list[int]:
    return [o.message.event.number for o in outputs if isinstance(o, Send) and o.message.HasField("event")]


def replayed(*events: room_pb2.Event, more: bool = False) -> rooms_pb2.ReplayResponse:
    return rooms_pb2.ReplayResponse(events=events, more=more)


class TestOrder:
    def test_events_after_the_welcome_are_sent_as_they_come(self) -> None:
        stream = open_stream()
        stream.handle_event(chat(6), 1.0)
        stream.handle_event(chat(7), 1.0)
        assert numbers(stream.take_outputs()) == [6, 7]
        assert stream.last_event == 7

    def test_events_that_the_snapshot_contains_are_dropped(self) -> None:
        stream = open_stream()
        stream.handle_event(chat(5), 1.0)
        assert stream.take_outputs() == []

    def test_a_resume_asks_for_what_was_missed_and_holds_live_events_back(self) -> None:
        stream = open_stream(last_event=5, room_event=8)
        assert stream.take_outputs() == [RequestReplay(5)]
        stream.handle_event(chat(9), 1.0)
        assert stream.take_outputs() == []
        stream.handle_replayed(replayed(chat(6), chat(7), chat(8)), 1.0)
        assert numbers(stream.take_outputs()) == [6, 7, 8, 9]

    def test_a_hole_is_asked_for_once(self) -> None:
        stream = open_stream()
        stream.handle_event(chat(7), 1.0)
        stream.handle_event(chat(8), 1.0)
        assert stream.take_outputs() == [RequestReplay(5)]
        stream.handle_replayed(replayed(chat(6), chat(7)), 1.0)
        assert numbers(stream.take_outputs()) == [6, 7, 8]

    def test_a_long_replay_is_asked_for_piece_by_piece(self) -> None:
        stream = open_stream(last_event=5, room_event=9)
        stream.take_outputs()
        stream.handle_replayed(replayed(chat(6), chat(7), more=True), 1.0)
        outputs = stream.take_outputs()
        assert numbers(outputs) == [6, 7]
        assert outputs[-1] == RequestReplay(7)

    def test_events_that_are_not_kept_are_replaced_by_a_snapshot(self) -> None:
        stream = open_stream(last_event=5, room_event=900)
        stream.handle_event(chat(902), 1.0)
        stream.take_outputs()
        stream.handle_replayed(rooms_pb2.ReplayResponse(snapshot=snapshot(901, ME)), 1.0)
        outputs = stream.take_outputs()
        assert kinds(outputs) == ["snapshot", "event"]
        assert numbers(outputs) == [902]

    def test_an_old_snapshot_is_not_shown(self) -> None:
        stream = open_stream()
        stream.handle_replayed(rooms_pb2.ReplayResponse(snapshot=snapshot(4, ME)), 1.0)
        assert stream.take_outputs() == []


class TestReplays:
    def test_after_a_reconnect_silence_proves_nothing(self) -> None:
        stream = open_stream()
        stream.handle_reconnected()
        assert stream.take_outputs() == [RequestReplay(5)]

    def test_a_reconnect_during_a_replay_asks_again_after_it(self) -> None:
        stream = open_stream()
        stream.handle_reconnected()
        stream.take_outputs()
        stream.handle_reconnected()
        assert stream.take_outputs() == []
        stream.handle_replayed(replayed(), 1.0)
        assert stream.take_outputs() == [RequestReplay(5)]
        stream.handle_replayed(replayed(), 1.0)
        assert stream.take_outputs() == []

    def test_a_failed_replay_is_tried_again_after_growing_pauses(self) -> None:
        stream = open_stream(last_event=5, room_event=6)
        now = 0.0
        pauses = []
        for _ in range(4):
            assert stream.take_outputs() == [RequestReplay(5)]
            stream.handle_replay_failed(now)
            pauses.append(round(stream.poll_timeout() - now, 6))
            now = stream.poll_timeout()
            stream.handle_timeout(now)
        assert pauses == [0.1, 0.2, 0.4, 0.4]

    def test_progress_resets_the_pause(self) -> None:
        stream = open_stream(last_event=5, room_event=7)
        stream.handle_replay_failed(0.0)
        stream.handle_timeout(0.1)
        stream.handle_replayed(replayed(chat(6)), 0.1)
        stream.handle_replay_failed(0.1)
        assert stream.poll_timeout() == pytest.approx(0.2)

    def test_an_answer_without_the_missing_event_is_not_asked_for_in_a_tight_loop(self) -> None:
        stream = open_stream()
        stream.handle_event(chat(7), 1.0)
        stream.take_outputs()
        stream.handle_replayed(replayed(), 1.0)
        stream.handle_event(chat(8), 1.0)
        assert stream.take_outputs() == []
        assert stream.poll_timeout() == pytest.approx(1.1)

    def test_silence_is_looked_into_now_and_then(self) -> None:
        stream = open_stream()
        stream.handle_event(chat(6), 20.0)
        stream.take_outputs()
        stream.handle_timeout(49.9)
        assert "RequestReplay" not in kinds(stream.take_outputs())
        stream.handle_timeout(50.0)
        assert RequestReplay(6) in stream.take_outputs()


class TestTimes:
    def test_a_keepalive_follows_silence(self) -> None:
        stream = open_stream()
        stream.handle_event(chat(6), 5.0)
        stream.take_outputs()
        assert stream.poll_timeout() == 15.0
        stream.handle_timeout(15.0)
        assert kinds(stream.take_outputs()) == ["keepalive"]
        assert stream.poll_timeout() == 25.0

    def test_tokens_are_renewed_at_half_their_life(self) -> None:
        stream = open_stream()
        stream.handle_timeout(300.0)
        assert RenewToken(room_pb2.ROLE_SPEAKER) in stream.take_outputs()
        stream.handle_timeout(599.0)
        assert "RenewToken" not in kinds(stream.take_outputs())
        stream.handle_timeout(600.0)
        assert "RenewToken" in kinds(stream.take_outputs())

    def test_a_new_role_brings_a_new_token_at_once(self) -> None:
        stream = open_stream()
        stream.handle_event(changed(6, OTHER, room_pb2.ROLE_HOST), 1.0)
        stream.handle_event(changed(7, ME, room_pb2.ROLE_SPEAKER), 1.0)
        assert kinds(stream.take_outputs()) == ["event", "event"]
        stream.handle_event(changed(8, ME, room_pb2.ROLE_COHOST), 1.0)
        outputs = stream.take_outputs()
        assert kinds(outputs) == ["event", "RenewToken"]
        assert outputs[1] == RenewToken(room_pb2.ROLE_COHOST)


class TestMoves:
    def test_the_one_who_moves_is_told(self) -> None:
        stream = open_stream()
        stream.handle_event(moved(6, ME, epoch=4), 1.0)
        assert kinds(stream.take_outputs()) == ["event", "moved"]

    def test_how_to_move_is_passed_on(self) -> None:
        stream = open_stream()
        event = moved(6, ME, epoch=4)
        event.participant_moved.make_before_break = True
        event.participant_moved.spread_ms = 300
        stream.handle_event(event, 1.0)
        told = stream.take_outputs()[1]
        assert isinstance(told, Send)
        assert told.message.moved == signaling_pb2.Moved(epoch=4, make_before_break=True, spread_ms=300)

    @pytest.mark.parametrize("serves", [True, False])
    def test_who_missed_their_move_keeps_an_old_node_that_still_serves(self, serves: bool) -> None:
        (told,) = open_stream(seen_epoch=2, old_node_serves=serves).take_outputs()
        assert isinstance(told, Send)
        assert told.message.moved == signaling_pb2.Moved(epoch=3, make_before_break=serves)

    def test_moves_of_others_and_stale_ones_are_events_alone(self) -> None:
        stream = open_stream()
        stream.handle_event(moved(6, OTHER, epoch=4), 1.0)
        stream.handle_event(moved(7, ME, epoch=3), 1.0)
        assert kinds(stream.take_outputs()) == ["event", "event"]

    @pytest.mark.parametrize("seen", [0, 3, 4])
    def test_who_knows_the_place_or_cannot_tell_has_not_moved(self, seen: int) -> None:
        assert open_stream(seen_epoch=seen).take_outputs() == []

    def test_who_was_moved_while_away_is_told_once(self) -> None:
        stream = open_stream(last_event=5, room_event=6, seen_epoch=2)
        outputs = stream.take_outputs()
        assert kinds(outputs) == ["moved", "RequestReplay"]
        assert isinstance(outputs[0], Send)
        assert outputs[0].message.moved.epoch == 3
        stream.handle_replayed(replayed(moved(6, ME, epoch=3)), 1.0)
        assert kinds(stream.take_outputs()) == ["event"]


class TestEnds:
    def test_own_removal_is_delivered_and_ends_the_stream(self) -> None:
        stream = open_stream()
        stream.handle_event(left(6, OTHER), 1.0)
        stream.handle_event(chat(8), 1.0)
        stream.take_outputs()
        stream.handle_event(left(7, ME), 1.0)
        outputs = stream.take_outputs()
        assert kinds(outputs) == ["event", "End"]
        assert outputs[-1] == End(EndCause.OUT)

    def test_the_end_of_the_room_ends_the_stream(self) -> None:
        stream = open_stream()
        stream.handle_event(room_pb2.Event(number=6, room_ended=room_pb2.RoomEnded()), 1.0)
        assert kinds(stream.take_outputs()) == ["event", "End"]

    def test_a_snapshot_without_oneself_ends_the_stream(self) -> None:
        stream = open_stream()
        stream.handle_replayed(rooms_pb2.ReplayResponse(snapshot=snapshot(9, OTHER)), 1.0)
        assert kinds(stream.take_outputs()) == ["snapshot", "End"]

    def test_a_snapshot_of_an_ended_room_ends_the_stream(self) -> None:
        stream = open_stream()
        stream.handle_replayed(rooms_pb2.ReplayResponse(snapshot=snapshot(9, ME, ended=True)), 1.0)
        assert kinds(stream.take_outputs()) == ["snapshot", "End"]

    def test_viewers_are_not_listed_in_snapshots(self) -> None:
        stream = open_stream(role=room_pb2.ROLE_VIEWER)
        stream.handle_replayed(rooms_pb2.ReplayResponse(snapshot=snapshot(9, OTHER)), 1.0)
        assert kinds(stream.take_outputs()) == ["snapshot"]

    def test_a_newer_stream_takes_over(self) -> None:
        stream = open_stream()
        stream.handle_claim(claim())
        stream.handle_claim(claim(OTHER, session=9))
        assert stream.take_outputs() == []
        stream.handle_claim(claim(session=2))
        outputs = stream.take_outputs()
        assert kinds(outputs) == ["taken_over", "End"]
        assert outputs[-1] == End(EndCause.TAKEN_OVER)

    @pytest.mark.parametrize(
        ("how", "cause"), [("handle_drain", EndCause.DRAINED), ("handle_overflow", EndCause.SLOW)]
    )
    def test_the_client_is_told_to_resume(self, how: str, cause: EndCause) -> None:
        stream = open_stream()
        getattr(stream, how)()
        (end,) = stream.take_outputs()
        assert isinstance(end, End)
        assert end.cause == cause
        assert end.error is not None
        assert end.error.code == Code.UNAVAILABLE
        assert "resume" in end.error.message

    def test_a_room_that_is_known_no_more_ends_the_stream_with_its_error(self) -> None:
        stream = open_stream()
        gone = SalonError(Code.NOT_FOUND, "no such room")
        stream.handle_gone(gone)
        assert stream.take_outputs() == [End(EndCause.OUT, gone)]

    def test_after_the_end_nothing_happens(self) -> None:
        stream = open_stream()
        stream.handle_drain()
        stream.take_outputs()
        stream.handle_event(chat(6), 1.0)
        stream.handle_replayed(replayed(chat(6)), 1.0)
        stream.handle_replay_failed(1.0)
        stream.handle_reconnected()
        stream.handle_claim(claim(session=2))
        stream.handle_drain()
        stream.handle_timeout(1e6)
        assert stream.take_outputs() == []
        assert stream.poll_timeout() == float("inf")


class AnyInterleaving(RuleBasedStateMachine):
    """A room commits, a lossy NATS delivers late, doubly or never, replays answer late, shortened or not at all.

    The model keeps the room's whole log; the log that the client sees must be contiguous at every step, and complete
    once losses stop.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.committed = 5
        self.kept_from = 1
        self.wire: list[int] = []
        self.asked: list[int] = []
        self.log = [5]
        self.stream = open_stream()

    def drain(self) -> None:
        for output in self.stream.take_outputs():
            match output:
                case RequestReplay(after):
                    self.asked.append(after)
                case Send(message) if message.HasField("event"):
                    assert message.event.number == self.log[-1] + 1
                    assert message.event == chat(message.event.number)
                    self.log.append(message.event.number)
                case Send(message) if message.HasField("snapshot"):
                    assert message.snapshot.event_number > self.log[-1]
                    self.log.append(message.snapshot.event_number)
                case End():
                    raise AssertionError(output)
                case _:
                    pass
        assert len(self.asked) <= 1, "one replay at a time"

    def answer(self, limit: int) -> rooms_pb2.ReplayResponse:
        after = self.asked.pop()
        if after + 1 < self.kept_from:
            return rooms_pb2.ReplayResponse(snapshot=snapshot(self.committed, ME))
        last = min(self.committed, after + limit)
        return replayed(*(chat(n) for n in range(after + 1, last + 1)), more=last < self.committed)

    @rule(count=st.integers(1, 4), lost=st.booleans())
    def commit(self, count: int, lost: bool) -> None:
        for _ in range(count):
            self.committed += 1
            if not lost:
                self.wire.append(self.committed)

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), twice=st.booleans())
    def deliver(self, data: st.DataObject, twice: bool) -> None:
        number = data.draw(st.sampled_from(self.wire))
        if not twice:
            self.wire.remove(number)
        self.stream.handle_event(chat(number), self.now)
        self.drain()

    @rule()
    def lose_the_wire_and_reconnect(self) -> None:
        self.wire.clear()
        self.stream.handle_reconnected()
        self.drain()

    @rule()
    def forget_old_events(self) -> None:
        self.kept_from = self.committed + 1

    @precondition(lambda self: self.asked)
    @rule(limit=st.integers(1, 10))
    def answer_replay(self, limit: int) -> None:
        self.stream.handle_replayed(self.answer(limit), self.now)
        self.drain()

    @precondition(lambda self: self.asked)
    @rule()
    def fail_replay(self) -> None:
        self.asked.clear()
        self.stream.handle_replay_failed(self.now)
        self.drain()

    @rule(seconds=st.floats(0.01, 40))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.stream.handle_timeout(self.now)
        self.drain()

    @invariant()
    def the_stream_agrees_with_the_log(self) -> None:
        assert self.stream.last_event == self.log[-1]

    def teardown(self) -> None:
        """Losses stop: within one audit and the answers to it, everything is there."""
        self.wire.clear()
        self.now += TIMES.audit
        self.stream.handle_timeout(self.now)
        self.drain()
        for _ in range(self.committed):
            if self.asked:
                self.stream.handle_replayed(self.answer(10), self.now)
                self.drain()
        assert self.log[-1] == self.committed


AnyInterleaving.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyInterleaving = AnyInterleaving.TestCase
