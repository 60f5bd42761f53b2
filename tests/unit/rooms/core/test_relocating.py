"""Whole rooms brought from one node to another, and what may happen meanwhile."""

import pytest
from salon.rooms.v1 import presence_pb2, room_pb2
from salon_common.errors import Code, SalonError
from salon_rooms.core.placement import NodeRef
from salon_rooms.core.places import LEAVING_SECONDS, SETTLED_SECONDS
from salon_rooms.core.staying import Connected, Vouched
from unit.rooms.kit import House

JOINING, PRESENT = room_pb2.PARTICIPANT_STATE_JOINING, room_pb2.PARTICIPANT_STATE_PRESENT
N1, N2, N3 = (NodeRef(f"n{number}", "b1") for number in (1, 2, 3))


def full_house(*names: str) -> tuple[House, list[str]]:
    """People present on n1, with n2 and n3 to go to."""
    house = House("n1")
    people = [house.join(name).participant.id for name in names or ("Ada", "Bob", "Eve", "Dan")]
    for who in people:
        house.connected(who)
    house.beat("n2")
    house.beat("n3")
    return house, people


def states(house: House) -> set[int]:
    return {p.state for p in house.state.participants.values()}


class TestEvacuate:
    def test_everybody_goes_to_one_other_node_at_once(self) -> None:
        house, people = full_house()
        house.die("n1", alive=("n2", "n3"))
        assert house.evacuate(N1, spread_ms=70)
        assert house.node in (N2, N3)
        assert house.leaving == []
        assert house.bodies == ["placement_changed", *["participant_moved"] * 4]
        assert set(house.moved) == set(people)
        for moved in house.moved.values():
            assert (moved.epoch, moved.make_before_break, moved.spread_ms) == (2, False, 70)
        for participant in house.state.participants.values():
            assert (participant.place.node_id, participant.place.epoch) == (house.node.node_id, 2)
        assert states(house) == {JOINING}
        assert house.state.head.occupancy == 4
        assert house.last.sent == (house.node.node_id,) * 4

    def test_it_is_done_once(self) -> None:
        house, _ = full_house()
        house.die("n1", alive=("n2", "n3"))
        assert house.evacuate(N1)
        assert not house.evacuate(N1)
        assert house.last.head is None

    def test_a_node_that_woke_up_keeps_its_rooms(self) -> None:
        house, _ = full_house()
        house.die("n1", alive=("n2",))
        house.now += 1.0
        house.beat("n1")
        assert not house.evacuate(N1)

    def test_with_no_node_left_it_is_tried_again_later(self) -> None:
        house, _ = full_house()
        house.die()
        with pytest.raises(SalonError) as error:
            house.evacuate(N1)
        assert error.value.code is Code.UNAVAILABLE
        assert house.node == N1

    def test_no_room_and_an_ended_room_are_left_alone(self) -> None:
        house, _ = full_house()
        house.die("n1", alive=("n2",))
        house.state.head.room.state = room_pb2.ROOM_STATE_ENDED
        assert not house.evacuate(N1)
        house.room = None
        assert not house.evacuate(N1)
        assert not house.move(N1)


class TestMoveRoom:
    def test_the_old_node_goes_on_until_its_deadline(self) -> None:
        house, people = full_house()
        assert house.move()
        assert house.node in (N2, N3)
        assert house.leaving == [N1]
        assert all(moved.make_before_break for moved in house.moved.values())
        assert set(house.moved) == set(people)
        assert house.moved[people[0]].spread_ms == 48
        assert "participant_changed" not in house.bodies
        assert states(house) == {JOINING}
        house.now += LEAVING_SECONDS
        assert house.leaving == []

    def test_three_people_need_not_wait(self) -> None:
        house, people = full_house("Ada", "Bob", "Eve")
        house.move()
        assert house.moved[people[0]].spread_ms == 0

    def test_a_named_target_is_the_only_one(self) -> None:
        house, _ = full_house()
        assert house.move(to=N3)
        assert house.node == N3
        house.beat("n2", mode=presence_pb2.NODE_MODE_CORDONED)
        for target in (N2, N3, NodeRef("n9", "b1")):
            with pytest.raises(SalonError):
                house.move(to=target)

    def test_a_room_that_is_elsewhere_already_stays(self) -> None:
        house, _ = full_house()
        assert not house.move(N2)
        house.move(to=N2)
        assert not house.move(N1)
        assert house.state.head.placement.epoch == 2


class TestMeanwhile:
    def test_the_old_node_is_right_about_its_people_before_the_deadline_and_wrong_after(self) -> None:
        house, people = full_house()
        house.move()
        ada, bob, *_ = people
        house.resume(ada)
        for who in (ada, bob):
            assert house.do(Connected(who, 1, N1)) is Vouched.RIGHT
            assert house.last.head is None
        assert house.do(Connected(bob, 2, N1)) is Vouched.EARLY
        house.now += LEAVING_SECONDS
        for who in (ada, bob):
            assert house.do(Connected(who, 1, N1)) is Vouched.WRONG

    def test_who_connects_to_the_new_node_is_present(self) -> None:
        house, people = full_house()
        house.move()
        house.resume(people[0])
        assert house.connected(people[0]) is Vouched.RIGHT
        assert house.bodies == ["participant_changed"]
        assert house.state.participants[people[0]].state == PRESENT

    def test_when_everybody_is_there_the_old_node_is_left_soon_and_without_an_epoch(self) -> None:
        house, people = full_house("Ada", "Bob")
        house.move()
        for who in people:
            house.resume(who)
            house.connected(who)
        assert house.leaving == [N1]
        house.now += SETTLED_SECONDS
        assert house.leaving == []
        house.chat(people[0])
        assert [n.node_id for n in house.state.head.placement.nodes] == [house.node.node_id]
        assert house.state.head.placement.epoch == 2
        assert house.bodies == ["chat"]

    def test_any_change_after_the_deadline_drops_the_old_node(self) -> None:
        house, people = full_house()
        house.move()
        house.now += LEAVING_SECONDS
        house.chat(people[0])
        assert len(house.state.head.placement.nodes) == 1

    def test_a_newcomer_goes_to_the_new_node_and_moves_nobody(self) -> None:
        house, _ = full_house()
        house.move()
        newcomer = house.join("New").participant
        assert (newcomer.place.node_id, newcomer.place.epoch) == (house.node.node_id, 2)
        assert house.leaving == [N1]

    def test_who_leaves_is_removed_from_both(self) -> None:
        house, people = full_house()
        house.move(to=N2)
        house.leave(people[0])
        assert [(r.node_id, r.session_number) for r in house.last.removals] == [("n2", 1), ("n1", 1)]

    def test_who_is_lost_on_the_way_is_counted_out_once(self) -> None:
        house, people = full_house()
        house.move()
        assert house.lose(people[0], 1)
        assert house.state.head.occupancy == 3
        assert not house.lose(people[0], 1)

    def test_the_new_node_dies_while_some_are_still_on_the_old(self) -> None:
        house, (ada, bob, *_) = full_house()
        house.move(to=N2)
        house.resume(ada)
        house.connected(ada)
        house.now += 8.0
        house.die("n2", alive=("n1", "n3"))
        house.beat("n1", mode=presence_pb2.NODE_MODE_CORDONED)
        assert house.evacuate(N2)
        assert house.leaving == [N1]
        assert not house.moved[ada].make_before_break, "ada was there, and has nothing"
        assert house.moved[bob].make_before_break, "bob has media on the old node still"
        house.now += 10.0
        assert house.do(Connected(bob, 1, N1)) is Vouched.RIGHT

    def test_both_nodes_die(self) -> None:
        house, _ = full_house()
        house.move(to=N2)
        house.die("n1", "n2", alive=("n3",))
        assert house.evacuate(N2)
        assert house.leaving == []
        assert not any(moved.make_before_break for moved in house.moved.values())

    def test_back_to_the_node_that_is_being_left(self) -> None:
        house, people = full_house()
        house.move(to=N2)
        assert house.move(to=N1)
        assert (house.node, house.leaving) == (N1, [N2])
        assert house.moved[people[0]].epoch == 3
        assert house.connected(people[0]) is Vouched.RIGHT

    def test_a_session_is_always_of_the_newest_epoch(self) -> None:
        house, people = full_house()
        house.move()
        again = house.resume(people[0])
        assert again.participant.place.epoch == again.placement.epoch == 2
