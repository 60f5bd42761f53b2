"""Writers of one room over the simulated store, in every order of their reads and commits, with commits answered, lost
before they were stored, stored without an answer, or stored later, when nobody waits for them any more.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import SalonError
from salon_rooms.core.command import Command
from salon_rooms.core.entering import Join
from salon_rooms.core.staying import Leave, SendChat
from salon_rooms.core.turn import Commit, Finished, Load, Turn
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.store import StoreConflict
from unit.rooms.kit import ROOM_ID, House, create_command, random_bytes

ANSWERED, LOST, UNANSWERED, LATE = "answered", "lost", "unanswered", "late"


class Choices:
    """Walks through every sequence of choices, depth first, by running the whole story once for each."""

    def __init__(self) -> None:
        self._path: list[tuple[int, int]] = []
        self._at = 0

    def pick(self, count: int) -> int:
        if self._at == len(self._path):
            self._path.append((0, count))
        chosen, known = self._path[self._at]
        assert known == count, "a story must be the same each time"
        self._at += 1
        return chosen

    def runs(self) -> Iterator[int]:
        number = 0
        while True:
            self._at = 0
            yield number
            number += 1
            while self._path and self._path[-1][0] + 1 == self._path[-1][1]:
                self._path.pop()
            if not self._path:
                return
            chosen, count = self._path[-1]
            self._path[-1] = (chosen + 1, count)


@dataclass
class Story:
    """One order of everything."""

    house: House
    choices: Choices
    faults: int
    fates: tuple[str, ...] = (ANSWERED, LOST, UNANSWERED)
    late: list[Commit] = field(default_factory=list)
    store: SimulatedStore = field(default_factory=SimulatedStore)
    stored: list[Commit] = field(default_factory=list)

    def play(self, writers: Sequence[Sequence[Command[Any]]]) -> list[Finished]:
        """Let the writers finish, one step of one of them at a time."""
        start = Turn([create_command(capacity=2)], None, "start")
        self._finish(start)
        turns = {number: Turn(commands, None, f"w{number}") for number, commands in enumerate(writers)}
        finished: dict[int, Finished] = {}
        while turns:
            order = sorted(turns)
            step = self.choices.pick(len(order) + len(self.late))
            if step >= len(order):
                self._land(self.late.pop(step - len(order)))
                continue
            number = order[step]
            result = self._step(turns[number])
            if result is not None:
                finished[number] = result
                del turns[number]
        for commit in self.late:
            self._land(commit)
        return [finished[number] for number in sorted(finished)]

    def _finish(self, turn: Turn) -> None:
        faults, self.faults = self.faults, 0
        while self._step(turn) is None:
            pass
        self.faults = faults

    def _step(self, turn: Turn) -> Finished | None:
        """One read or one commit."""
        match turn.poll(self.house.moment):
            case Load():
                turn.handle_loaded(self.store.read(ROOM_ID))
            case Commit() as commit:
                self._commit(turn, commit)
            case Finished() as finished:
                return finished
        after = turn.poll(self.house.moment) if turn.finished else None
        return after if isinstance(after, Finished) else None

    def _commit(self, turn: Turn, commit: Commit) -> None:
        fate = self.fates[self.choices.pick(len(self.fates) if self.faults else 1)]
        if fate != ANSWERED:
            self.faults -= 1
        if fate == LATE:
            self.late.append(commit)
        if fate in (LATE, LOST):
            turn.handle_unheard(commit)
            return
        try:
            sequence = self.store.write(ROOM_ID, commit)
        except StoreConflict:
            turn.handle_unheard(commit) if fate == UNANSWERED else turn.handle_conflict()
            return
        self.stored.append(commit)
        if fate == UNANSWERED:
            turn.handle_unheard(commit)
        else:
            turn.handle_committed(commit, sequence)

    def _land(self, commit: Commit) -> None:
        """A write that was under way for long arrives."""
        with suppress(StoreConflict):
            self.store.write(ROOM_ID, commit)
            self.stored.append(commit)

    def check(self) -> room_pb2.RoomHead:
        """What must hold however it went."""
        room = self.store.read(ROOM_ID).room
        assert room is not None
        events = [event.number for commit in self.stored for event in commit.change.events]
        assert events == list(range(1, room.head.last_event + 1)), "numbers have no gap and no double"
        assert room.head.occupancy == len(room.participants) <= room.capacity
        numbers = [source.number for p in room.participants.values() for source in p.sources]
        assert len(numbers) == len(set(numbers))
        for commit in self.stored:
            assert commit.change.head is not None
            assert commit.change.head.occupancy <= 2
        return room.head


def join(house: House, request_id: str) -> Join:
    request = rooms_pb2.JoinRequest(
        room_id=ROOM_ID, request_id=request_id, invite_secret=house.link, name="Ada"
    )
    return Join(request, random_bytes(18))


def play_all(
    writers: Callable[[House], Sequence[Sequence[Command[Any]]]],
    check: Callable[[Story, list[Finished]], None],
    faults: int,
    fates: tuple[str, ...] = (ANSWERED, LOST, UNANSWERED),
) -> int:
    house = House("n1")
    stories = writers(house)
    choices = Choices()
    count = 0
    for _ in choices.runs():
        count += 1
        story = Story(house, choices, faults, fates)
        check(story, story.play(stories))
        story.check()
    return count


def outcomes(finished: Sequence[Finished]) -> list[Any]:
    return [outcome for item in finished for outcome in item.outcomes]


@pytest.mark.parametrize(("faults", "at_least"), [(0, 100), (1, 1000)])
def test_three_joins_into_a_room_of_two(faults: int, at_least: int) -> None:
    def check(story: Story, finished: list[Finished]) -> None:
        room = story.store.read(ROOM_ID).room
        assert room is not None
        results = Counter(type(o).__name__ for o in outcomes(finished))
        assert results == {"JoinResponse": 2, "SalonError": 1}
        replied = {o.participant.id for o in outcomes(finished) if isinstance(o, rooms_pb2.JoinResponse)}
        assert replied == set(room.participants)

    count = play_all(
        lambda house: [[join(house, f"j{n}")] for n in range(3)], check, faults, (ANSWERED, UNANSWERED)
    )
    assert count >= at_least


@pytest.mark.parametrize(("fates", "faults"), [((ANSWERED, LOST, UNANSWERED), 2), ((ANSWERED, LATE), 1)])
def test_the_same_join_of_two_replicas_is_one_participant(fates: tuple[str, ...], faults: int) -> None:
    def check(story: Story, finished: list[Finished]) -> None:
        assert len({o.participant.id for o in outcomes(finished)}) == 1
        assert story.check().occupancy == 1

    assert play_all(lambda house: [[join(house, "same")] for _ in range(2)], check, faults, fates) > 100


def test_a_write_that_lands_when_nobody_waits_any_more_harms_nothing() -> None:
    def check(story: Story, finished: list[Finished]) -> None:
        room = story.store.read(ROOM_ID).room
        assert room is not None
        assert {o.participant.id for o in outcomes(finished)} == set(room.participants)

    play_all(lambda house: [[join(house, f"j{n}")] for n in range(2)], check, 1, (ANSWERED, LATE))


def test_the_same_chat_thrice_is_one_message_beside_a_leaver() -> None:
    writer = House("n1").join().participant  # made once, so that each story has the same participant

    def writers(house: House) -> Sequence[Sequence[Command[Any]]]:
        entering = join(house, "w")
        who = entering.apply(house.room, house.moment).reply.participant.id
        chat = SendChat(
            rooms_pb2.SendChatRequest(room_id=ROOM_ID, participant_id=who, request_id="c", text=writer.name)
        )
        leave = Leave(rooms_pb2.LeaveRequest(room_id=ROOM_ID, participant_id="z" * 16))
        return [[entering, chat], [chat, leave], [chat, entering]]

    def check(story: Story, finished: list[Finished]) -> None:
        chats = [e for c in story.stored for e in c.change.events if e.WhichOneof("body") == "chat"]
        replied = {o.event_number for o in outcomes(finished) if isinstance(o, rooms_pb2.SendChatResponse)}
        assert [event.number for event in chats] == sorted(replied)
        assert len(chats) <= 1
        for outcome in outcomes(finished):
            assert not isinstance(outcome, Exception) or isinstance(outcome, SalonError)

    assert play_all(writers, check, 1) > 500


def test_every_creation_of_one_room_gets_the_same_answer() -> None:
    def check(story: Story, finished: list[Finished]) -> None:
        assert len({o.SerializeToString() for o in outcomes(finished)}) == 1

    assert play_all(lambda _: [[create_command(capacity=2)] for _ in range(3)], check, 1) >= 6
