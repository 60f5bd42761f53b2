"""The data channel with one client: aiortc's SCTP over `NodeDtls`, kept to one negotiated channel and bounded memory.

Owns the association and its limits; what the messages mean is `core.channel`'s. Private names of aiortc are used here and in
`dtls` alone.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.exceptions import InvalidStateError
from aiortc.rtcsctptransport import (
    WEBRTC_BINARY,
    Chunk,
    DataChunk,
    ForwardTsnChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
)

from salon_media.core.answer import MAX_MESSAGE_SIZE
from salon_media.core.offer import OfferedChannel
from salon_media.dtls import NodeDtls

CHANNEL_LABEL: Final = "salon"
CHANNEL_ID: Final = 0
RECEIVE_WINDOW: Final = 4 * MAX_MESSAGE_SIZE
"""Bytes that may wait for the rest of their message (RFC 9260 section 3.3.2, a_rwnd)."""
MAX_MISORDERED: Final = 256
"""Chunks that may wait for an earlier one."""
MAX_BUFFERED: Final = 16 * 1024
"""Bytes that may wait for the client's acknowledgement; until then the node merges its messages."""


class ChannelTransport(RTCSctpTransport):
    """One association with the channel `salon` on stream 0."""

    def __init__(
        self,
        dtls: NodeDtls,
        offered: OfferedChannel,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_closed: Callable[[], None],
    ) -> None:
        super().__init__(dtls, port=offered.port)
        self._advertised_rwnd = RECEIVE_WINDOW
        self._offered = offered
        self._on_message = on_message
        self._on_closed = on_closed
        self._ended = False
        parameters = RTCDataChannelParameters(label=CHANNEL_LABEL, negotiated=True, id=CHANNEL_ID)
        self._channel = RTCDataChannel(self, parameters)
        self._channel.on("open", on_open)

    async def open(self) -> None:
        """Begin the association."""
        await self.start(RTCSctpCapabilities(self._offered.max_message_size), self._offered.port)

    @property
    def writable(self) -> bool:
        """Whether a message would leave soon."""
        return self._channel.readyState == "open" and self._channel.bufferedAmount <= MAX_BUFFERED

    def send(self, message: bytes) -> None:
        """Send one message; dropped when the channel has just closed."""
        try:
            self._channel.send(message)
        except InvalidStateError:
            return

    async def stop(self) -> None:
        """Abort the association, which tells the client at once."""
        self._ended = True
        await super().stop()

    async def _send_chunk(self, chunk: Chunk) -> None:
        """Timers may still want to send when DTLS has just closed."""
        with suppress(ConnectionError):
            await super()._send_chunk(chunk)

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        """Binary messages of the one channel; no other channel can be opened (RFC 8832), and texts mean nothing here."""
        if stream_id == CHANNEL_ID and pp_id == WEBRTC_BINARY:
            self._on_message(data)

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        if chunk.stream_id != CHANNEL_ID:
            raise ConnectionError("the client used another stream than the channel's")
        await super()._receive_data_chunk(chunk)
        if self._advertised_rwnd < 0 or len(self._sack_misordered) > MAX_MISORDERED:
            raise ConnectionError("the client sent beyond the receive window")

    async def _receive_forward_tsn_chunk(self, chunk: ForwardTsnChunk) -> None:
        if any(stream_id != CHANNEL_ID for stream_id, _ in chunk.streams):
            raise ConnectionError("the client used another stream than the channel's")
        await super()._receive_forward_tsn_chunk(chunk)

    def _set_state(self, state: RTCSctpTransport.State) -> None:
        super()._set_state(state)
        if state is self.State.CLOSED and not self._ended:
            self._ended = True
            self._on_closed()
