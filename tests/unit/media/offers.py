"""Small offers built from sections, to be damaged one line at a time."""

import pytest
from salon_common.errors import Code, SalonError
from salon_media.core.offer import read_offer

SHA256 = ":".join(["AB"] * 32)
HEAD = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=ice-ufrag:abcd
a=ice-pwd:{"p" * 22}
a=fingerprint:sha-256 {SHA256}
a=setup:actpass
"""


def audio(mid: str, direction: str, *more: str) -> list[str]:
    return [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=rtpmap:111 opus/48000/2",
        *more,
    ]


def video(mid: str, direction: str, *more: str) -> list[str]:
    return [
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        *more,
    ]


def channel(mid: str, *more: str) -> list[str]:
    return ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", f"a=mid:{mid}", *more]


def offer_of(*sections: list[str], head: str = HEAD) -> str:
    mids = [
        line.removeprefix("a=mid:") for section in sections for line in section if line.startswith("a=mid:")
    ]
    lines = [*head.splitlines(), f"a=group:BUNDLE {' '.join(mids)}"]
    return "\r\n".join([*lines, *(line for section in sections for line in section), ""])


def replaced(section: list[str], old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in section]


def refusal(text: str) -> str:
    with pytest.raises(SalonError) as caught:
        read_offer(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith("offer: ")
    return caught.value.message
