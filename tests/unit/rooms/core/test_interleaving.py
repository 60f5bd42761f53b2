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
from salon_common.ids import ID_BYTES, make_id
from salon_rooms.core.command import Command
from salon_rooms.core.entering import Join
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.relocating import Evacuate, MoveRoom
from salon_rooms.core.staying import Connected, Leave, SendChat
from salon_rooms.core.turn import Commit, Finished, Load, Turn
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.store import StoreConflict
from unit.rooms.kit import ROOM_ID, House, create_command, random_bytes

N1 = NodeRef("n1", "b1")
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
    before: Sequence[Command[Any]] = ()
    """What has been done to the room already."""
    setting: Callable[[House], None] = lambda _: None
    """What happens before the writers begin."""
    capacity: int = 2
    late: list[Commit] = field(default_factory=list)
    store: SimulatedStore = field(default_factory=SimulatedStore)
    stored: list[Commit] = field(default_factory=list)

    def play(self, writers: Sequence[Sequence[Command[Any]]]) -> list[Finished]:
        """Let the writers finish, one step of one of them at a time."""
        self._finish(Turn([create_command(capacity=self.capacity), *self.before], None, "start"))
        self.setting(self.house)
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
            assert commit.change.head.occupancy <= self.capacity
        return room.head


def join(house: House, request_id: str, *, media: bool = False) -> Join:
    request = rooms_pb2.JoinRequest(
        room_id=ROOM_ID, request_id=request_id, invite_secret=house.link, name="Ada", wants_media=media
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


class Moving:
    """Ada is present and Bob is joining on n1, beside which there are n2 and n3."""

    def __init__(self, *, dead: bool) -> None:
        self.dead = dead
        house = self.house()
        self.joins = [join(house, name, media=True) for name in ("ada", "bob")]
        self.ada, self.bob = (make_id(command.random[:ID_BYTES]) for command in self.joins)
        self.before: list[Command[Any]] = [*self.joins, Connected(self.ada, 1, N1)]
        self.cat = join(house, "cat", media=True)
        self.leave = Leave(rooms_pb2.LeaveRequest(room_id=ROOM_ID, participant_id=self.ada))
        request = rooms_pb2.JoinRequest(
            room_id=ROOM_ID, request_id="again", participant_id=self.bob, wants_media=True
        )
        self.resume = Join(request, random_bytes(18))
        self.connected = Connected(self.bob, 1, N1)
        self.moves = [self._move(), self._move()]

    def house(self) -> House:
        return House("n1")

    def befall(self, house: House) -> None:
        """What happens once everybody is in."""
        house.beat("n2")
        house.beat("n3")
        if self.dead:
            house.die("n1", alive=("n2", "n3"))

    def _move(self) -> Command[Any]:
        return Evacuate(N1, random_bytes(8), 0) if self.dead else MoveRoom(N1, random_bytes(8))

    def play_all(self, writers: Sequence[Sequence[Command[Any]]], faults: int, fates: tuple[str, ...]) -> int:
        choices = Choices()
        count = 0
        for _ in choices.runs():
            count += 1
            story = Story(self.house(), choices, faults, fates, self.before, self.befall, capacity=3)
            finished = story.play(writers)
            story.check()
            self.check(story, finished)
        return count

    def check(self, story: Story, finished: list[Finished]) -> None:
        """The room has moved once, everybody in it with it, and whoever is in was told of it or placed anew."""
        room = story.store.read(ROOM_ID).room
        assert room is not None
        placement = room.head.placement
        assert placement.epoch == 2
        active = [n for n in placement.nodes if n.state == room_pb2.PLACED_NODE_STATE_ACTIVE]
        assert [n.node_id for n in active] != ["n1"]
        assert len(active) == 1
        assert len(placement.nodes) == (1 if self.dead else 2)
        events = [event for commit in story.stored for event in commit.change.events]
        told = [e.participant_moved for e in events if e.WhichOneof("body") == "participant_moved"]
        assert len({moved.participant_id for moved in told}) == len(told), "nobody is told twice"
        assert all(moved.epoch == 2 and moved.make_before_break != self.dead for moved in told)
        given = {
            o.participant.id
            for o in outcomes(finished)
            if isinstance(o, rooms_pb2.JoinResponse) and o.participant.place.epoch == 2
        }
        for participant in room.participants.values():
            assert participant.place.epoch == 2
            assert participant.place.node_id == active[0].node_id
            assert participant.id in given | {moved.participant_id for moved in told}
        for outcome in outcomes(finished):
            assert not isinstance(outcome, Exception) or isinstance(outcome, SalonError)


@pytest.mark.parametrize("dead", [True, False])
@pytest.mark.parametrize("fates", [(ANSWERED, LOST, UNANSWERED), (ANSWERED, LATE)])
@pytest.mark.parametrize("beside", ["cat", "leave", "resume", "connected"])
def test_a_room_is_moved_once_beside_anything_else(dead: bool, fates: tuple[str, ...], beside: str) -> None:
    moving = Moving(dead=dead)
    other: Command[Any] = getattr(moving, beside)
    assert moving.play_all([[moving.moves[0]], [other]], 1, fates) > 10


@pytest.mark.parametrize("dead", [True, False])
def test_two_replicas_that_move_a_room_move_it_once(dead: bool) -> None:
    moving = Moving(dead=dead)
    assert moving.play_all([[moving.moves[0]], [moving.moves[1]], [moving.resume]], 0, (ANSWERED,)) >= 100


@pytest.mark.parametrize("dead", [True, False])
def test_all_of_it_at_once(dead: bool) -> None:
    moving = Moving(dead=dead)
    writers: list[list[Command[Any]]] = [
        [moving.moves[0], moving.leave],
        [moving.resume, moving.connected],
        [moving.moves[1], moving.cat],
    ]
    assert moving.play_all(writers, 0, (ANSWERED,)) >= 100
