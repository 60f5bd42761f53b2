"""App tokens and session tokens: what passes, and that everything else is UNAUTHENTICATED."""

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from salon_common.errors import Code, SalonError, SettingsError
from salon_common.ids import ParticipantId, make_id, make_room_id
from salon_common.tokens import (
    MAX_TOKEN,
    App,
    AppRegistry,
    SessionClaims,
    SessionTokens,
    sign_app_token,
    verify_app_token,
)

NOW = 1_800_000_000.0
ED = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
EC = ec.derive_private_key(0xA11CE, ec.SECP256R1())
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))


def private_pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def public_pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def jwk(key: ed25519.Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return json.dumps(
        {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    )


APPS = AppRegistry(
    [
        App("demo", "Demo", (public_pem(OTHER), public_pem(ED))),
        App("chat", "Chat", (public_pem(EC),)),
        App("jwk", "JWK", (jwk(ED),)),
    ]
)
GOOD: dict[str, Any] = {
    "iss": "demo",
    "sub": "u1",
    "aud": "salon",
    "exp": NOW + 300,
    "jti": "n1",
    "name": "Ada",
}


def token(
    changes: dict[str, Any] | None = None, *, without: str = "", key: Any = ED, algorithm: str = "EdDSA"
) -> str:
    claims = {name: value for name, value in (GOOD | (changes or {})).items() if name != without}
    return jwt.PyJWS().encode(
        json.dumps(claims).encode(), key, algorithm
    )  # claims of any kind, unlike jwt.encode


def refuse(text: str, *, now: float = NOW) -> str:
    with pytest.raises(SalonError) as caught:
        verify_app_token(APPS, text, now)
    assert caught.value.code is Code.UNAUTHENTICATED
    return caught.value.message


class TestAppToken:
    @pytest.mark.parametrize(("key", "app"), [(ED, "demo"), (EC, "chat"), (ED, "jwk")])
    def test_a_token_of_an_apps_key_passes(self, key: Any, app: str) -> None:
        text = sign_app_token(private_pem(key), app, "u1", "Ada", NOW, "n1")
        user = verify_app_token(APPS, text, NOW)
        assert (user.app.id, user.subject, user.name) == (app, "u1", "Ada")

    def test_the_name_may_be_left_out(self) -> None:
        assert (
            verify_app_token(APPS, sign_app_token(private_pem(ED), "demo", "u1", None, NOW, "n1"), NOW).name
            is None
        )

    @pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "jti"])
    def test_a_missing_claim_is_refused_by_name(self, claim: str) -> None:
        assert claim in refuse(token(without=claim))

    @pytest.mark.parametrize(
        ("claim", "value"),
        [
            ("iss", "nobody"),
            ("iss", ["demo"]),
            ("aud", "other"),
            ("aud", ["salon"]),
            ("sub", ""),
            ("sub", "x" * 129),
            ("sub", 7),
            ("jti", ""),
            ("jti", "x" * 65),
            ("name", ""),
            ("name", "x" * 65),
            ("name", 7),
            ("exp", "soon"),
            ("exp", True),
            ("exp", None),
            ("exp", float("inf")),
            ("exp", float("nan")),
            ("exp", 10**400),
            ("nbf", NOW + 31),
            ("iat", NOW + 31),
            ("iat", "now"),
        ],
    )
    def test_a_wrong_claim_is_refused_by_name(self, claim: str, value: Any) -> None:
        assert claim in refuse(token({claim: value}))

    def test_expiry(self) -> None:
        text = token({"exp": NOW})
        assert verify_app_token(APPS, text, NOW + 29).subject == "u1"
        assert "expired" in refuse(text, now=NOW + 30)

    def test_a_token_may_live_ten_minutes_at_most(self) -> None:
        assert verify_app_token(APPS, token({"exp": NOW + 630}), NOW).subject == "u1"
        assert refuse(token({"exp": NOW + 631})) == "app_token: exp must be at most 600 seconds ahead"

    def test_a_key_of_another_app_is_refused(self) -> None:
        assert "signature" in refuse(token({"iss": "chat"}))
        assert "signature" in refuse(token({"iss": "demo"}, key=EC, algorithm="ES256"))

    def test_a_public_key_is_no_shared_secret(self) -> None:
        """The oldest confusion: HS256 with the text of the public key."""
        head, body = (_b64(json.dumps(part)) for part in ({"alg": "HS256", "typ": "JWT"}, GOOD))
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
            f"{head}.{body}".encode(), public_pem(ED).encode()
        )
        assert "signature" in refuse(f"{head}.{body}.{_b64(mac)}")

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "RS256", "", 7, None, "EdDSA", "ES256"])
    def test_an_unsigned_token_is_refused(self, algorithm: Any) -> None:
        head, body = (_b64(json.dumps(part)) for part in ({"alg": algorithm, "typ": "JWT"}, GOOD))
        refuse(f"{head}.{body}.")

    def test_a_changed_token_is_refused(self) -> None:
        head, _, signature = token().split(".")
        assert "signature" in refuse(f"{head}.{_b64(json.dumps(GOOD | {'sub': 'u2'}))}.{signature}")

    def test_a_long_token_is_refused_before_it_is_read(self) -> None:
        assert (
            refuse("x" * (MAX_TOKEN + 1))
            == f"app_token: must be at most {MAX_TOKEN} characters, is {MAX_TOKEN + 1}"
        )

    @given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}"))
    def test_garbage_is_refused(self, text: str) -> None:
        refuse(text)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_garbage_in_a_tokens_parts_is_refused(self, value: Any) -> None:
        part = _b64(json.dumps(value))
        good_head, good_body, signature = token().split(".")
        refuse(f"{part}.{good_body}.{signature}")
        refuse(f"{good_head}.{part}.{signature}")

    @given(
        st.sampled_from(sorted(GOOD)),
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.lists(st.integers()),
    )
    def test_any_claim_of_any_kind_never_raises_anything_else(self, claim: str, value: Any) -> None:
        try:
            verify_app_token(APPS, token({claim: value}), NOW)
        except SalonError as error:
            assert error.code is Code.UNAUTHENTICATED  # noqa: PT017 - passing is fine too

    def test_a_key_of_the_wrong_kind_does_not_sign(self) -> None:
        for key in (
            ec.derive_private_key(7, ec.SECP384R1()),
            ed448.Ed448PrivateKey.from_private_bytes(bytes(57)),
        ):
            with pytest.raises(SettingsError):
                sign_app_token(private_pem(key), "demo", "u1", None, NOW, "n1")


class TestAppRegistry:
    def test_it_is_read_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "apps.json"
        path.write_text(
            json.dumps({"apps": [{"id": "demo", "name": "Demo", "public_keys": [public_pem(ED)]}]})
        )
        assert verify_app_token(AppRegistry.load(path), token(), NOW).app.name == "Demo"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"apps": 1}',
            '{"apps": [{}]}',
            '{"apps": [{"id": "A b", "name": "n", "public_keys": []}]}',
            '{"apps": [{"id": 7, "name": "n", "public_keys": []}]}',
            '{"apps": [{"id": "a", "name": 1, "public_keys": []}]}',
            '{"apps": [{"id": "a", "name": "n", "public_keys": "k"}]}',
            '{"apps": [{"id": "a", "name": "n", "public_keys": ["k"]}]}',
            '{"apps": [{"id": "a", "name": "n", "public_keys": ["{}"]}]}',
            '{"apps": [{"id": "a", "name": "n", "public_keys": []}, {"id": "a", "name": "n", "public_keys": []}]}',
        ],
    )
    def test_a_bad_file_is_a_settings_error(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "apps.json"
        path.write_text(text)
        with pytest.raises(SettingsError, match="apps"):
            AppRegistry.load(path)

    def test_a_missing_file_is_a_settings_error(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="No such file"):
            AppRegistry.load(tmp_path / "nowhere.json")

    def test_other_kinds_of_keys_are_refused(self) -> None:
        keys = [
            ec.derive_private_key(7, ec.SECP384R1()),
            ed448.Ed448PrivateKey.from_private_bytes(bytes(57)),
            rsa.generate_private_key(65537, 2048),
        ]
        for key in keys:
            with pytest.raises(SettingsError, match="not Ed25519 or P-256"):
                AppRegistry([App("demo", "Demo", (public_pem(key),))])


CLAIMS = SessionClaims(make_room_id("local", bytes(13)), ParticipantId(make_id(bytes(10))), 3)
OLD, NEW = b"o" * 32, b"n" * 32


class TestSessionTokens:
    def test_what_is_issued_is_verified(self) -> None:
        tokens = SessionTokens([NEW], lifetime=600)
        text, expires_at = tokens.issue(CLAIMS, NOW)
        assert expires_at == NOW + 600
        assert tokens.verify(text, NOW + 599) == CLAIMS

    def test_it_expires(self) -> None:
        tokens = SessionTokens([NEW], lifetime=600)
        text, expires_at = tokens.issue(CLAIMS, NOW)
        with pytest.raises(SalonError, match="expired") as caught:
            tokens.verify(text, expires_at)
        assert caught.value.code is Code.UNAUTHENTICATED

    def test_keys_are_rolled(self) -> None:
        text, _ = SessionTokens([OLD]).issue(CLAIMS, NOW)
        assert SessionTokens([NEW, OLD]).verify(text, NOW) == CLAIMS
        with pytest.raises(SalonError, match="signature"):
            SessionTokens([NEW]).verify(text, NOW)

    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "other"},
            {"room": 7},
            {"room": "nowhere"},
            {"room": None},
            {"sub": None},
            {"sub": "x"},
            {"role": "host"},
            {"role": True},
            {"exp": "later"},
        ],
    )
    def test_other_tokens_of_the_same_key_are_refused(self, changes: dict[str, Any]) -> None:
        good = {
            "iss": "salon-session",
            "room": CLAIMS.room_id,
            "sub": CLAIMS.participant_id,
            "role": 3,
            "exp": NOW + 9,
        }
        with pytest.raises(SalonError) as caught:
            SessionTokens([NEW]).verify(
                jwt.PyJWS().encode(json.dumps(good | changes).encode(), NEW, "HS256"), NOW
            )
        assert caught.value.code is Code.UNAUTHENTICATED

    @pytest.mark.parametrize(("key", "algorithm"), [(b"n" * 64, "HS512"), (ED, "EdDSA")])
    def test_other_algorithms_are_refused(self, key: Any, algorithm: str) -> None:
        good = {
            "iss": "salon-session",
            "room": CLAIMS.room_id,
            "sub": CLAIMS.participant_id,
            "role": 3,
            "exp": NOW + 9,
        }
        with pytest.raises(SalonError) as caught:
            SessionTokens([NEW]).verify(jwt.encode(good, key, algorithm), NOW)
        assert caught.value.code is Code.UNAUTHENTICATED

    @given(
        st.text(max_size=200)
        | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}")
        | st.just("x" * (MAX_TOKEN + 1))
    )
    def test_garbage_is_refused(self, text: str) -> None:
        with pytest.raises(SalonError) as caught:
            SessionTokens([NEW]).verify(text, NOW)
        assert caught.value.code is Code.UNAUTHENTICATED

    def test_a_disguise_is_the_same_for_holders_of_the_first_key_alone(self) -> None:
        tokens = SessionTokens([NEW, OLD])
        assert tokens.disguise("a") == SessionTokens([NEW]).disguise("a")
        others = {SessionTokens([OLD]).disguise("a"), tokens.disguise("b"), tokens.disguise("")}
        assert tokens.disguise("a") not in others
        assert len(tokens.disguise("a")) == 32

    def test_keys_are_read_from_a_file_hexadecimal_or_raw(self, tmp_path: Path) -> None:
        path = tmp_path / "keys"
        path.write_bytes(OLD.hex().encode() + b"\n\n  " + NEW + b"\n")
        tokens = SessionTokens.load(path, lifetime=60)
        assert SessionTokens([OLD]).verify(tokens.issue(CLAIMS, NOW)[0], NOW) == CLAIMS
        assert tokens.verify(SessionTokens([NEW]).issue(CLAIMS, NOW)[0], NOW) == CLAIMS

    @pytest.mark.parametrize("content", [b"", b"\n", b"short", b"ab" * 31])
    def test_short_keys_are_a_settings_error(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "keys"
        path.write_bytes(content)
        with pytest.raises(SettingsError, match="at least 32 bytes"):
            SessionTokens.load(path)

    def test_a_missing_key_file_is_a_settings_error(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="No such file"):
            SessionTokens.load(tmp_path / "nowhere")


def _b64(part: str | bytes) -> str:
    return base64.urlsafe_b64encode(part if isinstance(part, bytes) else part.encode()).decode().rstrip("=")
