"""DTLS with one client (RFC 5764): aiortc's transport, fed with the datagrams that the engine passes on.

Owns the handshake, the export of SRTP keys and the encryption of the data channel. The engine owns sockets and SRTP. Every
private name of aiortc that Salon leans on is used in this module or in `channel_transport`, and
tests/unit/media/test_aiortc_contract.py fails when an upgrade changes one.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
)
from OpenSSL import SSL

from salon_media.core.bundle import Fingerprint

_log = logging.getLogger(__name__)

HANDSHAKE_SECONDS: Final = 15.0
MAX_DATAGRAM: Final = 1200
"""Bytes of a datagram with DTLS handshake records: fits every path that WebRTC runs on."""
MAX_WAITING: Final = 64
"""Datagrams that may wait for the event loop; a client's burst beyond it is lost, as on the network."""

_DTLS_1_2: Final = 0xFEFD
_RECORD_HEADER: Final = 13
"""Bytes before a record's fragment (RFC 6347 section 4.1); the last two are its length."""
_PROFILES: Final = {
    SRTP_AEAD_AES_128_GCM.openssl_profile: (7, SRTP_AEAD_AES_128_GCM),
    SRTP_AEAD_AES_256_GCM.openssl_profile: (8, SRTP_AEAD_AES_256_GCM),
    SRTP_AES128_CM_SHA1_80.openssl_profile: (1, SRTP_AES128_CM_SHA1_80),
}
"""By OpenSSL's name: IANA's number and the lengths, in the node's order of preference, which decides."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What the handshake gave (RFC 5764 section 4.2). The client of DTLS is the client."""

    profile: int
    client_key: bytes
    client_salt: bytes
    node_key: bytes
    node_salt: bytes

    def __repr__(self) -> str:
        return f"SrtpKeys(profile={self.profile})"


class NodeCertificate(RTCCertificate):
    """The node's certificate for the life of the process, with the one TLS context that all its sessions share."""

    _context: SSL.Context | None = None

    @property
    def fingerprint(self) -> str:
        """Its SHA-256, as SDP writes it."""
        return next(item.value for item in self.getFingerprints() if item.algorithm == "sha-256")

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            context = super()._create_ssl_context(srtp_profiles)
            # Sessions are never resumed, and a cache would keep 1000s of them. DTLS 1.3 is untested with browsers.
            context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
            context.set_min_proto_version(_DTLS_1_2)
            context.set_max_proto_version(_DTLS_1_2)
            context.set_options(SSL.OP_NO_QUERY_MTU)
            self._context = context
        return self._context


class DatagramPort:
    """Takes the place of aiortc's ICE transport: datagrams in by a bounded queue, out by a callback."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._closed = False

    def feed(self, datagram: bytes) -> None:
        """A datagram came in. Empty ones say nothing; those beyond the bound are lost."""
        if datagram and not self._closed and not self._waiting.full():
            self._waiting.put_nowait(datagram)

    def close(self) -> None:
        """Nothing comes in or goes out any more."""
        self._closed = True

    async def receive(self) -> bytes:
        """The next datagram. Whoever waits is cancelled when the session ends."""
        return await self._waiting.get()

    def send(self, datagram: bytes) -> None:
        """Send one datagram to the client."""
        if not self._closed:
            self._send(datagram)


class NodeDtls(RTCDtlsTransport):
    """The server's side of one client's DTLS."""

    def __init__(
        self, port: DatagramPort, certificate: NodeCertificate, on_keys: Callable[[SrtpKeys], None]
    ) -> None:
        super().__init__(port, [certificate])  # type: ignore[arg-type] # all that it asks of an ICE transport
        self._port = port
        self._on_keys = on_keys
        self._srtp_profiles = [profile for _, profile in _PROFILES.values()]
        self._set_role("server")

    async def handshake(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Complete the handshake with the client whose certificate has these fingerprints.

        Raises ConnectionError when it fails or takes longer than HANDSHAKE_SECONDS.
        """
        expected = [RTCDtlsFingerprint(item.algorithm, item.value) for item in fingerprints]
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await self.start(RTCDtlsParameters(fingerprints=expected))
        except TimeoutError:
            raise ConnectionError("the DTLS handshake took too long") from None
        except SSL.Error:
            raise ConnectionError("the DTLS handshake failed") from None
        if self._state is not State.CONNECTED:
            raise ConnectionError("the DTLS handshake failed")

    async def _do_handshake(self) -> None:
        """With handshake messages cut to fit a datagram; a memory BIO knows no path to ask (OP_NO_QUERY_MTU)."""
        assert self._ssl is not None  # made by `start`, which calls this
        self._ssl.set_ciphertext_mtu(MAX_DATAGRAM)
        await super()._do_handshake()

    def _setup_srtp(self) -> None:
        """Instead of making SRTP sessions here, hand the keys over."""
        assert self._ssl is not None  # made by `start`, which calls this
        chosen = _PROFILES.get(self._ssl.get_selected_srtp_profile())
        if chosen is None:
            self._set_state(State.FAILED)
            return
        number, profile = chosen
        length, salt_length = profile.key_length, profile.salt_length
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (length + salt_length))
        client, node = profile.get_key_and_salt(material, 0), profile.get_key_and_salt(material, 1)
        self._on_keys(SrtpKeys(number, client[:length], client[length:], node[:length], node[length:]))

    async def _recv_next(self) -> None:
        """One datagram, all its records: aiortc reads one record each and would keep the others for the next."""
        assert self._ssl is not None  # made by `start`, which calls this
        timeout = None if self.encrypted else self._ssl.DTLSv1_get_timeout()
        try:
            async with asyncio.timeout(timeout):
                datagram = await self._port.receive()
        except TimeoutError:
            self._ssl.DTLSv1_handle_timeout()
            await self._write_ssl()
            return
        # RFC 7983 section 7: the engine passes 20-63 on; anything else is no DTLS.
        if not 20 <= datagram[0] <= 63:
            return
        self._ssl.bio_write(datagram)
        messages, closed = self._read_records(self._ssl)
        await self._write_ssl()
        for message in messages:
            if self._data_receiver is not None:
                await self._deliver(message)
        if closed:
            raise ConnectionError("the client closed")

    @staticmethod
    def _read_records(connection: SSL.Connection) -> tuple[list[bytes], bool]:
        messages: list[bytes] = []
        while True:
            try:
                messages.append(connection.recv(0x4000))
            except SSL.ZeroReturnError:
                return messages, True
            except SSL.Error:
                return messages, False

    async def _deliver(self, message: bytes) -> None:
        assert self._data_receiver is not None
        try:
            await self._data_receiver._handle_data(message)  # noqa: SLF001 - how aiortc's two transports meet
        except ConnectionError:
            raise
        except Exception as error:
            # The association's parser asserts and decodes what an authenticated client sent: its fault ends its session alone.
            _log.info("a client's SCTP packet was refused", extra={"reason": repr(error)[:200]})
            raise ConnectionError("the client broke the SCTP association") from error

    async def _write_ssl(self) -> None:
        """Everything OpenSSL has to say, split between records: aiortc sends the first 1500 bytes as one datagram."""
        assert self._ssl is not None
        flight = bytearray()
        while True:
            try:
                flight += self._ssl.bio_read(0x4000)
            except SSL.Error:
                break
        for datagram in split_flight(bytes(flight)):
            self._port.send(datagram)


def split_flight(flight: bytes) -> Iterator[bytes]:
    """Pack whole DTLS records into datagrams of at most MAX_DATAGRAM bytes; a longer record goes alone."""
    start = end = 0
    while end < len(flight):
        following = end + _RECORD_HEADER + int.from_bytes(flight[end + 11 : end + 13], "big")
        if following - start > MAX_DATAGRAM and end > start:
            yield flight[start:end]
            start = end
        end = following
    if start < len(flight):
        yield flight[start:]
