import asyncio
from contextlib import suppress

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from salon_media.core.bundle import Fingerprint
from salon_media.dtls import (
    MAX_DATAGRAM,
    MAX_WAITING,
    DatagramPort,
    NodeCertificate,
    NodeDtls,
    SrtpKeys,
    split_flight,
)

CERTIFICATE = NodeCertificate.generateCertificate()


def record(length: int) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + length.to_bytes(2, "big") + bytes(length)


@given(st.lists(st.integers(0, 1500), max_size=12))
def test_a_flight_is_split_between_records(lengths: list[int]) -> None:
    flight = b"".join(map(record, lengths))
    datagrams = list(split_flight(flight))
    assert b"".join(datagrams) == flight
    for datagram in datagrams:
        assert datagram
        first = 13 + int.from_bytes(datagram[11:13], "big")
        assert len(datagram) <= max(MAX_DATAGRAM, first)


def test_small_records_share_a_datagram() -> None:
    assert [len(datagram) for datagram in split_flight(record(500) * 5)] == [1026, 1026, 513]


def test_the_certificate_s_context_is_made_once() -> None:
    assert CERTIFICATE._create_ssl_context(SRTP_PROFILES) is CERTIFICATE._create_ssl_context(SRTP_PROFILES)
    assert len(CERTIFICATE.fingerprint) == 95


def test_keys_are_not_printed() -> None:
    assert repr(SrtpKeys(7, b"secret", b"salt", b"secret", b"salt")) == "SrtpKeys(profile=7)"


async def test_a_port_keeps_no_more_than_its_bound_and_nothing_empty() -> None:
    port = DatagramPort(lambda _: None)
    port.feed(b"")
    for number in range(MAX_WAITING + 5):
        port.feed(bytes([number]))
    assert [await port.receive() for _ in range(MAX_WAITING)] == [
        bytes([number]) for number in range(MAX_WAITING)
    ]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await port.receive()


async def test_a_closed_port_takes_and_sends_nothing() -> None:
    sent: list[bytes] = []
    port = DatagramPort(sent.append)
    port.send(b"a")
    port.close()
    port.send(b"b")
    port.feed(b"c")
    assert sent == [b"a"]


class Pair:
    """The node's side and a plain OpenSSL client, with nothing between them."""

    def __init__(self, profiles: bytes = b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM") -> None:
        certificate = NodeCertificate.generateCertificate()
        context = SSL.Context(SSL.DTLS_METHOD)
        context.use_certificate(certificate._cert)
        context.use_privatekey(certificate._key)
        if profiles:
            context.set_tlsext_use_srtp(profiles)
        self.fingerprint = Fingerprint("sha-256", certificate.fingerprint)
        self.client = SSL.Connection(context)
        self.client.set_connect_state()
        self.keys: list[SrtpKeys] = []
        self.sent: list[bytes] = []
        self.port = DatagramPort(self._to_client)
        self.node = NodeDtls(self.port, CERTIFICATE, self.keys.append)

    def _to_client(self, datagram: bytes) -> None:
        self.sent.append(datagram)
        self.client.bio_write(datagram)
        self.turn()

    def turn(self) -> None:
        """Let the client do what it can."""
        with suppress(SSL.Error):
            self.client.do_handshake()
        self.flush()

    def flush(self) -> None:
        try:
            flight = self.client.bio_read(0x4000)
        except SSL.Error:
            return
        for datagram in split_flight(flight):
            self.port.feed(datagram)

    async def connect(self, *fingerprints: Fingerprint) -> None:
        self.turn()
        await self.node.handshake(fingerprints or [self.fingerprint])


async def test_the_node_s_order_of_profiles_decides() -> None:
    pair = Pair()
    await pair.connect()
    (keys,) = pair.keys
    assert keys.profile == 7
    exported = pair.client.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)
    assert keys.client_key + keys.node_key + keys.client_salt + keys.node_salt == exported
    assert all(len(datagram) <= MAX_DATAGRAM for datagram in pair.sent)
    await pair.node.stop()


async def test_a_client_with_sha1_alone_gets_it() -> None:
    pair = Pair(b"SRTP_AES128_CM_SHA1_80")
    await pair.connect()
    assert (pair.keys[0].profile, len(pair.keys[0].client_salt)) == (1, 14)
    await pair.node.stop()


async def test_a_client_without_srtp_is_refused() -> None:
    pair = Pair(b"")
    with pytest.raises(ConnectionError):
        await pair.connect()
    assert pair.keys == []


async def test_another_certificate_than_the_offer_s_is_refused() -> None:
    pair = Pair()
    with pytest.raises(ConnectionError):
        await pair.connect(Fingerprint("sha-256", CERTIFICATE.fingerprint))
    assert pair.keys == []


async def test_garbage_ends_no_handshake() -> None:
    pair = Pair()
    for datagram in (
        b"\x16",
        b"\x16\xfe\xfd" + bytes(20),
        b"\x80" * 40,
        bytes(range(20, 64)),
        b"\x17" * 1400,
    ):
        pair.port.feed(datagram)
    await pair.connect()
    assert len(pair.keys) == 1
    await pair.node.stop()


class Receiver:
    """Takes the place of the SCTP transport."""

    def __init__(self, error: Exception | None = None) -> None:
        self.got: list[bytes] = []
        self.error = error

    async def _handle_data(self, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        self.got.append(data)


async def state_after(pair: Pair) -> str:
    closed = asyncio.Event()
    pair.node.on("statechange", closed.set)
    await asyncio.wait_for(closed.wait(), 5)
    return pair.node.state


async def test_all_records_of_a_datagram_are_read() -> None:
    pair = Pair()
    await pair.connect()
    receiver = Receiver()
    pair.node._register_data_receiver(receiver)
    for text in (b"one", b"two", b"three"):
        pair.client.send(text)
    pair.port.feed(pair.client.bio_read(0x4000))
    pair.client.shutdown()
    pair.flush()
    assert await state_after(pair) == "closed"
    assert receiver.got == [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    "error", [AssertionError(), UnicodeDecodeError("utf8", b"", 0, 1, "x"), ConnectionError()]
)
async def test_what_the_receiver_cannot_take_ends_the_session_alone(error: Exception) -> None:
    pair = Pair()
    await pair.connect()
    pair.node._register_data_receiver(Receiver(error))
    pair.client.send(b"x")
    pair.flush()
    assert await state_after(pair) == "closed"


async def test_a_client_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salon_media.dtls.HANDSHAKE_SECONDS", 0.01)
    pair = Pair()
    with pytest.raises(ConnectionError, match="took too long"):
        await pair.node.handshake([pair.fingerprint])
