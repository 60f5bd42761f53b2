"""A call on NATS: the subjects and headers that mount and channel agree on. Pure.

A call is a request to `rpc.<region>.<service>.<Method>`, which a queue group of replicas shares, or to
`rpc.<region>.<service>.<node>.<Method>`, which one node has. A caller that goes away publishes to the same prefix with
`_cancel.<call id>`, which every replica hears and one knows: no subscription a call. `_cancel` can be no node's id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from salon_common.errors import Code, SalonError, invalid
from salon_common.ids import parse_name
from salon_common.rpc import metadata
from salon_common.rpc.metadata import Pairs
from salon_common.rpc.registry import short_name
from salon_common.rpc.status import decode_message, encode_message
from salon_common.rpc.timeouts import decode_timeout, encode_timeout

STATUS = "Salon-Status"
MESSAGE = "Salon-Message"
METADATA = "Salon-Metadata"
TIMEOUT = "Salon-Timeout"
CALL_ID = "Salon-Call"
CALLER = "Salon-Caller"

_CALL_ID = re.compile(r"[0-9a-f]{1,32}")
_UNSPEAKABLE = re.compile(r"[^\x21-\x7e]")


def prefix(region: str, service: str, node: str | None) -> str:
    """`rpc.<region>.<service>` or `rpc.<region>.<service>.<node>`, for a service's full name."""
    parts = ["rpc", parse_name(region, "region"), short_name(service)]
    return ".".join([*parts, parse_name(node, "node")] if node is not None else parts)


def cancel_subject(prefix: str, call_id: str) -> str:
    """Where a caller says that it no longer waits; `*` for all of them."""
    return f"{prefix}._cancel.{call_id}"


@dataclass(frozen=True)
class RequestHead:
    """What stands in a request's headers."""

    call_id: str
    timeout: float
    caller: str = ""
    metadata: Pairs = ()


def write_request(head: RequestHead) -> dict[str, str]:
    """The headers of a request. Raises SalonError RESOURCE_EXHAUSTED when the metadata is too long."""
    headers = {
        CALL_ID: head.call_id,
        TIMEOUT: encode_timeout(head.timeout),
        CALLER: _UNSPEAKABLE.sub("_", head.caller)[:128],
    }
    if head.metadata:
        headers[METADATA] = metadata.join(head.metadata)
    return headers


def read_request(headers: Mapping[str, str]) -> RequestHead:
    """Undo `write_request`, checking everything. Raises SalonError."""
    call_id = headers.get(CALL_ID, "")
    if not _CALL_ID.fullmatch(call_id):
        raise invalid(CALL_ID, "must be 1-32 hexadecimal digits")
    timeout = decode_timeout(headers.get(TIMEOUT, ""))
    return RequestHead(
        call_id, timeout, headers.get(CALLER, "")[:128], metadata.split(headers.get(METADATA, ""))
    )


def write_answer(error: SalonError | None, trailing: Pairs) -> dict[str, str]:
    """The headers of an answer. Raises SalonError RESOURCE_EXHAUSTED when the metadata is too long."""
    headers = {STATUS: str(int(error.code if error else Code.OK))}
    if error:
        headers[MESSAGE] = encode_message(error.message)
    if trailing:
        headers[METADATA] = metadata.join(trailing)
    return headers


def read_answer(headers: Mapping[str, str]) -> tuple[SalonError | None, Pairs]:
    """Undo `write_answer`. Raises SalonError INTERNAL for what is no answer to a call."""
    try:
        code = Code(int(headers[STATUS]))
        trailing = metadata.split(headers.get(METADATA, ""))
    except (KeyError, ValueError, SalonError) as error:
        raise SalonError(Code.INTERNAL, "the answer's headers make no sense") from error
    return None if code is Code.OK else SalonError(code, decode_message(headers.get(MESSAGE, ""))), trailing
