"""Which private names of aiortc the node leans on. When this fails after an upgrade, `dtls` and `channel_transport` need care."""

import inspect
from importlib.metadata import version

import pytest
from aiortc import RTCCertificate, RTCDataChannel, rtcsctptransport
from aiortc.rtcdtlstransport import RTCDtlsTransport, SRTPProtectionProfile, State
from aiortc.rtcsctptransport import RTCSctpTransport
from salon_media.dtls import DatagramPort, NodeCertificate, NodeDtls

PINNED = "1.16.0"


def test_the_pinned_version_is_installed() -> None:
    assert version("aiortc") == PINNED, "read the changes to the private names below, then change the pin"


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (RTCCertificate, "_create_ssl_context", ["self", "srtp_profiles"]),
        (RTCDtlsTransport, "_do_handshake", ["self"]),
        (RTCDtlsTransport, "_setup_srtp", ["self"]),
        (RTCDtlsTransport, "_recv_next", ["self"]),
        (RTCDtlsTransport, "_write_ssl", ["self"]),
        (RTCDtlsTransport, "_send_data", ["self", "data"]),
        (RTCDtlsTransport, "_set_role", ["self", "role"]),
        (RTCDtlsTransport, "_set_state", ["self", "state"]),
        (RTCDtlsTransport, "_register_data_receiver", ["self", "receiver"]),
        (RTCDtlsTransport, "_unregister_data_receiver", ["self", "receiver"]),
        (RTCDtlsTransport, "_validate_peer_identity", ["self", "remoteParameters"]),
        (RTCSctpTransport, "_handle_data", ["self", "data"]),
        (RTCSctpTransport, "_send_chunk", ["self", "chunk"]),
        (RTCSctpTransport, "_receive", ["self", "stream_id", "pp_id", "data"]),
        (RTCSctpTransport, "_receive_data_chunk", ["self", "chunk"]),
        (RTCSctpTransport, "_receive_forward_tsn_chunk", ["self", "chunk"]),
        (RTCSctpTransport, "_set_state", ["self", "state"]),
        (SRTPProtectionProfile, "get_key_and_salt", ["self", "src", "idx"]),
    ],
)
def test_methods_that_are_called_or_replaced(owner: type, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_the_handshake_uses_what_is_replaced() -> None:
    start = inspect.getsource(RTCDtlsTransport.start)
    for used in (
        "_create_ssl_context(",
        "_do_handshake()",
        "_validate_peer_identity(",
        "_setup_srtp()",
        "self.__run()",
    ):
        assert used in start
    assert "self._recv_next()" in inspect.getsource(RTCDtlsTransport._do_handshake)
    assert "self._write_ssl()" in inspect.getsource(RTCDtlsTransport._send_data)


async def test_attributes_of_a_dtls_transport() -> None:
    dtls = NodeDtls(DatagramPort(lambda _: None), NodeCertificate.generateCertificate(), lambda _: None)
    assert (dtls._role, dtls._state, dtls.state, dtls.encrypted) == ("server", State.NEW, "new", False)
    assert dtls._ssl is None
    assert dtls._data_receiver is None
    assert [profile.openssl_profile for profile in dtls._srtp_profiles] == [
        b"SRTP_AEAD_AES_128_GCM",
        b"SRTP_AEAD_AES_256_GCM",
        b"SRTP_AES128_CM_SHA1_80",
    ]


async def test_attributes_of_an_sctp_transport() -> None:
    dtls = NodeDtls(DatagramPort(lambda _: None), NodeCertificate.generateCertificate(), lambda _: None)
    sctp = RTCSctpTransport(dtls)
    assert sctp._advertised_rwnd == 1024 * 1024
    assert sctp._sack_misordered == set()
    assert sctp.State.CLOSED is RTCSctpTransport.State.CLOSED
    assert rtcsctptransport.WEBRTC_BINARY == 53
    assert "bufferedAmount" in vars(RTCDataChannel)
