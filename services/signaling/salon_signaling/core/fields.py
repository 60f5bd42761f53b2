"""The limits of what clients send, field by field. Each check raises SalonError INVALID_ARGUMENT naming field and limit."""

import unicodedata
from collections.abc import Sequence

from salon.rooms.v1 import room_pb2
from salon_common.errors import invalid

MAX_NAME = 64
MAX_TITLE = 120
MAX_TEXT = 2000
MAX_LABEL = 64
MAX_SECRET = 64
MAX_TOKEN_BYTES = 4 * 1024
MAX_OFFER_BYTES = 128 * 1024
MAX_SOURCES = 4

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They would turn the text around them, too."""
_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def check_name(text: str) -> str:
    """What others see. Returned without white space around it."""
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise invalid("name", f"must be 1-{MAX_NAME} characters")
    _check_one_line("name", name)
    return name


def check_title(text: str) -> str:
    """A room's title. Returned without white space around it."""
    return _check_caption("title", text, MAX_TITLE)


def check_label(text: str) -> str:
    """Whom a link is for. Returned without white space around it."""
    return _check_caption("label", text, MAX_LABEL)


def _check_caption(field: str, text: str, limit: int) -> str:
    """One line that may be empty."""
    caption = text.strip()
    if len(caption) > limit:
        raise invalid(field, f"must be at most {limit} characters")
    _check_one_line(field, caption)
    return caption


def check_text(text: str) -> str:
    """A chat message: lines and tabs are fine, other control characters are not."""
    if not text.strip():
        raise invalid("text", "must not be empty")
    if len(text) > MAX_TEXT:
        raise invalid("text", f"must be 1-{MAX_TEXT} characters")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in text):
        raise invalid("text", "must not have control characters")
    return text


def check_offer(offer: str) -> str:
    """An SDP offer's size; the node reads it. Empty means that no media is wanted now."""
    if len(offer.encode()) > MAX_OFFER_BYTES:
        raise invalid("offer", f"must be at most {MAX_OFFER_BYTES // 1024} KiB")
    return offer


def check_token(field: str, token: str) -> str:
    """A token's size; its verifier reads it."""
    if not token:
        raise invalid(field, "must be given")
    if len(token.encode()) > MAX_TOKEN_BYTES:
        raise invalid(field, f"must be at most {MAX_TOKEN_BYTES // 1024} KiB")
    return token


def check_secret(secret: str) -> str:
    """A link's secret: anything longer than any secret is not looked up."""
    if len(secret) > MAX_SECRET:
        raise invalid("invite_secret", "must be the 22 characters after # of the link")
    return secret


def check_sources(active: Sequence["room_pb2.SourceKind.ValueType"]) -> list["room_pb2.SourceKind.ValueType"]:
    """The kinds that are on: known ones, each once."""
    if len(active) > MAX_SOURCES:
        raise invalid("active", f"must be at most {MAX_SOURCES} kinds")
    if any(
        kind == room_pb2.SOURCE_KIND_UNSPECIFIED or kind not in room_pb2.SourceKind.values()
        for kind in active
    ):
        raise invalid("active", "must be microphone, camera, screen or screen audio")
    return sorted(set(active))


def _check_one_line(field: str, text: str) -> None:
    if any(unicodedata.category(c) in _FORBIDDEN or c in _BIDI_CONTROLS for c in text):
        raise invalid(field, "must not have control characters")
