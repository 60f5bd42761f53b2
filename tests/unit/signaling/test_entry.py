"""What a Join must have, and what rooms is asked because of it."""

import pytest
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_signaling.auth import Authority
from salon_signaling.core.limits import Rate
from salon_signaling.entry import Entry, read_entry
from salon_signaling.guards import Guards, Rates
from unit.signaling.events import ME
from unit.signaling.fakes import ROOM, SECRET

PLENTY = Rate(1000, 1000)


def read(request: signaling_pb2.JoinRequest, authority: Authority) -> Entry:
    guards = Guards(Rates(PLENTY, PLENTY, PLENTY, PLENTY), ManualClock())
    return read_entry(request, "192.0.2.1", authority, guards)


def link(**fields: str) -> signaling_pb2.JoinRequest:
    request = signaling_pb2.JoinRequest(room_id=ROOM, request_id="r", invite_secret=SECRET, name="Ada")
    for field, value in fields.items():
        setattr(request, field, value)
    return request


def test_a_link_and_a_name_make_a_newcomer(authority: Authority) -> None:
    entry = read(link(name=" Ada ", offer="v=0"), authority)
    assert not entry.is_resume
    assert entry.kind == "join"
    assert entry.reserve.invite_secret == SECRET
    assert entry.reserve.name == "Ada"
    assert entry.reserve.wants_media
    assert entry.offer == "v=0"


def test_a_newcomer_has_no_last_event(authority: Authority) -> None:
    request = link()
    request.last_event = 7
    assert read(request, authority).last_event == 0


def test_a_session_token_makes_a_resume(authority: Authority) -> None:
    token = authority.issue(ROOM, ME, room_pb2.ROLE_SPEAKER).token
    request = signaling_pb2.JoinRequest(room_id=ROOM, request_id="r", session_token=token, last_event=7)
    entry = read(request, authority)
    assert entry.is_resume
    assert entry.kind == "resume"
    assert entry.reserve.participant_id == ME
    assert not entry.reserve.wants_media
    assert entry.last_event == 7


def test_only_who_keeps_the_media_session_can_have_been_moved(authority: Authority) -> None:
    token = authority.issue(ROOM, ME, room_pb2.ROLE_SPEAKER).token
    request = signaling_pb2.JoinRequest(room_id=ROOM, request_id="r", session_token=token, epoch=4)
    assert read(request, authority).seen_epoch == 4
    request.offer = "v=0"
    assert read(request, authority).seen_epoch == 0


def test_who_hears_their_node_no_more_asks_with_a_new_offer(authority: Authority) -> None:
    token = authority.issue(ROOM, ME, room_pb2.ROLE_SPEAKER).token
    request = signaling_pb2.JoinRequest(
        room_id=ROOM, request_id="r", session_token=token, offer="v=0", unheard_epoch=4
    )
    entry = read(request, authority)
    assert (entry.kind, entry.reserve.unheard_epoch) == ("ask", 4)
    assert entry.reserve.asker == authority.asker("192.0.2.1")
    assert "192.0.2.1" not in entry.reserve.asker
    request.offer = ""
    entry = read(request, authority)
    assert (entry.kind, entry.reserve.unheard_epoch, entry.reserve.asker) == ("resume", 0, "")


def test_a_newcomer_asks_nothing(authority: Authority) -> None:
    request = link(offer="v=0")
    request.unheard_epoch = 4
    assert read(request, authority).reserve.unheard_epoch == 0


def test_hints_go_with_the_offer(authority: Authority) -> None:
    request = link(offer="v=0")
    request.uplink_bps, request.downlink_bps = 1_500_000, 2_500_000
    entry = read(request, authority)
    assert (entry.uplink_bps, entry.downlink_bps) == (1_500_000, 2_500_000)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"room_id": "nowhere"}, "room_id: "),
        ({"request_id": ""}, "request_id: "),
        ({"request_id": "a b"}, "request_id: "),
        ({"name": ""}, "name: "),
        ({"name": "x" * 65}, "name: "),
        ({"invite_secret": "x" * 65}, "invite_secret: "),
        ({"offer": "x" * (128 * 1024 + 1)}, "offer: "),
    ],
)
def test_bad_fields_are_named(authority: Authority, fields: dict[str, str], words: str) -> None:
    with pytest.raises(SalonError, match=words) as caught:
        read(link(**fields), authority)
    assert caught.value.code == Code.INVALID_ARGUMENT


def test_somebody_without_a_credential_is_told_what_is_missing(authority: Authority) -> None:
    with pytest.raises(SalonError, match="credential: "):
        read(signaling_pb2.JoinRequest(room_id=ROOM, request_id="r", name="Ada"), authority)


def test_an_app_token_that_is_none_is_refused(authority: Authority) -> None:
    with pytest.raises(SalonError, match="app_token: ") as caught:
        read(link(app_token="x.y.z"), authority)
    assert caught.value.code == Code.UNAUTHENTICATED
