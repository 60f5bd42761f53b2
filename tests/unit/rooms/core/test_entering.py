"""Joining, coming back, and being brought to another node."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_rooms.core.entering import Join
from salon_rooms.core.room import Room
from unit.rooms.kit import OWNER, ROOM_ID, WALL, House, random_bytes

PRIVATE = ("account", "invite_id", "place", "request_id")


def changed_head(house: House, change: str) -> None:
    """Do to the head what later commands will: lock or end the room."""
    head = room_pb2.RoomHead()
    head.CopyFrom(house.state.head)
    if change == "lock":
        head.room.settings.locked = True
    else:
        head.room.state = room_pb2.ROOM_STATE_ENDED
    house.room = Room(head, house.state.participants, house.state.invites)


def test_a_join_reserves_a_counted_place_on_a_node() -> None:
    house = House()
    joined = house.join("Ada")
    ada = joined.participant
    assert (ada.name, ada.role, ada.state) == (
        "Ada",
        room_pb2.ROLE_SPEAKER,
        room_pb2.PARTICIPANT_STATE_JOINING,
    )
    assert (ada.place.node_id, ada.place.boot_id, ada.place.epoch) == ("n1", "b1", 1)
    assert ada.session_number == 1
    assert [s.number for s in ada.sources] == [4, 5, 6, 7]
    assert [s.number for s in house.join("Bob").participant.sources] == [8, 9, 10, 11]
    assert house.state.head.occupancy == 2
    assert house.bodies == ["participant_joined"]
    assert joined.placement.epoch == 1
    assert house.last.sent == ("n1",)


def test_the_answer_is_complete_and_what_others_see_is_not() -> None:
    house = House()
    joined = house.join("Ada", account=room_pb2.Account(app="demo", subject="eve"))
    for field in PRIVATE:
        assert getattr(joined.participant, field)
    event = next(e for e in house.last.events if e.WhichOneof("body") == "participant_joined")
    for public in (event.participant_joined.participant, joined.snapshot.participants[0]):
        assert public.id == joined.participant.id
        assert not any(public.HasField(f) for f in ("account", "place"))
        assert (public.invite_id, public.request_id) == ("", "")


def test_the_snapshot_is_of_the_event_number_that_the_join_caused() -> None:
    house = House()
    house.join("Ada")
    joined = house.join("Bob")
    assert joined.snapshot.event_number == house.state.head.last_event == house.last.events[-1].number
    assert [p.name for p in joined.snapshot.participants] == ["Ada", "Bob"]


def test_a_retried_join_is_the_same_participant_with_a_new_session() -> None:
    house = House()
    first = house.join("Ada", request_id="j1").participant
    again = house.join("Ada", request_id="j1").participant
    assert again.id == first.id
    assert again.session_number == first.session_number + 1
    assert house.state.head.occupancy == 1
    assert house.bodies == []


@pytest.mark.parametrize("what", ["name", "link", "account"])
def test_the_same_request_id_of_somebody_else_is_somebody_else(what: str) -> None:
    house = House()
    host = house.host().participant
    other_link = house.invite(host.id, room_pb2.ROLE_SPEAKER).invite_secret
    first = house.join("Ada", request_id="1").participant
    second = house.join(
        "Eve" if what == "name" else "Ada",
        request_id="1",
        secret=other_link if what == "link" else None,
        account=room_pb2.Account(app="demo", subject="eve") if what == "account" else None,
    ).participant
    assert second.id != first.id


def test_the_host_link_works_once_and_for_its_own_retry() -> None:
    house = House()
    host = house.join("Host", secret=house.host_link, request_id="h").participant
    assert host.role == room_pb2.ROLE_HOST
    assert house.join("Host", secret=house.host_link, request_id="h").participant.id == host.id
    with pytest.raises(SalonError) as error:
        house.join("Eve", secret=house.host_link)
    assert error.value.code is Code.PERMISSION_DENIED


def test_the_owners_account_is_host_by_any_link() -> None:
    house = House()
    assert house.join(account=OWNER).participant.role == room_pb2.ROLE_HOST
    other = room_pb2.Account(app="other", subject=OWNER.subject)
    assert house.join(account=other).participant.role == room_pb2.ROLE_SPEAKER


def test_a_full_room_takes_nobody_and_has_room_again_when_somebody_leaves() -> None:
    house = House(capacity=2)
    first = house.join().participant
    house.join()
    with pytest.raises(SalonError, match=r"^the room is full$") as error:
        house.join()
    assert error.value.code is Code.RESOURCE_EXHAUSTED
    house.resume(first.id)
    house.leave(first.id)
    house.join()
    assert house.state.head.occupancy == 2


def test_viewers_count_and_are_not_listed() -> None:
    house = House(capacity=2)
    secret = house.invite(house.host().participant.id, room_pb2.ROLE_VIEWER).invite_secret
    viewer = house.join("Viewer", secret=secret)
    assert house.bodies == []
    assert house.state.head.occupancy == 2
    assert [p.name for p in viewer.snapshot.participants] == ["Host"]
    with pytest.raises(SalonError, match="full"):
        house.join()


def test_an_expired_link_lets_nobody_in() -> None:
    house = House()
    host = house.host().participant
    made = house.invite(host.id, room_pb2.ROLE_SPEAKER)
    house.state.invites[made.invite_id].expires_at.FromSeconds(int(WALL))
    with pytest.raises(SalonError, match="expired") as error:
        house.join(secret=made.invite_secret)
    assert error.value.code is Code.PERMISSION_DENIED


def test_a_locked_room_takes_nobody_new_and_those_inside_back() -> None:
    house = House()
    ada = house.join().participant
    changed_head(house, "lock")
    with pytest.raises(SalonError, match="locked") as error:
        house.join()
    assert error.value.code is Code.FAILED_PRECONDITION
    assert house.resume(ada.id).participant.id == ada.id


def test_an_ended_room_takes_nobody() -> None:
    house = House()
    ada = house.join().participant
    changed_head(house, "end")
    for attempt in (
        lambda: house.join(),
        lambda: house.resume(ada.id),
        lambda: house.chat(ada.id),
        lambda: house.replace(ada.id, ada.place),
    ):
        with pytest.raises(SalonError, match="ended") as error:
            attempt()
        assert error.value.code is Code.FAILED_PRECONDITION


def test_without_media_a_join_needs_no_node() -> None:
    house = House()
    house.die("n1")
    joined = house.join(media=False).participant
    assert (joined.session_number, joined.place.node_id) == (0, "")
    with pytest.raises(SalonError, match="no media node") as error:
        house.join()
    assert error.value.code is Code.UNAVAILABLE
    assert house.state.head.occupancy == 1


def test_coming_back_without_media_changes_nothing_and_with_media_begins_a_session() -> None:
    house = House()
    ada = house.join().participant
    assert house.resume(ada.id, media=False).participant == ada
    assert house.last.head is None
    again = house.resume(ada.id).participant
    assert (again.session_number, again.place) == (2, ada.place)
    with pytest.raises(SalonError, match="not in this room") as error:
        house.resume("z" * 16)
    assert error.value.code is Code.NOT_FOUND


def test_a_join_leaves_a_dead_node_and_takes_everybody_along() -> None:
    house = House("n1")
    ada = house.join("Ada").participant
    house.die("n1", alive=("n2",))
    bob = house.join("Bob").participant
    assert (bob.place.node_id, bob.place.epoch) == ("n2", 2)
    assert house.state.participants[ada.id].place == bob.place
    assert house.bodies == ["placement_changed", "participant_moved", "participant_joined"]
    moved = house.last.events[1].participant_moved
    assert (moved.participant_id, moved.epoch, moved.make_before_break) == (ada.id, 2, False)
    assert [n.node_id for n in house.state.head.placement.nodes] == ["n2"]


def test_a_restarted_node_is_another_node() -> None:
    house = House("n1")
    ada = house.join().participant
    house.beat("n1", "b2")
    again = house.resume(ada.id).participant
    assert (again.place.node_id, again.place.boot_id, again.place.epoch) == ("n1", "b2", 2)


def test_coming_back_while_the_node_is_dead_moves_to_the_one_the_room_is_on() -> None:
    house = House("n1")
    ada, bob = house.join("Ada").participant, house.join("Bob").participant
    house.die("n1", alive=("n2",))
    assert house.resume(bob.id).participant.place.epoch == 2
    assert house.bodies == ["placement_changed", "participant_moved"]
    again = house.resume(ada.id).participant
    assert (again.place.node_id, again.place.epoch) == ("n2", 2)


class TestReplace:
    def test_a_place_that_is_newer_already_is_the_answer(self) -> None:
        house = House("n1")
        ada, bob = house.join("Ada").participant, house.join("Bob").participant
        house.die("n1", alive=("n2",))
        first = house.replace(ada.id, ada.place)
        assert house.replace(bob.id, bob.place) == first
        assert house.last.head is None
        assert house.state.head.placement.epoch == 2

    def test_a_node_that_beats_and_serves_others_is_kept(self) -> None:
        house = House("n1", "n2")
        ada, bob = house.join("Ada").participant, house.join("Bob").participant
        house.connected(bob.id)
        assert house.replace(ada.id, ada.place) == ada.place
        assert house.last.head is None

    def test_a_node_that_beats_and_serves_nobody_else_is_left(self) -> None:
        house = House("n1", "n2")
        ada = house.join("Ada").participant
        house.connected(ada.id)
        bob = house.join("Bob").participant
        place = house.replace(ada.id, ada.place)
        assert place.node_id != ada.place.node_id
        assert house.bodies == ["placement_changed", "participant_moved"]
        assert house.last.events[1].participant_moved.participant_id == bob.id
        assert house.last.events[1].participant_moved.make_before_break
        assert [(r.node_id, r.participant_id, r.session_number) for r in house.last.removals] == [
            (ada.place.node_id, ada.id, 1)
        ]
        assert sorted(house.last.sent) == [place.node_id] * 2

    def test_a_dead_node_is_left_by_everybody(self) -> None:
        house = House("n1")
        people = [house.join(f"P{n}").participant for n in range(5)]
        for person in people:
            house.connected(person.id)
        house.die("n1", alive=("n2", "n3"))
        place = house.replace(people[0].id, people[0].place)
        assert place.node_id in ("n2", "n3")
        assert {p.place.node_id for p in house.state.participants.values()} == {place.node_id}
        moved = [
            e.participant_moved for e in house.last.events if e.WhichOneof("body") == "participant_moved"
        ]
        assert {m.participant_id for m in moved} == {p.id for p in people[1:]}
        assert not any(m.make_before_break for m in moved)
        assert house.last.removals == ()

    def test_the_only_node_is_kept_while_it_beats(self) -> None:
        house = House("n1")
        ada = house.join().participant
        assert house.replace(ada.id, ada.place) == ada.place

    def test_without_a_living_node_the_answer_is_to_try_again(self) -> None:
        house = House("n1")
        ada = house.join().participant
        house.die("n1")
        with pytest.raises(
            SalonError, match="no media node is available right now: try again in a moment"
        ) as error:
            house.replace(ada.id, ada.place)
        assert error.value.code is Code.UNAVAILABLE

    def test_the_nodes_next_incarnation_may_take_its_place(self) -> None:
        house = House("n1")
        ada = house.join().participant
        house.beat("n1", "b2")
        assert house.replace(ada.id, ada.place).boot_id == "b2"

    def test_who_has_no_place_yet_is_given_the_rooms(self) -> None:
        house = House("n1")
        house.join("Ada")
        bob = house.join("Bob", media=False).participant
        house.beat("n2")
        place = house.replace(bob.id, room_pb2.ParticipantPlace(node_id="n2", boot_id="b1"))
        assert (place.node_id, place.epoch) == ("n1", 1)


@given(st.binary(min_size=18, max_size=18))
def test_any_random_bytes_make_a_participant(random: bytes) -> None:
    house = House("n1", "n2", "n3")
    request = rooms_pb2.JoinRequest(
        room_id=ROOM_ID, request_id="r", invite_secret=house.link, name="Ada", wants_media=True
    )
    joined = house.do(Join(request, random))
    assert house.do(Join(request, random_bytes(18))).participant.id == joined.participant.id
