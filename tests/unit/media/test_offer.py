import random
from contextlib import suppress

import pytest
import sdp_transform
from hypothesis import given, settings
from hypothesis import strategies as st
from salon.media.v1 import channel_pb2
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError
from salon_media.core.bundle import Fingerprint
from salon_media.core.offer import OfferedChannel, OfferedSend, OfferedSlot, read_offer
from unit.media.conftest import NAMES, Offers, read_vector

MICROPHONE = room_pb2.SOURCE_KIND_MICROPHONE
CAMERA = room_pb2.SOURCE_KIND_CAMERA
SCREEN = room_pb2.SOURCE_KIND_SCREEN
SCREEN_AUDIO = room_pb2.SOURCE_KIND_SCREEN_AUDIO
SPEECH = channel_pb2.SLOT_KIND_SPEECH
PROGRAMME = channel_pb2.SLOT_KIND_PROGRAMME
VIDEO = channel_pb2.SLOT_KIND_VIDEO
AUDIO_SLOTS = [(SPEECH, 0), (SPEECH, 1), (SPEECH, 2), (PROGRAMME, 0)]

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


def refusal(text: str) -> str:
    with pytest.raises(SalonError) as caught:
        read_offer(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith("offer: ")
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "sends", "video_slots"),
    [
        ("chromium_camera", [MICROPHONE, CAMERA], 9),
        ("chromium_all_sources", [MICROPHONE, SCREEN_AUDIO, CAMERA, SCREEN], 25),
        ("chromium_every_codec", [MICROPHONE, CAMERA], 4),
        ("chromium_viewer", [], 4),
        ("aiortc", [MICROPHONE, CAMERA], 9),
    ],
)
def test_sections_have_the_roles_of_the_convention(
    offers: Offers, name: str, sends: list[int], video_slots: int
) -> None:
    offer = read_offer(offers(name))
    assert [send.kind for send in offer.sends] == sends
    slots = [(slot.kind, slot.index) for slot in offer.slots]
    assert sorted(slots) == sorted(AUDIO_SLOTS + [(VIDEO, index) for index in range(video_slots)])
    assert offer.channel is not None
    assert offer.channel.port == 5000


def test_chromium_s_camera_has_layers_and_its_numbers(offers: Offers) -> None:
    camera = read_offer(offers("chromium_camera")).sends[1]
    assert camera.rids == ("l", "m", "h")
    (codec,) = camera.codecs
    assert (codec.name, codec.clock_rate, codec.payload_type, codec.rtx_payload_type) == (
        "vp8",
        90_000,
        96,
        97,
    )
    assert codec.feedback == ("nack", "nack pli", "ccm fir")
    assert camera.extensions["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"] == 10


def test_aiortc_s_camera_has_ssrcs(offers: Offers) -> None:
    offer = read_offer(offers("aiortc"))
    camera = sdp_transform.parse(offers("aiortc"))["media"][1]
    media, rtx = (int(number) for number in camera["ssrcGroups"][0]["ssrcs"].split())
    assert offer.sends[1].ssrcs == ((media, rtx),)
    assert offer.sends[1].rids == ()
    assert [item.algorithm for item in offer.transport.fingerprints] == ["sha-256", "sha-384", "sha-512"]


def test_firefox_has_its_fingerprint_at_session_level_and_ssrcs_for_layers(offers: Offers) -> None:
    offer = read_offer(offers("firefox_like"))
    assert offer.transport.ufrag == "9c2f4d1e"
    assert [item.algorithm for item in offer.transport.fingerprints] == ["sha-256"]
    microphone, camera = offer.sends
    assert microphone.extensions == {
        "urn:ietf:params:rtp-hdrext:ssrc-audio-level": 1,
        "urn:ietf:params:rtp-hdrext:sdes:mid": 3,
    }
    assert camera.rids == ("l", "m", "h")
    assert camera.ssrcs == ((1189623712, 2690433121), (3374016622, 402617717), (820316094, 4019387233))
    assert [(slot.kind, slot.index) for slot in offer.slots] == [(SPEECH, 0), (VIDEO, 0)]
    assert offer.channel == OfferedChannel("4", 5000, 1073741823)


def test_the_smallest_offer() -> None:
    offer = read_offer(offer_of(channel("0", "a=sctp-port:5000")))
    assert offer.sections == (OfferedChannel("0", 5000, 65536),)
    assert offer.transport.fingerprints == (Fingerprint("sha-256", SHA256),)
    assert offer.transport.ufrag == "abcd"


def test_sections_keep_their_order() -> None:
    offer = read_offer(offer_of(video("v", "recvonly"), audio("a", "sendonly"), video("w", "sendonly")))
    kinds = [type(section) for section in offer.sections]
    assert kinds == [OfferedSlot, OfferedSend, OfferedSend]
    assert offer.channel is None


def test_a_session_wide_direction_counts_where_a_section_has_none() -> None:
    section = [line for line in audio("0", "recvonly") if line != "a=recvonly"]
    offer = read_offer(offer_of(section, head=HEAD + "a=recvonly\n"))
    assert offer.slots[0].kind == SPEECH


def test_a_lone_rid_is_one_layer() -> None:
    offer = read_offer(offer_of(video("0", "sendonly", "a=rid:q send")))
    assert offer.sends[0].rids == ("q",)


def test_a_paused_layer_is_a_layer() -> None:
    rids = ("a=rid:l send", "a=rid:h send", "a=simulcast:send l;~h")
    assert read_offer(offer_of(video("0", "sendonly", *rids))).sends[0].rids == ("l", "h")


def test_extension_ids_beyond_one_byte_headers_are_left_out() -> None:
    section = audio(
        "0", "sendonly", "a=extmap:15 urn:x", "a=extmap:9/recvonly urn:y", "a=extmap:8/sendonly urn:z"
    )
    assert read_offer(offer_of(section)).sends[0].extensions == {
        "urn:ietf:params:rtp-hdrext:sdes:mid": 4,
        "urn:z": 8,
    }


def test_rtx_of_another_codec_is_not_taken() -> None:
    section = [line.replace("apt=96", "apt=98") for line in video("0", "recvonly")]
    assert read_offer(offer_of(section)).slots[0].codecs[0].rtx_payload_type is None


def test_feedback_for_every_payload_type_counts() -> None:
    section = video("0", "recvonly", "a=rtcp-fb:* nack pli", "a=rtcp-fb:97 nack", "a=rtcp-fb:odd")
    assert read_offer(offer_of(section)).slots[0].codecs[0].feedback == ("nack pli",)


def replaced(section: list[str], old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in section]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "has no media section"),
        (
            offer_of(*[audio(str(n), "sendonly") for n in range(3)]),
            "one sendonly audio too many, the limit is 2",
        ),
        (
            offer_of(*[audio(str(n), "recvonly") for n in range(5)]),
            "one recvonly audio too many, the limit is 4",
        ),
        (
            offer_of(*[video(str(n), "sendonly") for n in range(3)]),
            "one sendonly video too many, the limit is 2",
        ),
        (
            offer_of(*[video(str(n), "recvonly") for n in range(26)]),
            "one recvonly video too many, the limit is 25",
        ),
        (offer_of(audio("0", "sendrecv")), "section 0 (line 10) must be sendonly or recvonly, not sendrecv"),
        (offer_of([line for line in audio("0", "x") if line != "a=x"]), "recvonly, not sendrecv"),
        (offer_of(audio("0", "inactive")), "must be sendonly or recvonly, not inactive"),
        (offer_of(replaced(audio("0", "sendonly"), "audio 9", "audio 0")), "is rejected (port 0)"),
        (
            offer_of(replaced(audio("0", "sendonly"), "m=audio", "m=text")),
            "must be audio, video or application",
        ),
        (offer_of(replaced(audio("0", "sendonly"), "SAVPF", "SAVP")), "must use UDP/TLS/RTP/SAVPF"),
        (offer_of(replaced(audio("0", "sendonly"), "rtcp-mux", "x")), "needs a=rtcp-mux"),
        (offer_of(replaced(audio("0", "sendonly"), "mid:0", "x")), "needs a=mid"),
        (offer_of(replaced(audio("0", "sendonly"), "mid:0", "mid:" + "x" * 17)), "needs a=mid"),
        (offer_of(audio("0", "sendonly"), audio("0", "recvonly")), "uses one a=mid for two sections"),
        (offer_of(audio("0", "sendonly")).replace("BUNDLE 0", "BUNDLE 1"), "must have one a=group:BUNDLE"),
        (offer_of(audio("0", "sendonly")).replace("BUNDLE 0", "LS 0"), "must have one a=group:BUNDLE"),
        (offer_of(audio("0", "sendonly"), channel("1", "a=sctp-port:1")).replace("E 0 1", "E 1 0"), "BUNDLE"),
        (offer_of(audio("0", "sendonly"), head=HEAD.replace("actpass", "passive")), "needs a=setup:actpass"),
        (offer_of(audio("0", "sendonly"), head=HEAD.replace("a=setup", "a=x")), "needs a=setup:actpass"),
        (offer_of(audio("0", "sendonly"), head=HEAD.replace("ice-ufrag", "x")), "needs a=ice-ufrag"),
        (offer_of(audio("0", "sendonly"), head=HEAD.replace("abcd", "abc")), "line 5 has no valid ice-ufrag"),
        (
            offer_of(audio("0", "sendonly"), head=HEAD.replace("p" * 22, "p" * 21)),
            "line 6 has no valid ice-pwd",
        ),
        (
            offer_of(audio("0", "sendonly"), head=HEAD.replace("sha-256", "sha-1")),
            "one to three a=fingerprint",
        ),
        (
            offer_of(audio("0", "sendonly"), head=HEAD.replace("AB:AB:", "AB:", 1)),
            "line 7 must have 32 bytes",
        ),
        (
            offer_of(audio("0", "sendonly"), head=HEAD.replace("AB:AB:", "AB:XX:", 1)),
            "line 7 must have 32 bytes",
        ),
        (
            offer_of(replaced(audio("0", "sendonly"), "a=extmap", "a=x")),
            "needs a=ssrc or the header extension",
        ),
        (offer_of(audio("0", "sendonly", "a=extmap:x y")), "is no valid a=extmap"),
        (offer_of(audio("0", "sendonly", "a=extmap:4 urn:x")), "uses the extension id 4 twice"),
        (offer_of(audio("0", "sendonly", "a=ssrc:x y")), "is no valid a=ssrc"),
        (offer_of(audio("0", "sendonly", f"a=ssrc:{2**32} y")), "is no valid a=ssrc"),
        (
            offer_of(audio("0", "sendonly", *[f"a=ssrc:{n} y" for n in range(9)])),
            "declares 9 SSRCs, the limit is 8",
        ),
        (
            offer_of(audio("0", "sendonly", "a=ssrc-group:FID 1 2")),
            "groups SSRCs that a=ssrc does not declare",
        ),
        (
            offer_of(audio("0", "sendonly", "a=ssrc:7 c:x"), video("1", "sendonly", "a=ssrc:7 c:x")),
            "declares the SSRC 7 twice",
        ),
        (offer_of(replaced(audio("0", "sendonly"), "opus/48000/2", "PCMU/8000")), "must offer opus/48000/2"),
        (offer_of(replaced(video("0", "sendonly"), "VP8", "H264")), "must offer vp8/90000"),
        (offer_of(replaced(audio("0", "sendonly"), "111", "72")), "must offer opus/48000/2"),
        (offer_of(audio("0", "sendonly", "a=rtpmap:200 x/1")), "is no valid a=rtpmap"),
        (offer_of(video("0", "sendonly", "a=simulcast:recv l")), "must be a=simulcast:send"),
        (
            offer_of(video("0", "sendonly", "a=simulcast:send l;m")),
            "needs one a=rid:<id> send for each layer",
        ),
        (
            offer_of(video("0", "sendonly", "a=rid:l send", "a=simulcast:send l;l")),
            "needs one a=rid:<id> send",
        ),
        (
            offer_of(video("0", "sendonly", "a=rid:l send", "a=simulcast:send l,m")),
            "needs one a=rid:<id> send",
        ),
        (offer_of(video("0", "sendonly", *[f"a=rid:{n} send" for n in range(4)])), "has 4 simulcast layers"),
        (offer_of(channel("0")), "needs a=sctp-port"),
        (offer_of(channel("0", "a=sctp-port:0")), "must have a number from 1 to 65535"),
        (offer_of(channel("0", "a=sctp-port:x")), "must have a number from 1 to 65535"),
        (offer_of(channel("0", "a=sctp-port:5000", "a=max-message-size:99999999999")), "must have a number"),
        (
            offer_of(replaced(channel("0", "a=sctp-port:1"), "webrtc-datachannel", "5000")),
            "must be UDP/DTLS/SCTP",
        ),
        (
            offer_of(channel("0", "a=sctp-port:1"), channel("1", "a=sctp-port:1")),
            "is a second application section",
        ),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_a_damaged_offer_is_read_or_refused(name: str, seed: int) -> None:
    chance = random.Random(seed)
    lines = read_vector(name).split("\r\n")[: chance.choice([20, 60, 10_000])]
    for _ in range(chance.randint(1, 4)):
        position = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del lines[position:]
            case 1:
                lines.insert(position, chance.choice(lines))
            case 2:
                cut = chance.randint(0, len(lines[position]))
                lines[position] = lines[position][:cut] + chance.choice(
                    ["", ":", " ", "9" * 40, "\u00e9", "/", ";"]
                )
            case _:
                del lines[position]
        if not lines:
            break
    with suppress(SalonError):
        read_offer("\r\n".join(lines))
