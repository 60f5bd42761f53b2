"""Bearer tokens, tokens of other rooms, expiry, and users of apps."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from salon.rooms.v1 import room_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_common.ids import RoomId
from salon_common.tokens import App, AppRegistry, SessionTokens, sign_app_token
from salon_signaling.auth import Authority, account_of
from unit.signaling.events import ME
from unit.signaling.fakes import ROOM


def test_a_bearer_token_names_its_participant(authority: Authority) -> None:
    token = authority.issue(ROOM, ME, room_pb2.ROLE_HOST)
    claims = authority.caller([("user-agent", "x"), ("authorization", f"bearer {token.token}")])
    assert (claims.room_id, claims.participant_id, claims.role) == (ROOM, ME, room_pb2.ROLE_HOST)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic abc", "token"])
def test_without_a_bearer_token_nobody_calls(authority: Authority, header: str) -> None:
    with pytest.raises(SalonError, match="join first") as caught:
        authority.caller([("authorization", header)])
    assert caught.value.code == Code.UNAUTHENTICATED


def test_tokens_expire(authority: Authority, clock: ManualClock) -> None:
    token = authority.issue(ROOM, ME, room_pb2.ROLE_SPEAKER)
    assert token.expires_at.seconds == int(clock.wall()) + 600
    clock.advance(601)
    with pytest.raises(SalonError, match="session_token: has expired"):
        authority.session(token.token, ROOM)


def test_a_token_opens_its_own_room_only(authority: Authority) -> None:
    token = authority.issue(ROOM, ME, room_pb2.ROLE_SPEAKER)
    with pytest.raises(SalonError, match="another room") as caught:
        authority.session(token.token, RoomId("local-" + "b" * 20))
    assert caught.value.code == Code.UNAUTHENTICATED


def test_an_asker_is_the_same_at_all_replicas_and_tells_nobody_which(
    authority: Authority, clock: ManualClock
) -> None:
    elsewhere = Authority(AppRegistry(()), SessionTokens([b"k" * 32]), clock)
    other_key = Authority(AppRegistry(()), SessionTokens([b"l" * 32]), clock)
    asker = authority.asker("192.0.2.1")
    assert asker == elsewhere.asker("192.0.2.1")
    assert len({asker, authority.asker("192.0.2.2"), other_key.asker("192.0.2.1")}) == 3
    assert len(asker) == 32


def test_oversized_tokens_are_not_read(authority: Authority) -> None:
    with pytest.raises(SalonError, match="session_token: must be at most 4 KiB"):
        authority.caller([("authorization", "Bearer " + "x" * 5000)])
    with pytest.raises(SalonError, match="app_token: must be given"):
        authority.user("")


def test_an_app_vouches_for_its_user(clock: ManualClock) -> None:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    apps = AppRegistry([App("demo", "Demo", [public])])
    authority = Authority(apps, SessionTokens([b"k" * 32]), clock)
    user = authority.user(sign_app_token(private, "demo", "user-1", "Ada", clock.wall(), "nonce"))
    assert account_of(user) == room_pb2.Account(app="demo", subject="user-1")
    assert user.name == "Ada"
