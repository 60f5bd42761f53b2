"""What a caller may put into a field."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import nodes_pb2, presence_pb2, room_pb2, rooms_pb2
from salon_common.errors import Code, SalonError
from salon_rooms.core import limits

ROOM = "local-" + "a" * 20
WHO = "b" * 16


def refused(check: Callable[[], None], field: str) -> None:
    with pytest.raises(SalonError) as error:
        check()
    assert error.value.code is Code.INVALID_ARGUMENT
    assert error.value.message.startswith(f"{field}: ")


def creation(**fields: object) -> rooms_pb2.CreateRoomRequest:
    asked: dict[str, object] = {"request_id": "r1", "owner": {"app": "demo", "subject": "ada"}} | fields
    return rooms_pb2.CreateRoomRequest(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"request_id": ""}, "request_id"),
        ({"request_id": "a" * 65}, "request_id"),
        ({"owner": {"app": "", "subject": "x"}}, "owner.app"),
        ({"owner": {"app": "demo", "subject": ""}}, "owner.subject"),
        ({"owner": {"app": "demo", "subject": "é" * 65}}, "owner.subject"),
        ({"title": "x" * 121}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"settings": {"capacity": 51}}, "settings.capacity"),
        ({"settings": {"waiting_room": True}}, "settings.waiting_room"),
    ],
)
def test_create_room_refuses(fields: dict[str, object], field: str) -> None:
    refused(lambda: limits.check_create_room(creation(**fields)), field)


def test_create_room_takes() -> None:
    limits.check_create_room(creation())
    limits.check_create_room(creation(title="Käse 🧀", settings={"capacity": 50, "locked": True}))


def invitation(**fields: object) -> rooms_pb2.CreateInviteRequest:
    asked: dict[str, object] = {"room_id": ROOM, "participant_id": WHO} | fields
    return rooms_pb2.CreateInviteRequest(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"room_id": "x"}, "room_id"),
        ({"participant_id": "x"}, "participant_id"),
        ({"label": "x" * 65}, "label"),
        ({"role": room_pb2.ROLE_HOST}, "role"),
        ({"role": 99}, "role"),
        ({"expires_at": {"seconds": 1000}}, "expires_at"),
    ],
)
def test_create_invite_refuses(fields: dict[str, object], field: str) -> None:
    refused(lambda: limits.check_create_invite(invitation(**fields), 1000.0), field)


def test_create_invite_takes() -> None:
    limits.check_create_invite(invitation(label="Bob", expires_at={"seconds": 1001}), 1000.0)


def test_other_ids_are_checked() -> None:
    revoke = rooms_pb2.RevokeInviteRequest(room_id=ROOM, participant_id=WHO, invite_id=WHO)
    limits.check_revoke_invite(revoke)
    revoke.invite_id = "?"
    refused(lambda: limits.check_revoke_invite(revoke), "invite_id")
    refused(lambda: limits.check_preview_room(rooms_pb2.PreviewRoomRequest()), "room_id")
    refused(lambda: limits.check_replay(rooms_pb2.ReplayRequest(room_id="local")), "room_id")
    refused(lambda: limits.check_leave(rooms_pb2.LeaveRequest(room_id=ROOM)), "participant_id")
    refused(lambda: limits.check_set_sources(rooms_pb2.SetSourcesRequest(room_id=ROOM)), "participant_id")


def joining(**fields: object) -> rooms_pb2.JoinRequest:
    asked: dict[str, object] = {
        "room_id": ROOM,
        "request_id": "r",
        "invite_secret": "s",
        "name": "Ada",
    } | fields
    return rooms_pb2.JoinRequest(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"request_id": "é"}, "request_id"),
        ({"invite_secret": ""}, "invite_secret"),
        ({"participant_id": WHO}, "invite_secret"),
        ({"invite_secret": "", "participant_id": "short"}, "participant_id"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": "a\u2028b"}, "name"),
        ({"account": {"app": "Demo", "subject": "x"}}, "account.app"),
    ],
)
def test_join_refuses(fields: dict[str, object], field: str) -> None:
    refused(lambda: limits.check_join(joining(**fields)), field)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"participant_id": WHO, "unheard_epoch": 3}, "unheard_epoch"),
        ({"invite_secret": "s", "name": "Ada", "wants_media": True, "unheard_epoch": 3}, "unheard_epoch"),
        ({"participant_id": WHO, "wants_media": True, "unheard_epoch": 3, "asker": "x" * 65}, "asker"),
    ],
)
def test_asking_is_for_those_who_come_back_with_media(fields: dict[str, object], field: str) -> None:
    request = {"room_id": ROOM, "request_id": "r1"} | fields
    refused(lambda: limits.check_join(rooms_pb2.JoinRequest(**request)), field)  # type: ignore[arg-type]


def test_an_ask_passes() -> None:
    limits.check_join(
        rooms_pb2.JoinRequest(
            room_id=ROOM,
            request_id="r1",
            participant_id=WHO,
            wants_media=True,
            unheard_epoch=3,
            asker="x" * 64,
        )
    )


ACTIVE, DRAINING = presence_pb2.NODE_MODE_ACTIVE, presence_pb2.NODE_MODE_DRAINING


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"mode": ACTIVE}, "node_id"),
        ({"node_id": "media 1", "mode": ACTIVE}, "node_id"),
        ({"node_id": "media-1"}, "mode"),
        ({"node_id": "media-1", "mode": 9}, "mode"),
        ({"node_id": "media-1", "mode": DRAINING, "drain_seconds": 86_401}, "drain_seconds"),
        ({"node_id": "media-1", "mode": ACTIVE, "drain_seconds": 5}, "drain_seconds"),
    ],
)
def test_set_node_mode_refuses(fields: dict[str, object], field: str) -> None:
    refused(lambda: limits.check_set_node_mode(nodes_pb2.SetNodeModeRequest(**fields)), field)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0, 1, 86_400])
def test_set_node_mode_takes(seconds: int) -> None:
    limits.check_set_node_mode(
        nodes_pb2.SetNodeModeRequest(node_id="media-1", mode=DRAINING, drain_seconds=seconds)
    )


def test_join_takes() -> None:
    limits.check_join(joining(name="👩‍🚀 Ada", account={"app": "demo", "subject": "x"}))
    limits.check_join(joining(invite_secret="", participant_id=WHO, name=""))


def test_replace_needs_the_failed_place() -> None:
    asked = rooms_pb2.ReplaceRequest(room_id=ROOM, participant_id=WHO)
    refused(lambda: limits.check_replace(asked), "failed")
    asked.failed.node_id = "Not A Node"
    refused(lambda: limits.check_replace(asked), "failed.node_id")
    asked.failed.node_id = "n1"
    limits.check_replace(asked)


@pytest.mark.parametrize("reason", [room_pb2.LEAVE_REASON_LOST, room_pb2.LEAVE_REASON_ENDED, 99])
def test_leave_is_for_leaving_and_removing(reason: room_pb2.LeaveReason.ValueType) -> None:
    refused(
        lambda: limits.check_leave(rooms_pb2.LeaveRequest(room_id=ROOM, participant_id=WHO, reason=reason)),
        "reason",
    )
    limits.check_leave(
        rooms_pb2.LeaveRequest(room_id=ROOM, participant_id=WHO, reason=room_pb2.LEAVE_REASON_REMOVED)
    )


def chat(text: str) -> rooms_pb2.SendChatRequest:
    return rooms_pb2.SendChatRequest(room_id=ROOM, participant_id=WHO, request_id="c", text=text)


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001, "a\x00b", "a\x1b[0m", "a\u202eb"])
def test_chat_refuses(text: str) -> None:
    refused(lambda: limits.check_send_chat(chat(text)), "text")


@pytest.mark.parametrize("text", ["x" * 2000, "two\nlines\tand tabs", "<b>", "שלום\u200f", "🧀" * 2000])
def test_chat_takes(text: str) -> None:
    limits.check_send_chat(chat(text))


@pytest.mark.parametrize("active", [[0], [5], [1, 1]])
def test_sources_are_known_kinds_each_once(active: list[room_pb2.SourceKind.ValueType]) -> None:
    asked = rooms_pb2.SetSourcesRequest(room_id=ROOM, participant_id=WHO, active=active)
    refused(lambda: limits.check_set_sources(asked), "active")
    limits.check_set_sources(
        rooms_pb2.SetSourcesRequest(room_id=ROOM, participant_id=WHO, active=room_pb2.SourceKind.values()[1:])
    )


@given(st.text())
def test_any_name_passes_or_is_refused_by_name(name: str) -> None:
    try:
        limits.check_join(joining(name=name))
    except SalonError as error:
        assert error.message.startswith("name: ")  # noqa: PT017 - either is right
    else:
        assert 1 <= len(name) <= limits.MAX_NAME
