"""One Join call as an iterator of its messages, that ends when told to and fails with `SalonError` alone."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import Code, SalonError

from salon_client.api import SignalingApi, to_salon_error

FIRST_SECONDS = 10.0
"""Until the first message."""
RESUMED_SECONDS = 5.0
"""The same for somebody who comes back, perhaps without media: another replica may answer sooner."""
SILENT_SECONDS = 40.0
"""Between messages: keepalives come each 15 s at least, so a longer silence means a dead stream."""


async def join_responses(
    api: SignalingApi, address: str, request: signaling_pb2.JoinRequest, interrupt: asyncio.Event
) -> AsyncIterator[signaling_pb2.JoinResponse]:
    """The messages until the server ends the stream or `interrupt` is set. Raises SalonError when it breaks."""
    call = api.stub(address).Join(request)
    interrupted = asyncio.ensure_future(interrupt.wait())
    patience = RESUMED_SECONDS if request.session_token else FIRST_SECONDS
    try:
        while True:
            read = asyncio.ensure_future(call.read())
            try:
                done, _ = await asyncio.wait(
                    {read, interrupted}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                )
                if interrupted in done:
                    return
                if not done:
                    raise SalonError(Code.UNAVAILABLE, f"{address} has said nothing for {patience:g} s")
                response = read.result()
            finally:
                read.cancel()
                await asyncio.gather(read, return_exceptions=True)
            if not isinstance(response, signaling_pb2.JoinResponse):
                return  # grpc.aio.EOF
            patience = SILENT_SECONDS
            yield response
    except grpc.aio.AioRpcError as error:
        raise to_salon_error(error) from None
    finally:
        interrupted.cancel()
        call.cancel()
