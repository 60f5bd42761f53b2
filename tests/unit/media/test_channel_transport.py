import pytest
from aiortc.rtcsctptransport import WEBRTC_BINARY, WEBRTC_DCEP, WEBRTC_STRING, DataChunk, ForwardTsnChunk
from salon_media.channel_transport import MAX_MISORDERED, RECEIVE_WINDOW, ChannelTransport
from salon_media.core.offer import OfferedChannel
from salon_media.dtls import DatagramPort, NodeCertificate, NodeDtls

CERTIFICATE = NodeCertificate.generateCertificate()
WHOLE, FIRST = 3, 2
"""Flags of a chunk that is a message, and of one that begins a message."""


class Channel:
    """An association whose peer is the test."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.messages: list[bytes] = []
        dtls = NodeDtls(DatagramPort(lambda _: None), CERTIFICATE, lambda _: None)
        self.transport = ChannelTransport(
            dtls,
            OfferedChannel("0", 5000, 65536),
            on_open=self._on_open,
            on_message=self.messages.append,
            on_closed=self._on_closed,
        )
        self.transport._last_received_tsn = 0
        self.transport._remote_port = 5000

    def _on_open(self) -> None:
        self.opened += 1

    def _on_closed(self) -> None:
        self.closed += 1

    async def receive(
        self,
        data: bytes,
        *,
        tsn: int = 1,
        sequence: int = 0,
        stream: int = 0,
        protocol: int = WEBRTC_BINARY,
        flags: int = WHOLE,
    ) -> None:
        chunk = DataChunk()
        chunk.flags, chunk.tsn, chunk.stream_id, chunk.stream_seq = flags, tsn, stream, sequence
        chunk.protocol, chunk.user_data = protocol, data
        await self.transport._receive_data_chunk(chunk)


@pytest.fixture
async def channel() -> Channel:
    return Channel()


async def test_binary_messages_arrive(channel: Channel) -> None:
    await channel.receive(b"hello")
    assert channel.messages == [b"hello"]


@pytest.mark.parametrize("protocol", [WEBRTC_STRING, WEBRTC_DCEP])
async def test_texts_and_new_channels_mean_nothing(channel: Channel, protocol: int) -> None:
    await channel.receive(b"\x03" + b"\xff" * 20, protocol=protocol)
    assert channel.messages == []
    assert len(channel.transport._data_channels) == 1


async def test_another_stream_is_refused(channel: Channel) -> None:
    with pytest.raises(ConnectionError):
        await channel.receive(b"x", stream=1)
    skip = ForwardTsnChunk()
    skip.cumulative_tsn, skip.streams = 5, [(7, 0)]
    with pytest.raises(ConnectionError):
        await channel.transport._receive_forward_tsn_chunk(skip)
    assert list(channel.transport._inbound_streams) == []


async def test_a_message_that_never_ends_is_refused_at_the_window(channel: Channel) -> None:
    await channel.receive(b"x" * 1000, flags=FIRST)
    fits = RECEIVE_WINDOW // 1000
    for tsn in range(2, fits + 1):
        await channel.receive(b"x" * 1000, tsn=tsn, flags=0)
    with pytest.raises(ConnectionError):
        await channel.receive(b"x" * 1000, tsn=fits + 1, flags=0)


async def test_too_many_gaps_are_refused(channel: Channel) -> None:
    for number in range(MAX_MISORDERED):
        await channel.receive(b"", tsn=3 + 2 * number, sequence=1 + number)
    with pytest.raises(ConnectionError):
        await channel.receive(b"", tsn=3 + 2 * MAX_MISORDERED, sequence=1 + MAX_MISORDERED)


async def test_the_end_is_told_once(channel: Channel) -> None:
    channel.transport._set_state(channel.transport.State.ESTABLISHED)
    assert channel.opened == 1
    assert channel.transport.writable
    channel.transport._set_state(channel.transport.State.CLOSED)
    channel.transport._set_state(channel.transport.State.CLOSED)
    assert channel.closed == 1
    assert not channel.transport.writable
    channel.transport.send(b"late")


async def test_an_end_of_our_own_is_not_told(channel: Channel) -> None:
    channel.transport._set_state(channel.transport.State.ESTABLISHED)
    await channel.transport.stop()
    assert channel.closed == 0


async def test_a_client_that_acknowledges_nothing_is_not_written_to(channel: Channel) -> None:
    channel.transport._set_state(channel.transport.State.ESTABLISHED)
    sent = 0
    while channel.transport.writable:
        channel.transport.send(bytes(1000))
        sent += 1
    assert sent == 17
    await channel.transport.stop()
