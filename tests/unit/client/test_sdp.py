from hypothesis import given
from hypothesis import strategies as st
from salon_client.core.sdp import Section, candidate_addresses, host_candidates, rtx_pairs, sections

ANSWER = """v=0\r
a=ice-lite\r
m=audio 9 UDP/TLS/RTP/SAVPF 96\r
a=sendonly\r
a=mid:0\r
a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\r
a=candidate:2 1 UDP 2130706430 192.0.2.7 4000 typ host\r
m=video 9 UDP/TLS/RTP/SAVPF 97 98\r
a=recvonly\r
a=mid:v1\r
a=ssrc-group:FID 1000 2000\r
a=ssrc:1000 cname:x\r
a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\r
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r
a=mid:2\r
"""


def test_sections_in_order_with_direction_and_mid() -> None:
    assert sections(ANSWER) == (
        Section("audio", "sendonly", "0"),
        Section("video", "recvonly", "v1"),
        Section("application", "sendrecv", "2"),
    )


def test_rtx_pairs_and_addresses() -> None:
    assert rtx_pairs(ANSWER) == {2000: 1000}
    assert candidate_addresses(ANSWER) == ("127.0.0.1", "192.0.2.7")


def test_host_candidates_are_each_given_once() -> None:
    assert host_candidates(ANSWER) == (
        "1 1 udp 2130706431 127.0.0.1 4000 typ host",
        "2 1 UDP 2130706430 192.0.2.7 4000 typ host",
    )


def test_line_ends_of_either_kind() -> None:
    assert sections(ANSWER.replace("\r\n", "\n")) == sections(ANSWER)


def test_nothing_in_nothing() -> None:
    assert sections("") == ()


@given(st.text())
def test_any_text_is_read_without_harm(text: str) -> None:
    sections(text)
    rtx_pairs(text)
    candidate_addresses(text)
