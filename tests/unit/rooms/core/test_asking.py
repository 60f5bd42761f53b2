"""Clients that hear their node no more: who moves, and when the whole room does."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import nodes_pb2, presence_pb2, room_pb2, rooms_pb2
from salon_rooms.core.asking import ASKED_WITHIN, is_unheard, most_ask
from salon_rooms.core.entering import Locate
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.room import shown, timestamp
from salon_rooms.core.suspicion import ProbeOutcome
from unit.rooms.kit import WALL, House

N1, N2 = NodeRef("n1", "b1"), NodeRef("n2", "b1")


def full_house(count: int) -> tuple[House, list[str]]:
    house = House("n1")
    people = [house.join(f"P{number}").participant.id for number in range(count)]
    for who in people:
        house.connected(who)
    house.beat("n2")
    return house, people


def ask(house: House, who: str, epoch: int = 1) -> rooms_pb2.JoinResponse:
    return house.resume(who, unheard_epoch=epoch)


class TestTheNodeAnswers:
    def test_one_who_asks_gets_a_new_session_there(self) -> None:
        house, people = full_house(3)
        again = ask(house, people[0]).participant
        assert (again.place.node_id, again.place.epoch, again.session_number) == ("n1", 1, 2)
        assert house.bodies == []

    def test_one_who_asks_again_and_again_is_one(self) -> None:
        house, people = full_house(3)
        for _ in range(5):
            assert ask(house, people[0]).participant.place.node_id == "n1"

    def test_half_of_them_are_not_most(self) -> None:
        house, people = full_house(2)
        assert ask(house, people[0]).participant.place.node_id == "n1"

    def test_most_of_them_take_the_room_along(self) -> None:
        house, people = full_house(3)
        ask(house, people[0])
        moved = ask(house, people[1])
        assert (moved.participant.place.node_id, moved.placement.epoch) == ("n2", 2)
        assert set(house.moved) == {people[0], people[2]}
        assert all(m.make_before_break for m in house.moved.values()), "some may hear it still"
        assert house.leaving == [N1]

    def test_asks_are_forgotten(self) -> None:
        house, people = full_house(3)
        ask(house, people[0])
        house.now += ASKED_WITHIN
        house.beat("n1")
        assert ask(house, people[1]).participant.place.node_id == "n1"

    def test_asks_about_the_node_before_do_not_count(self) -> None:
        house, people = full_house(3)
        ask(house, people[0])
        house.move()
        for who in people:
            house.resume(who)
            house.connected(who)
        assert ask(house, people[1], epoch=2).participant.place.node_id == "n2"

    def test_with_no_other_node_they_stay(self) -> None:
        house = House("n1")
        ada = house.join().participant
        assert ask(house, ada.id).participant.place.node_id == "n1"


class TestTheNodeIsSilent:
    def test_one_who_asks_takes_the_room_along(self) -> None:
        house, people = full_house(4)
        house.fall_silent("n1")
        moved = ask(house, people[0]).participant
        assert (moved.place.node_id, moved.place.epoch) == ("n2", 2)
        assert set(house.moved) == set(people[1:])
        assert all(m.make_before_break for m in house.moved.values())
        assert house.leaving == [N1]

    def test_dead_it_is_left_for_good(self) -> None:
        house, people = full_house(4)
        house.die("n1", alive=("n2",))
        ask(house, people[0])
        assert set(house.moved) == set(people[1:])
        assert not any(m.make_before_break for m in house.moved.values())
        assert house.leaving == []

    def test_an_ask_that_comes_late_moves_nobody(self) -> None:
        house, people = full_house(2)
        house.fall_silent("n1")
        ask(house, people[0])
        again = ask(house, people[1]).participant
        assert (again.place.node_id, again.place.epoch) == ("n2", 2)
        assert house.bodies == []

    def test_any_new_session_leaves_it(self) -> None:
        house, people = full_house(2)
        house.fall_silent("n1")
        assert house.join("New").participant.place.node_id == "n2"
        assert set(house.moved) == set(people)

    def test_with_no_other_node_it_is_tried_again(self) -> None:
        house = House("n1")
        ada = house.join().participant
        house.fall_silent("n1")
        assert ask(house, ada.id).participant.place.node_id == "n1"


class TestTheNodeDoesNotAdmit:
    @pytest.mark.parametrize(("silent", "node"), [(True, "n2"), (False, "n1")])
    def test_a_silent_one_is_left_although_it_serves_others(self, silent: bool, node: str) -> None:
        house, people = full_house(3)
        place = house.resume(people[0]).participant.place
        if silent:
            house.fall_silent("n1")
        assert house.replace(people[0], place, unanswered=True).node_id == node

    def test_one_that_is_being_emptied_is_left(self) -> None:
        house, people = full_house(3)
        place = house.resume(people[0]).participant.place
        house.beat("n1", mode=presence_pb2.NODE_MODE_DRAINING)
        assert house.replace(people[0], place).node_id == "n2"


class TestMode:
    """What a node was told decides what becomes of its room's newcomers."""

    def test_an_emptied_nodes_room_moves_live_when_somebody_comes(self) -> None:
        house, people = full_house(2)
        house.beat("n1", mode=presence_pb2.NODE_MODE_DRAINING)
        assert house.join("New").participant.place.node_id == "n2"
        assert set(house.moved) == set(people)
        assert all(m.make_before_break for m in house.moved.values())

    def test_a_cordoned_nodes_room_stays_and_takes_them(self) -> None:
        house, _ = full_house(2)
        house.beat("n1", mode=presence_pb2.NODE_MODE_CORDONED)
        assert house.join("New").participant.place.node_id == "n1"

    def test_an_isolated_nodes_room_moves_live_when_somebody_comes(self) -> None:
        house, people = full_house(2)
        house.now += 4.0
        house.beat("n2")
        house.nodes.handle_disconnect(N1, house.now)
        for wanted in house.nodes.poll_probes(house.now):
            house.nodes.handle_probe(wanted.ref, ProbeOutcome.ANSWERED, house.now)
        assert house.nodes.health(N1, house.now) == nodes_pb2.NODE_HEALTH_ISOLATED
        assert house.join("New").participant.place.node_id == "n2"
        assert all(house.moved[who].make_before_break for who in people)

    def test_the_only_node_is_asked_all_the_same(self) -> None:
        house = House("n1")
        house.join()
        house.beat("n1", mode=presence_pb2.NODE_MODE_DRAINING)
        assert house.join("New").participant.place.node_id == "n1"


def test_whose_place_is_asked_about() -> None:
    house, people = full_house(1)
    assert house.do(Locate(people[0], 1)) == N1
    assert house.do(Locate(people[0], 2)) is None
    assert house.do(Locate("z" * 16, 1)) is None
    house.room = None
    assert house.do(Locate(people[0], 1)) is None
    assert not is_unheard(room_pb2.Participant(), 0)
    assert not is_unheard(room_pb2.Participant(), 1)


def test_others_are_not_shown_who_asks() -> None:
    house, people = full_house(2)
    ask(house, people[0])
    participant = house.state.participants[people[0]]
    assert participant.HasField("unheard_at")
    assert not shown(participant).HasField("unheard_at")


PERSON = st.tuples(st.booleans(), st.none() | st.integers(0, 60))


@given(st.lists(PERSON, max_size=12))
def test_most_is_more_than_half_of_those_who_have_media(people: Sequence[tuple[bool, int | None]]) -> None:
    participants = []
    for is_present, asked_ago in people:
        state = room_pb2.PARTICIPANT_STATE_PRESENT if is_present else room_pb2.PARTICIPANT_STATE_JOINING
        participant = room_pb2.Participant(state=state)
        if asked_ago is not None:
            participant.unheard_at.CopyFrom(timestamp(WALL - asked_ago))
        participants.append(participant)
    ask = [ago is not None and ago < ASKED_WITHIN for _, ago in people]
    counted = [asks or is_present for (is_present, _), asks in zip(people, ask, strict=True)]
    assert most_ask(participants, WALL) == (2 * sum(ask) > sum(counted))
