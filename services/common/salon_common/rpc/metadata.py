"""Metadata of calls: ordered pairs whose keys may repeat; the values of keys that end in `-bin` are bytes.

Owns the rules for keys and values and the text form of both. In a header on NATS, all pairs are one text, since there a
name can stand only once.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, urlencode

from salon_common.errors import invalid
from salon_common.rpc.limits import MAX_METADATA, check_size

Pair = tuple[str, str | bytes]
Pairs = tuple[Pair, ...]

_KEY = re.compile(r"[0-9a-z_.-]{1,128}")
_TEXT = re.compile(r"[\x20-\x7e]*")
_MAX_PAIRS = 128


def check(pairs: Iterable[Sequence[str | bytes]]) -> Pairs:
    """The pairs, checked as gRPC checks them. Raises SalonError INVALID_ARGUMENT."""
    return tuple(_check_pair(key, value) for key, value in pairs)


def _check_pair(key: str | bytes, value: str | bytes) -> Pair:
    if not isinstance(key, str) or not _KEY.fullmatch(key) or key.startswith("grpc-"):
        raise invalid(
            "metadata", f"the key {key!r:.140} must be 1-128 of a-z, 0-9, _ . and -, not beginning with grpc-"
        )
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise invalid("metadata", f"the value of {key} must be bytes")
    elif not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise invalid(
            "metadata", f"the value of {key} must be printable ASCII; bytes go with keys that end in -bin"
        )
    return key, value


def to_text(value: str | bytes) -> str:
    """A value as it stands in a header: bytes are base64 without padding (gRPC over HTTP/2, "Binary-Header")."""
    return base64.b64encode(value).decode().rstrip("=") if isinstance(value, bytes) else value


def from_text(key: str, text: str) -> list[Pair]:
    """The pairs in a header's value. Bytes that were joined by commas are told apart. Raises SalonError INVALID_ARGUMENT."""
    if not key.endswith("-bin"):
        return [(key, text)]
    try:
        return [
            (key, base64.b64decode(part + "=" * (-len(part) % 4), validate=True))
            for part in text.replace(" ", "").split(",")
        ]
    except ValueError as error:
        raise invalid("metadata", f"the value of {key:.128} is not base64") from error


def join(pairs: Pairs) -> str:
    """All pairs as one text. Raises SalonError RESOURCE_EXHAUSTED when it is too long."""
    text = urlencode([(key, to_text(value)) for key, value in pairs])
    check_size("metadata", len(text), MAX_METADATA)
    return text


def split(text: str) -> Pairs:
    """Undo `join`, checking everything. Raises SalonError INVALID_ARGUMENT, or RESOURCE_EXHAUSTED when it is too long."""
    check_size("metadata", len(text), MAX_METADATA)
    try:
        fields = (
            parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MAX_PAIRS)
            if text
            else []
        )
    except ValueError as error:
        raise invalid("metadata", f"must be at most {_MAX_PAIRS} pairs of key=value joined by &") from error
    return check(pair for key, value in fields for pair in from_text(key, value))
