"""The one table of codes, and the forms that a status takes: gRPC's, Connect's and text in a header."""

from urllib.parse import quote, unquote_to_bytes

import grpc
from connectrpc.code import Code as ConnectCode

from salon_common.errors import Code

_GRPC = {status.value[0]: status for status in grpc.StatusCode}

_CONNECT = {
    Code.CANCELLED: ConnectCode.CANCELED,
    Code.UNKNOWN: ConnectCode.UNKNOWN,
    Code.INVALID_ARGUMENT: ConnectCode.INVALID_ARGUMENT,
    Code.DEADLINE_EXCEEDED: ConnectCode.DEADLINE_EXCEEDED,
    Code.NOT_FOUND: ConnectCode.NOT_FOUND,
    Code.ALREADY_EXISTS: ConnectCode.ALREADY_EXISTS,
    Code.PERMISSION_DENIED: ConnectCode.PERMISSION_DENIED,
    Code.RESOURCE_EXHAUSTED: ConnectCode.RESOURCE_EXHAUSTED,
    Code.FAILED_PRECONDITION: ConnectCode.FAILED_PRECONDITION,
    Code.ABORTED: ConnectCode.ABORTED,
    Code.OUT_OF_RANGE: ConnectCode.OUT_OF_RANGE,
    Code.UNIMPLEMENTED: ConnectCode.UNIMPLEMENTED,
    Code.INTERNAL: ConnectCode.INTERNAL,
    Code.UNAVAILABLE: ConnectCode.UNAVAILABLE,
    Code.DATA_LOSS: ConnectCode.DATA_LOSS,
    Code.UNAUTHENTICATED: ConnectCode.UNAUTHENTICATED,
}

MAX_STATUS_MESSAGE = 2048
"""Characters of a status message that are sent; a sentence needs no more, and headers are bounded."""

_UNESCAPED = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) != "%")


def to_grpc(code: Code) -> grpc.StatusCode:
    """GRPC's enum member."""
    return _GRPC[int(code)]


def from_grpc(status: grpc.StatusCode) -> Code:
    """Our enum member."""
    return Code(status.value[0])


def to_connect(code: Code) -> ConnectCode:
    """Connect's enum member; OK has none."""
    return _CONNECT[code]


def encode_message(text: str) -> str:
    """Percent-encode a status message for a header (gRPC over HTTP/2, "Status-Message"): all but visible ASCII.

    gRPC lets spaces stand, but NATS clients strip them from the ends of headers.
    """
    return quote(text[:MAX_STATUS_MESSAGE], safe=_UNESCAPED, errors="replace")


def decode_message(text: str) -> str:
    """Undo `encode_message`; what is not UTF-8 is replaced, never refused, as gRPC demands."""
    return unquote_to_bytes(text).decode("utf-8", "replace")
