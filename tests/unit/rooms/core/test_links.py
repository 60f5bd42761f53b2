"""Finding, using up and deriving links."""

from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.ids import hash_secret, parse_invite_id, parse_room_id
from salon_rooms.core.links import check_usable, derive_id, derive_secret, room_id_for, used_once
from unit.rooms.kit import KEY, WALL


def request(request_id: str = "r1", app: str = "demo", subject: str = "ada") -> rooms_pb2.CreateRoomRequest:
    return rooms_pb2.CreateRoomRequest(
        request_id=request_id, owner=room_pb2.Account(app=app, subject=subject)
    )


def test_a_rooms_id_is_made_of_who_asks_and_what_for() -> None:
    ids = {
        room_id_for(region, asked)
        for region in ("local", "eu-1")
        for asked in (
            request(),
            request("r2"),
            request(app="x"),
            request(subject="bob"),
            request("ar1", subject="ad"),
        )
    }
    assert len(ids) == 10
    assert room_id_for("local", request()) in ids
    for room_id in ids:
        parse_room_id(room_id)


def test_derived_secrets_differ_by_key_room_and_purpose() -> None:
    secrets = {
        derive_secret(key, room, purpose)
        for key in (KEY, b"o" * 32)
        for room in ("a", "b")
        for purpose in ("room", "host")
    }
    assert len(secrets) == 8
    assert all(len(hash_secret(secret)) == 32 for secret in secrets)
    parse_invite_id(derive_id("a", "room"))
    assert derive_id("a", "room") != derive_id("a", "host")


def test_the_last_use_revokes_because_none_left_would_mean_any_number() -> None:
    two = room_pb2.Invite(id="i", uses_left=2)
    one = used_once(two, WALL)
    assert one is not None
    assert (one.uses_left, one.HasField("revoked_at")) == (1, False)
    check_usable(one, WALL)
    none = used_once(one, WALL)
    assert none is not None
    assert none.HasField("revoked_at")
    assert two.uses_left == 2
    assert used_once(room_pb2.Invite(id="i"), WALL) is None
