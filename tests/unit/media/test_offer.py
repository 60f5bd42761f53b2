import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from salon.media.v1 import channel_pb2
from salon.rooms.v1 import room_pb2
from salon_common.errors import SalonError
from salon_media.core.bundle import Fingerprint
from salon_media.core.offer import OfferedChannel, OfferedSend, OfferedSlot, read_offer
from unit.media.conftest import NAMES, Offers, read_vector
from unit.media.offers import HEAD, SHA256, audio, channel, offer_of, refusal, replaced, video

MICROPHONE = room_pb2.SOURCE_KIND_MICROPHONE
CAMERA = room_pb2.SOURCE_KIND_CAMERA
SCREEN = room_pb2.SOURCE_KIND_SCREEN
SCREEN_AUDIO = room_pb2.SOURCE_KIND_SCREEN_AUDIO
SPEECH = channel_pb2.SLOT_KIND_SPEECH
PROGRAMME = channel_pb2.SLOT_KIND_PROGRAMME
VIDEO = channel_pb2.SLOT_KIND_VIDEO
AUDIO_SLOTS = [(SPEECH, 0), (SPEECH, 1), (SPEECH, 2), (PROGRAMME, 0)]


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
        (
            offer_of(replaced(audio("0", "sendonly"), "a=extmap", "a=x")),
            "needs a=ssrc or the header extension",
        ),
        (
            offer_of(audio("0", "sendonly", "a=ssrc:7 c:x"), video("1", "sendonly", "a=ssrc:7 c:x")),
            "declares the SSRC 7 twice",
        ),
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
