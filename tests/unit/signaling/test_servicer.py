"""The methods over fakes: who may call, what rooms is asked, and one log line for each refusal."""

import logging
from ipaddress import ip_network
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY
from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_signaling.core.limits import Rate
from salon_signaling.guards import Guards, Rates
from salon_signaling.quality import QualityMeter
from salon_signaling.servicer import PublicSettings, SignalingServicer
from unit.signaling.conftest import Replica
from unit.signaling.fakes import ROOM, SECRET

PLENTY = Rate(1000, 1000)


class Call:
    """A call's context: where it came from and its metadata."""

    def __init__(self, token: str = "", peer: str = "ipv4:192.0.2.1:5000", **metadata: str) -> None:
        self._peer = peer
        self._metadata = [(key.replace("_", "-"), value) for key, value in metadata.items()]
        if token:
            self._metadata.append(("authorization", f"Bearer {token}"))

    def peer(self) -> str:
        return self._peer

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return self._metadata


def call(token: str = "", **options: str) -> Any:
    return cast("Any", Call(token, **options))


@pytest.fixture
def servicer(replica: Replica, clock: ManualClock) -> SignalingServicer:
    guards = Guards(Rates(PLENTY, PLENTY, Rate(0.1, 2), Rate(1, 5)), clock)
    settings = PublicSettings("https://salon.example", (ip_network("10.0.0.0/8"),))
    quality = QualityMeter(clock)
    return SignalingServicer(
        replica.parts.rooms, replica.joins, replica.parts.authority, guards, quality, settings
    )


@pytest.fixture
def token(replica: Replica) -> str:
    replica.rooms.participants["a" * 16] = room_pb2.Participant(id="a" * 16, name="Ada")
    return replica.parts.authority.issue(ROOM, "a" * 16, room_pb2.ROLE_HOST).token


def join(**fields: str) -> signaling_pb2.JoinRequest:
    request = signaling_pb2.JoinRequest(room_id=ROOM, request_id="r", invite_secret=SECRET, name="Ada")
    for field, value in fields.items():
        setattr(request, field, value)
    return request


async def test_a_link_is_previewed(servicer: SignalingServicer) -> None:
    request = signaling_pb2.PreviewRoomRequest(room_id=ROOM, invite_secret=SECRET)
    assert (await servicer.PreviewRoom(request, call())).room.id == ROOM


async def test_somebody_joins(servicer: SignalingServicer) -> None:
    messages = servicer.Join(join(offer="v=0"), call())
    assert (await anext(messages)).welcome.answer
    await messages.aclose()  # type: ignore[attr-defined]


async def test_calls_are_made_as_the_tokens_participant(
    servicer: SignalingServicer, replica: Replica, token: str
) -> None:
    chat = signaling_pb2.SendChatRequest(request_id="r", text="hello")
    assert (await servicer.SendChat(chat, call(token))).event_number == 1
    camera = signaling_pb2.SetSourcesRequest(active=[room_pb2.SOURCE_KIND_CAMERA])
    assert (await servicer.SetSources(camera, call(token))).event_number == 1
    invite = await servicer.CreateInvite(signaling_pb2.CreateInviteRequest(label="Bo"), call(token))
    assert invite.link == f"https://salon.example/r/{ROOM}#{'t' * 22}"
    await servicer.RevokeInvite(signaling_pb2.RevokeInviteRequest(invite_id="b" * 16), call(token))
    await servicer.Leave(signaling_pb2.LeaveRequest(), call(token))
    for _, request in replica.rooms.script.calls:
        assert (request.room_id, request.participant_id) == (ROOM, "a" * 16)
    assert replica.rooms.script.of("Leave")[0].reason == room_pb2.LEAVE_REASON_LEFT


async def test_who_was_removed_is_refused_by_every_call(
    servicer: SignalingServicer, replica: Replica, token: str
) -> None:
    replica.rooms.participants.clear()
    with pytest.raises(SalonError, match="no such participant"):
        await servicer.SendChat(signaling_pb2.SendChatRequest(request_id="r", text="hi"), call(token))


async def test_without_a_token_nothing_is_asked(servicer: SignalingServicer, replica: Replica) -> None:
    with pytest.raises(SalonError, match="join first"):
        await servicer.Leave(signaling_pb2.LeaveRequest(), call())
    assert not replica.rooms.script.calls


async def test_a_role_that_does_not_exist_is_named(servicer: SignalingServicer, token: str) -> None:
    request = signaling_pb2.CreateInviteRequest(role=cast("Any", 99))
    with pytest.raises(SalonError, match="role: "):
        await servicer.CreateInvite(request, call(token))


async def test_without_an_apps_token_no_room_is_made(servicer: SignalingServicer, replica: Replica) -> None:
    request = signaling_pb2.CreateRoomRequest(app_token="a.b.c", request_id="r", title="Tea")
    with pytest.raises(SalonError, match="app_token: ") as caught:
        await servicer.CreateRoom(request, call())
    assert caught.value.code == Code.UNAUTHENTICATED
    assert not replica.rooms.script.calls


async def test_guessing_links_ends_soon(servicer: SignalingServicer) -> None:
    for _ in range(2):
        with pytest.raises(SalonError, match="leads nowhere"):
            await anext(servicer.Join(join(invite_secret="x" * 22), call()))
    with pytest.raises(SalonError, match="wrong links"):
        await anext(servicer.Join(join(), call()))
    other = servicer.Join(join(), call(peer="ipv4:192.0.2.9:5000"))
    assert (await anext(other)).HasField("welcome")
    await other.aclose()  # type: ignore[attr-defined]


async def test_behind_a_proxy_its_callers_are_told_apart(servicer: SignalingServicer) -> None:
    proxied = {"peer": "ipv4:10.0.0.1:80"}
    wrong = join(invite_secret="x" * 22)
    for _ in range(2):
        with pytest.raises(SalonError, match="leads nowhere"):
            await anext(servicer.Join(wrong, call(**proxied, x_forwarded_for="203.0.113.1")))
    request = signaling_pb2.PreviewRoomRequest(room_id=ROOM, invite_secret=SECRET)
    await servicer.PreviewRoom(request, call(**proxied, x_forwarded_for="203.0.113.2"))
    with pytest.raises(SalonError, match="wrong links"):
        await servicer.PreviewRoom(request, call(**proxied, x_forwarded_for="203.0.113.1"))


async def test_a_participant_calls_at_a_bounded_rate(servicer: SignalingServicer, token: str) -> None:
    chat = signaling_pb2.SendChatRequest(request_id="r", text="hello")
    for _ in range(5):
        await servicer.SendChat(chat, call(token))
    with pytest.raises(SalonError, match="too many requests: try again in 1 s"):
        await servicer.SendChat(chat, call(token))


async def test_a_refusal_is_one_log_line_without_secrets(
    servicer: SignalingServicer, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SalonError):
        await anext(servicer.Join(join(invite_secret="x" * 22, offer="v=0 secret"), call()))
    (record,) = caplog.records
    assert (vars(record)["method"], vars(record)["code"]) == ("Join", "NOT_FOUND")
    assert vars(record)["room"] == ROOM
    caplog.clear()
    with pytest.raises(SalonError):
        await servicer.SendChat(signaling_pb2.SendChatRequest(request_id="r", text=""), call(token))
    (record,) = caplog.records
    assert vars(record)["participant"] == "a" * 16
    assert not any(secret in str(vars(record)) for secret in (token, "x" * 22, "v=0"))


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"salon_signaling_{name}", labels) or 0.0


async def test_how_far_newcomers_come_is_counted(servicer: SignalingServicer) -> None:
    steps = ("called", "reserved", "admitted", "welcomed")
    before = {step: sample("join_steps_total", step=step) for step in steps}
    messages = servicer.Join(join(offer="v=0"), call())
    await anext(messages)
    await messages.aclose()  # type: ignore[attr-defined]
    with pytest.raises(SalonError):
        await anext(servicer.Join(join(invite_secret="wrong"), call()))
    more = {step: sample("join_steps_total", step=step) - before[step] for step in steps}
    assert more == {"called": 2, "reserved": 1, "admitted": 1, "welcomed": 1}


async def test_what_clients_report_is_counted(servicer: SignalingServicer, token: str) -> None:
    before = sample("first_frame_seconds_count"), sample("frozen_seconds_total")
    request = signaling_pb2.ReportQualityRequest(
        connected_ms=300,
        first_frame_ms=700,
        watched_ms=10_000,
        frozen_ms=2000,
        gaps=[signaling_pb2.MediaGap(cause=signaling_pb2.GAP_CAUSE_SILENCE, duration_ms=1200)],
    )
    missed = sample("media_gap_seconds_sum", cause="silence")
    await servicer.ReportQuality(request, call(token))
    assert sample("first_frame_seconds_count") == before[0] + 1
    assert sample("frozen_seconds_total") == before[1] + 2.0
    assert sample("media_gap_seconds_sum", cause="silence") == pytest.approx(missed + 1.2)


async def test_a_report_that_cannot_be_counts_as_refused(servicer: SignalingServicer, token: str) -> None:
    refused, frozen = sample("quality_reports_total", result="refused"), sample("frozen_seconds_total")
    with pytest.raises(SalonError):
        await servicer.ReportQuality(signaling_pb2.ReportQualityRequest(frozen_ms=5), call(token))
    assert sample("quality_reports_total", result="refused") == refused + 1
    assert sample("frozen_seconds_total") == frozen


async def test_only_who_is_in_reports(servicer: SignalingServicer) -> None:
    with pytest.raises(SalonError) as refusal:
        await servicer.ReportQuality(signaling_pb2.ReportQualityRequest(), call())
    assert refusal.value.code is Code.UNAUTHENTICATED
