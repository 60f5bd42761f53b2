"""Limits that hold on every mount alike, and what a caller who exceeds one is told."""

from salon_common.errors import Code, SalonError

MAX_MESSAGE = 512 * 1024
"""Bytes of a request or answer: half of what NATS carries, so that headers always fit."""
MAX_METADATA = 8 * 1024
"""Bytes of a call's metadata, encoded, one way: what gRPC allows by default."""
MAX_UNARY = 1024
"""Unary handlers that run at once on one mount."""
MAX_STREAMS = 10_000
"""Streams that are open at once on one mount."""


def too_large(what: str, size: int, limit: int = MAX_MESSAGE, *, at_least: bool = False) -> SalonError:
    """RESOURCE_EXHAUSTED that names the size and the limit."""
    counted = f"at least {size}" if at_least else str(size)
    return SalonError(Code.RESOURCE_EXHAUSTED, f"{what}: {counted} bytes, the limit is {limit}")


def check_size(what: str, size: int, limit: int = MAX_MESSAGE) -> None:
    """Raises SalonError RESOURCE_EXHAUSTED when `size` is over the limit."""
    if size > limit:
        raise too_large(what, size, limit)
