"""Any commands in any order: what always holds of a room."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError
from salon_rooms.core.staying import Connected, Vouched
from unit.rooms.kit import House

COUNTED = (room_pb2.PARTICIPANT_STATE_JOINING, room_pb2.PARTICIPANT_STATE_PRESENT)
NODES = st.sampled_from(["n1", "n2", "n3"])
KINDS = st.sets(st.sampled_from(room_pb2.SourceKind.values()[1:]))


class RoomMachine(RuleBasedStateMachine):
    """One room, whose people do as they like while nodes come and go."""

    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.house = House("n1", "n2", capacity=4)
        self.seen = 1  # how many changes the invariants have looked at; the first made the room
        self.next_event = 1
        self.epoch = 0
        self.numbers: set[int] = set()
        self.names = 0
        self.chats: dict[tuple[str, str], int] = {}

    @initialize(target=people)
    def host_comes(self) -> str:
        return self.house.host().participant.id

    @rule(target=people, viewer=st.booleans(), media=st.booleans(), tries=st.integers(1, 3))
    def join(self, viewer: bool, media: bool, tries: int) -> str:
        self.names += 1
        before = self.house.state.head.occupancy
        secret = self.viewer_link() if viewer else None
        try:
            ids = {
                self.house.join(
                    f"P{self.names}", secret=secret, request_id=f"r{self.names}", media=media
                ).participant.id
                for _ in range(tries)
            }
        except SalonError as error:
            full = error.code is Code.RESOURCE_EXHAUSTED and before == 4
            assert full or error.code is Code.UNAVAILABLE  # noqa: PT017 - either is right
            assert self.house.state.head.occupancy == before
            return "z" * 16
        assert len(ids) == 1, "a retry is not a second join"
        assert self.house.state.head.occupancy == before + 1
        return ids.pop()

    def viewer_link(self) -> str | None:
        for participant in self.house.state.participants.values():
            if participant.role == room_pb2.ROLE_HOST:
                return self.house.invite(participant.id, room_pb2.ROLE_VIEWER).invite_secret
        return None

    @rule(who=people, media=st.booleans())
    def resume(self, who: str, media: bool) -> None:
        before = self.house.state.head.occupancy
        try:
            joined = self.house.resume(who, media=media)
        except SalonError as error:
            assert error.code in (Code.NOT_FOUND, Code.UNAVAILABLE)  # noqa: PT017 - either is right
        else:
            assert joined.participant == self.house.state.participants[who]
        assert self.house.state.head.occupancy == before

    @rule(who=people)
    def connect(self, who: str) -> None:
        if who in self.house.state.participants:
            self.house.connected(who)

    @rule(who=people, number=st.integers(1, 3))
    def chat(self, who: str, number: int) -> None:
        request_id = str(number)
        if who not in self.house.state.participants:
            with pytest.raises(SalonError):
                self.house.chat(who, request_id=request_id)
            return
        event_number = self.house.chat(who, request_id=request_id)
        assert self.chats.setdefault((who, request_id), event_number) == event_number

    @rule(who=people, kinds=KINDS)
    def set_sources(self, who: str, kinds: set[room_pb2.SourceKind.ValueType]) -> None:
        try:
            self.house.sources(who, *kinds)
        except SalonError as error:
            assert error.code in (Code.NOT_FOUND, Code.PERMISSION_DENIED)  # noqa: PT017 - either is right

    @rule(who=people, fresh=st.booleans())
    def ask(self, who: str, fresh: bool) -> None:
        epoch = self.house.state.head.placement.epoch
        if who not in self.house.state.participants or epoch == 0:
            return
        try:
            joined = self.house.resume(who, unheard_epoch=epoch if fresh else max(epoch - 1, 1))
        except SalonError as error:
            assert error.code is Code.UNAVAILABLE  # noqa: PT017 - any other is a fault
        else:
            assert joined.participant.place.epoch == joined.placement.epoch
            assert who not in self.house.moved, "who asks is answered, not told"

    @rule()
    def leave_the_node(self) -> None:
        if self.house.state.head.placement.epoch == 0:
            return
        left, lives = self.house.node, self.house.nodes.is_alive(self.house.node, self.house.now)
        try:
            moved = self.house.move() if lives else self.house.evacuate()
        except SalonError as error:
            assert error.code is Code.UNAVAILABLE  # noqa: PT017 - any other is a fault
            return
        assert moved
        assert self.house.node != left
        assert (left in self.house.leaving) == lives
        for told in self.house.moved.values():
            assert told.epoch == self.house.state.head.placement.epoch
            assert told.make_before_break or not lives

    @rule(who=people)
    def the_old_node_has_them_still(self, who: str) -> None:
        participant = self.house.state.participants.get(who)
        if participant is None or not participant.HasField("place"):
            return
        leaving = self.house.leaving
        for node in leaving:
            assert self.house.do(Connected(who, participant.session_number, node)) is Vouched.RIGHT
            assert self.house.last.head is None

    @rule(nodes=st.sets(NODES))
    def nodes_freeze(self, nodes: set[str]) -> None:
        self.house.fall_silent(*nodes)

    @rule(who=people)
    def replace(self, who: str) -> None:
        participant = self.house.state.participants.get(who)
        if participant is None:
            return
        try:
            place = self.house.replace(who, participant.place)
        except SalonError as error:
            assert error.code is Code.UNAVAILABLE  # noqa: PT017 - either is right
        else:
            assert place == self.house.state.participants[who].place

    @rule(who=consumes(people), lost=st.booleans())
    def go(self, who: str, lost: bool) -> None:
        participant = self.house.state.participants.get(who)
        if lost and participant is not None:
            assert self.house.lose(who, participant.session_number)
        else:
            self.house.leave(who)
        assert who not in self.house.state.participants

    @rule(node=NODES, restarted=st.booleans())
    def node_beats(self, node: str, restarted: bool) -> None:
        self.house.now += 0.5
        self.house.beat(node, f"b{len(self.house.changes)}" if restarted else "b1")

    @rule(alive=st.sets(NODES))
    def time_passes(self, alive: set[str]) -> None:
        self.house.die(alive=tuple(alive))

    @invariant()
    def occupancy_is_the_participants_and_within_capacity(self) -> None:
        room = self.house.state
        counted = [p for p in room.participants.values() if p.state in COUNTED]
        assert room.head.occupancy == len(counted) <= room.capacity

    @invariant()
    def events_are_numbered_without_gaps(self) -> None:
        for change in self.house.changes[self.seen :]:
            for event in change.events:
                assert event.number == self.next_event
                self.next_event += 1
        self.seen = len(self.house.changes)
        assert self.house.state.head.last_event == self.next_event - 1

    @invariant()
    def everybody_placed_is_on_the_active_node_of_the_newest_epoch(self) -> None:
        placement = self.house.state.head.placement
        active = [n for n in placement.nodes if n.state == room_pb2.PLACED_NODE_STATE_ACTIVE]
        assert len(active) == (placement.epoch > 0)
        nodes = [(n.node_id, n.boot_id) for n in placement.nodes]
        assert len(nodes) == len(set(nodes)), "a node is active or leaving, never both"
        for participant in self.house.state.participants.values():
            if participant.HasField("place"):
                assert participant.place.node_id == active[0].node_id
                assert participant.place.boot_id == active[0].boot_id
                assert participant.place.epoch == placement.epoch

    @invariant()
    def epochs_only_grow(self) -> None:
        assert self.house.state.head.placement.epoch >= self.epoch
        self.epoch = self.house.state.head.placement.epoch

    @invariant()
    def source_numbers_are_never_given_twice(self) -> None:
        now = [s.number for p in self.house.state.participants.values() for s in p.sources]
        assert len(now) == len(set(now))
        assert 0 not in now


RoomMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestRoom = RoomMachine.TestCase
