"""Credentials: tokens that apps sign for their users, and session tokens that Salon signs for participants.

Owns formats, limits and checks. Whether a participant still exists is the rooms service's to say, at every call.
Time is an argument, in seconds since the epoch.
"""

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from salon_common.errors import Code, SalonError, SettingsError
from salon_common.ids import ParticipantId, RoomId, parse_name, parse_participant_id, parse_room_id

AUDIENCE = "salon"
MAX_TOKEN = 4096
"""Characters of a token."""
MAX_LIFETIME = 600
"""Seconds that an app's token may still live."""
CLOCK_SKEW = 30
"""Seconds by which an app's clock may be ahead of or behind ours."""
MAX_SUBJECT = 128
MAX_NAME = 64
MAX_NONCE = 64
MIN_SESSION_KEY = 32
"""Bytes of a key for session tokens: HS256 wants as many as the hash has (RFC 7518 section 3.2)."""

_SESSION_ISSUER = "salon-session"
_FAR = 1e12  # beyond any date; infinities, not-a-numbers and endless integers lie outside


@dataclass(frozen=True)
class VerifyKey:
    """A public key and the one algorithm it may be used with, so that a token cannot choose another."""

    algorithm: Literal["EdDSA", "ES256"]
    key: Ed25519PublicKey | EllipticCurvePublicKey


@dataclass(frozen=True)
class App:
    """A product whose backend vouches for users. Keys are PEM or JWK."""

    id: str
    name: str
    public_keys: Sequence[str]


@dataclass(frozen=True)
class AppUser:
    """A user as an app vouches for them."""

    app: App
    subject: str
    name: str | None


class AppRegistry:
    """The apps that may start rooms, and their keys."""

    def __init__(self, apps: Iterable[App]) -> None:
        """Raises SettingsError that names the app whose id or key cannot be used."""
        self._apps: dict[str, tuple[App, tuple[VerifyKey, ...]]] = {}
        for app in apps:
            if app.id in self._apps:
                raise SettingsError(f"apps: {app.id} stands there twice")
            self._apps[app.id] = (app, tuple(_read_key(app.id, key) for key in app.public_keys))

    @classmethod
    def load(cls, path: Path | str) -> "AppRegistry":
        """Read `{"apps": [{"id", "name", "public_keys": [PEM or JWK]}]}`. Raises SettingsError."""
        try:
            document = json.loads(Path(path).read_text())
            apps = [_read_app(item) for item in document["apps"]]
        except OSError as error:
            raise SettingsError(f"apps file {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, SalonError) as error:
            raise SettingsError(
                f'apps file {path}: must be {{"apps": [{{"id", "name", "public_keys"}}]}}: {error}'
            ) from error
        return cls(apps)

    def find(self, app_id: str) -> tuple[App, tuple[VerifyKey, ...]] | None:
        """The app and its keys."""
        return self._apps.get(app_id)


def _read_app(item: Mapping[str, Any]) -> App:
    name, keys = item["name"], item["public_keys"]
    if (
        not isinstance(name, str)
        or not isinstance(keys, list)
        or not all(isinstance(key, str) for key in keys)
    ):
        raise TypeError("name must be text and public_keys a list of texts")
    return App(parse_name(item["id"], "id"), name, tuple(keys))


def _read_key(app_id: str, text: str) -> VerifyKey:
    try:
        key = (
            jwt.PyJWK(json.loads(text)).key
            if text.lstrip().startswith("{")
            else load_pem_public_key(text.encode())
        )
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise SettingsError(f"apps: a public key of {app_id} is neither PEM nor JWK: {error}") from error
    if isinstance(key, Ed25519PublicKey):
        return VerifyKey("EdDSA", key)
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return VerifyKey("ES256", key)
    raise SettingsError(f"apps: a public key of {app_id} is not Ed25519 or P-256: make one of these")


def verify_app_token(registry: AppRegistry, token: str, now_wall: float) -> AppUser:
    """Check an app's token: EdDSA or ES256, aud "salon", at most ten minutes to live. Raises SalonError UNAUTHENTICATED."""
    unverified = _decode(token, None, (), "app_token")
    issuer = unverified.get("iss")
    found = registry.find(issuer) if isinstance(issuer, str) else None
    if found is None:
        raise _refused("app_token", "iss is not an app that is known here")
    app, keys = found
    claims = _verify_with_any(token, keys)
    if claims.get("aud") != AUDIENCE:
        raise _refused("app_token", f'aud must be "{AUDIENCE}"')
    _check_times("app_token", claims, now_wall, CLOCK_SKEW)
    if _seconds("app_token", claims, "exp") > now_wall + MAX_LIFETIME + CLOCK_SKEW:
        raise _refused("app_token", f"exp must be at most {MAX_LIFETIME} seconds ahead")
    _text(claims, "jti", MAX_NONCE)
    name = _text(claims, "name", MAX_NAME) if claims.get("name") is not None else None
    return AppUser(app, _text(claims, "sub", MAX_SUBJECT), name)


def sign_app_token(
    private_pem: str,
    app_id: str,
    subject: str,
    name: str | None,
    now_wall: float,
    jti: str,
    lifetime: float = 300,
) -> str:
    """What an app's backend does: a token for its user. `jti` is a nonce."""
    key = load_pem_private_key(private_pem.encode(), None)
    if isinstance(key, Ed25519PrivateKey):
        algorithm = "EdDSA"
    elif isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        algorithm = "ES256"
    else:
        raise SettingsError("the app's private key is not Ed25519 or P-256: make one of these")
    claims = {
        "iss": app_id,
        "sub": subject,
        "aud": AUDIENCE,
        "iat": int(now_wall),
        "exp": int(now_wall + lifetime),
        "jti": jti,
    }
    return jwt.encode(claims | ({"name": name} if name else {}), key, algorithm)


@dataclass(frozen=True)
class SessionClaims:
    """Who a participant is: one room, one participant, one role (a value of `salon.rooms.v1.Role`)."""

    room_id: RoomId
    participant_id: ParticipantId
    role: int


class SessionTokens:
    """Makes and checks participants' tokens. The first key signs; all verify, so that keys can be rolled."""

    def __init__(self, keys: Sequence[bytes], lifetime: float = 600) -> None:
        """Raises SettingsError when there is no key, or a short one."""
        if not keys or any(len(key) < MIN_SESSION_KEY for key in keys):
            raise SettingsError(f"session keys: at least one, each of at least {MIN_SESSION_KEY} bytes")
        self._keys = tuple(keys)
        self.lifetime = lifetime

    @classmethod
    def load(cls, path: Path | str, lifetime: float = 600) -> "SessionTokens":
        """Read a key a line, hexadecimal or raw. Raises SettingsError."""
        try:
            lines = Path(path).read_bytes().splitlines()
        except OSError as error:
            raise SettingsError(f"session key file {path}: {error.strerror}") from error
        return cls([_unhex(line.strip()) for line in lines if line.strip()], lifetime)

    def disguise(self, text: str) -> str:
        """Stands for `text` where nobody need read it: the same at all holders of the first key, 32 characters."""
        return hmac.new(self._keys[0], b"disguise:" + text.encode(), "sha256").hexdigest()[:32]

    def issue(self, claims: SessionClaims, now_wall: float) -> tuple[str, float]:
        """A token and when it stops working."""
        expires_at = now_wall + self.lifetime
        payload = {
            "iss": _SESSION_ISSUER,
            "room": claims.room_id,
            "sub": claims.participant_id,
            "role": claims.role,
            "exp": expires_at,
        }
        return jwt.encode(payload, self._keys[0], "HS256"), expires_at

    def verify(self, token: str, now_wall: float) -> SessionClaims:
        """Whose token this is. Raises SalonError UNAUTHENTICATED."""
        for key in self._keys:
            try:
                claims = _decode(token, key, ("HS256",), "session_token")
            except jwt.InvalidSignatureError:
                continue
            return _read_session(claims, now_wall)
        raise _refused("session_token", "the signature is wrong: join again with the link")


def _read_session(claims: Mapping[str, Any], now_wall: float) -> SessionClaims:
    room, participant, role = claims.get("room"), claims.get("sub"), claims.get("role")
    is_text = isinstance(room, str) and isinstance(participant, str)
    if (
        claims.get("iss") != _SESSION_ISSUER
        or not is_text
        or not isinstance(role, int)
        or isinstance(role, bool)
    ):
        raise _refused("session_token", "this is not a session token: join again with the link")
    _check_times("session_token", claims, now_wall, 0)
    try:
        return SessionClaims(parse_room_id(str(room)), parse_participant_id(str(participant)), role)
    except SalonError as error:
        raise _refused("session_token", "this is not a session token: join again with the link") from error


def _unhex(line: bytes) -> bytes:
    try:
        return bytes.fromhex(line.decode("ascii"))
    except ValueError:
        return line


def _refused(field: str, problem: str) -> SalonError:
    return SalonError(Code.UNAUTHENTICATED, f"{field}: {problem}")


def _decode(token: str, key: Any, algorithms: Sequence[str], field: str) -> dict[str, Any]:
    """The claims, verified when a key is given; times and audience are checked by the caller, against its own clock."""
    if len(token) > MAX_TOKEN:
        raise _refused(field, f"must be at most {MAX_TOKEN} characters, is {len(token)}")
    options: Any = {
        "verify_signature": key is not None,
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
    }
    options |= {"verify_aud": False, "verify_iss": False, "verify_sub": False, "verify_jti": False}
    try:
        return jwt.decode(token, key, algorithms=list(algorithms), options=options)
    except jwt.InvalidSignatureError:
        raise
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise _refused(field, "is not a token signed as it should be") from error


def _verify_with_any(token: str, keys: Iterable[VerifyKey]) -> dict[str, Any]:
    algorithm = jwt.get_unverified_header(token).get("alg")
    for key in keys:
        if key.algorithm == algorithm:
            try:
                return _decode(token, key.key, (key.algorithm,), "app_token")
            except jwt.InvalidSignatureError:
                continue
    raise _refused("app_token", "no key of the app (EdDSA or ES256) made this signature")


def _check_times(field: str, claims: Mapping[str, Any], now_wall: float, skew: float) -> None:
    if _seconds(field, claims, "exp") <= now_wall - skew:
        raise _refused(field, "has expired: ask for a new one")
    for claim in ("nbf", "iat"):
        if claim in claims and _seconds(field, claims, claim) > now_wall + skew:
            raise _refused(field, f"{claim} lies in the future: check the clock")


def _seconds(field: str, claims: Mapping[str, Any], claim: str) -> float:
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_FAR < value < _FAR:
        raise _refused(field, f"{claim} must be a time in seconds")
    return value


def _text(claims: Mapping[str, Any], claim: str, longest: int) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise _refused("app_token", f"{claim} must be a text of 1-{longest} characters")
    return value
