"""What a servicer sees of its call: the same object on every mount.

Offered: abort, invocation_metadata, set_trailing_metadata, time_remaining, peer, add_done_callback. The rest of gRPC's
interface says that no mount offers it.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Never

import grpc
import grpc.aio

from salon_common.errors import Code, SalonError
from salon_common.rpc import metadata
from salon_common.rpc.metadata import Pairs
from salon_common.rpc.status import from_grpc

_log = logging.getLogger(__name__)


class CallContext(grpc.aio.ServicerContext[Any, Any]):
    """One call, as its handler sees it."""

    def __init__(self, *, peer: str, invocation: Pairs = (), timeout: float = math.inf) -> None:
        self._peer = peer
        self.invocation = invocation
        """The caller's metadata."""
        self.exemplar: dict[str, str] | None = None
        """Leads from a measurement of the call to its trace."""
        self._loop = asyncio.get_running_loop()
        self.deadline = self._loop.time() + timeout
        self.trailing: Pairs = ()
        self._callbacks: list[Callable[[Any], None]] = []

    def invocation_metadata(self) -> grpc.aio.Metadata:
        """What the caller sent, in order, repeated keys included."""
        return grpc.aio.Metadata(*self.invocation)

    def set_trailing_metadata(
        self, trailing_metadata: grpc.aio.Metadata | Sequence[tuple[str, str | bytes]]
    ) -> None:
        """What the caller gets with the status, be it good or bad."""
        self.trailing = metadata.check(trailing_metadata)

    def time_remaining(self) -> float:
        """Seconds until the caller no longer waits; infinite when it waits for ever."""
        return max(0.0, self.deadline - self._loop.time())

    def peer(self) -> str:
        """Where the call came from: `ipv4:127.0.0.1:5678`, or `nats:` and the connection's name."""
        return self._peer

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have `callback(context)` called when the call is over, however it ended."""
        self._callbacks.append(callback)

    async def abort(
        self,
        code: grpc.StatusCode,
        details: str = "",
        trailing_metadata: grpc.aio.Metadata | Sequence[tuple[str, str | bytes]] = (),
    ) -> Never:
        """End the call with a status. Raises SalonError, as raising it oneself does."""
        if trailing_metadata:
            self.set_trailing_metadata(trailing_metadata)
        if code is grpc.StatusCode.OK:
            raise ValueError("a call that succeeds is not aborted")
        raise SalonError(from_grpc(code), details)

    def finish(self) -> None:
        """The call is over: the mounts' runner says so, once."""
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback(self)
            except Exception:  # noqa: BLE001 - a callback is a servicer's code; the others must run
                _log.exception("a callback at the end of a call failed")

    async def abort_with_status(self, status: grpc.Status) -> Never:
        """Not offered: statuses carry no details."""
        raise _not_offered("abort_with_status")

    async def read(self) -> Never:
        """Not offered: requests are arguments."""
        raise _not_offered("read")

    async def write(self, message: Any) -> Never:
        """Not offered: a streaming handler yields."""
        raise _not_offered("write")

    async def send_initial_metadata(self, initial_metadata: Any) -> Never:
        """Not offered: NATS has no beginning of an answer."""
        raise _not_offered("send_initial_metadata")

    def set_code(self, code: grpc.StatusCode) -> Never:
        """Not offered: raise SalonError."""
        raise _not_offered("set_code")

    def set_details(self, details: str) -> Never:
        """Not offered: raise SalonError."""
        raise _not_offered("set_details")

    def set_compression(self, compression: grpc.Compression) -> Never:
        """Not offered: messages are small."""
        raise _not_offered("set_compression")

    def disable_next_message_compression(self) -> Never:
        """Not offered: messages are not compressed."""
        raise _not_offered("disable_next_message_compression")

    def peer_identities(self) -> Iterable[bytes] | None:
        """Not offered: callers prove themselves by tokens."""
        raise _not_offered("peer_identities")

    def peer_identity_key(self) -> str | None:
        """Not offered: callers prove themselves by tokens."""
        raise _not_offered("peer_identity_key")

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Not offered: callers prove themselves by tokens."""
        raise _not_offered("auth_context")


def _not_offered(name: str) -> SalonError:
    return SalonError(Code.UNIMPLEMENTED, f"context.{name} is not offered: see salon_common.rpc.context")
