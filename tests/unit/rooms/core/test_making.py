"""Making rooms and links."""

import pytest
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import hash_secret
from salon_rooms.core.limits import MAX_INVITES
from salon_rooms.core.making import CreateInvite, PreviewRoom, RevokeInvite
from salon_rooms.core.room import Room
from unit.rooms.kit import OWNER, ROOM_ID, WALL, House, create_command, random_bytes


def preview(house: House, secret: str) -> rooms_pb2.PreviewRoomResponse:
    return house.do(PreviewRoom(rooms_pb2.PreviewRoomRequest(room_id=ROOM_ID, invite_secret=secret)))


def revoke(house: House, participant_id: str, invite_id: str) -> None:
    request = rooms_pb2.RevokeInviteRequest(
        room_id=ROOM_ID, participant_id=participant_id, invite_id=invite_id
    )
    house.do(RevokeInvite(request))


def test_a_room_has_its_link_and_a_host_link_of_one_use() -> None:
    house = House()
    room, host = (
        house.state.invites[house.link_id],
        next(i for i in house.state.invites.values() if i.label == "host"),
    )
    assert (room.role, room.uses_left, room.label) == (room_pb2.ROLE_SPEAKER, 0, "")
    assert (host.role, host.uses_left) == (room_pb2.ROLE_HOST, 1)
    assert room.secret_hash == hash_secret(house.link)
    assert host.secret_hash == hash_secret(house.host_link)
    assert house.state.head.room.settings.capacity == 50
    assert house.state.head.room.state == room_pb2.ROOM_STATE_OPEN
    assert house.state.head.owner == OWNER


def test_secrets_are_not_stored() -> None:
    house = House()
    stored = b"".join(
        [house.state.head.SerializeToString(), *(i.SerializeToString() for i in house.state.invites.values())]
    )
    assert house.link.encode() not in stored
    assert house.host_link.encode() not in stored


def test_a_retried_creation_is_answered_the_same_and_changes_nothing() -> None:
    house = House()
    house.join()
    again = house.do(create_command())
    assert (again.invite_secret, again.host_secret, again.invite_id) == (
        house.link,
        house.host_link,
        house.link_id,
    )
    assert house.last.head is None


def test_a_retry_at_a_replica_with_another_key_is_told_that_the_room_exists() -> None:
    house = House()
    with pytest.raises(SalonError, match="request_id") as error:
        house.do(create_command(key=b"other" * 8))
    assert error.value.code is Code.ALREADY_EXISTS


def test_hosts_and_cohosts_make_links_and_others_do_not() -> None:
    house = House()
    host, speaker = house.host().participant, house.join().participant
    cohost = house.join(secret=house.invite(host.id, room_pb2.ROLE_COHOST).invite_secret).participant
    assert cohost.role == room_pb2.ROLE_COHOST
    made = house.invite(cohost.id, room_pb2.ROLE_UNSPECIFIED)
    assert house.state.invites[made.invite_id].role == room_pb2.ROLE_SPEAKER
    with pytest.raises(SalonError, match="host") as error:
        house.invite(speaker.id, room_pb2.ROLE_SPEAKER)
    assert error.value.code is Code.PERMISSION_DENIED


def test_a_link_applied_twice_is_one_link() -> None:
    house = House()
    request = rooms_pb2.CreateInviteRequest(
        room_id=ROOM_ID, participant_id=house.host().participant.id, label="Bob"
    )
    request.expires_at.FromSeconds(int(WALL) + 1000)
    command = CreateInvite(request, random_bytes(26))
    first, count = house.do(command), len(house.state.invites)
    assert house.state.invites[first.invite_id].label == "Bob"
    assert house.state.invites[first.invite_id].expires_at.seconds == int(WALL) + 1000
    assert house.do(command) == first
    assert len(house.state.invites) == count


def test_links_of_a_room_are_limited() -> None:
    house = House()
    host = house.host().participant.id
    many = {str(n): room_pb2.Invite(id=str(n)) for n in range(MAX_INVITES)}
    house.room = Room(house.state.head, house.state.participants, many)
    with pytest.raises(SalonError) as error:
        house.invite(host, room_pb2.ROLE_SPEAKER)
    assert error.value.code is Code.RESOURCE_EXHAUSTED


def test_a_revoked_link_lets_nobody_in_and_those_inside_stay() -> None:
    house = House()
    host, guest = house.host().participant, house.join().participant
    revoke(house, host.id, house.link_id)
    assert guest.id in house.state.participants
    for attempt in (lambda: house.join(), lambda: preview(house, house.link)):
        with pytest.raises(SalonError, match="no longer works") as error:
            attempt()
        assert error.value.code is Code.PERMISSION_DENIED
    revoke(house, host.id, house.link_id)
    assert house.last.head is None
    with pytest.raises(SalonError, match="invite_id") as missing:
        revoke(house, host.id, "z" * 16)
    assert missing.value.code is Code.NOT_FOUND


def test_preview_shows_the_room_and_how_many_are_in() -> None:
    house = House()
    house.join()
    house.join()
    shown = preview(house, house.link)
    assert (shown.room.title, shown.occupancy) == ("Tea", 2)
    assert house.last.head is None


@pytest.mark.parametrize("secret", ["", "x", "A" * 22, "é" * 22, "A" * 21 + "!"])
def test_a_wrong_secret_leads_nowhere(secret: str) -> None:
    with pytest.raises(SalonError, match="leads nowhere") as error:
        preview(House(), secret)
    assert error.value.code is Code.NOT_FOUND


def test_without_a_room_nothing_can_be_made_or_shown() -> None:
    house = House()
    link, house.room = house.link, None
    for attempt in (lambda: preview(house, link), lambda: house.invite("a" * 16, room_pb2.ROLE_SPEAKER)):
        with pytest.raises(SalonError, match="no such room") as error:
            attempt()
        assert error.value.code is Code.NOT_FOUND
