import itertools
from typing import Any

import pytest
import sdp_transform
from aiortc import RTCPeerConnection, RTCSessionDescription
from salon.rooms.v1 import room_pb2
from salon_media.core.answer import NodeTransport, make_answer
from salon_media.core.offer import read_offer
from salon_media.core.session_spec import IceCredentials, SessionSpec, make_session_spec
from unit.media.conftest import Offers
from unit.media.offers import audio, channel, offer_of, video

FINGERPRINT = ":".join(["0F"] * 32)
TRANSPORT = NodeTransport(("192.0.2.7", "2001:db8::7"), 5004, FINGERPRINT)
SPEAKER = room_pb2.Participant(
    role=room_pb2.ROLE_SPEAKER,
    sources=[
        room_pb2.Source(kind=room_pb2.SOURCE_KIND_MICROPHONE, number=4),
        room_pb2.Source(kind=room_pb2.SOURCE_KIND_CAMERA, number=5),
        room_pb2.Source(kind=room_pb2.SOURCE_KIND_SCREEN, number=6),
        room_pb2.Source(kind=room_pb2.SOURCE_KIND_SCREEN_AUDIO, number=7),
    ],
)


def answered(
    text: str, transport: NodeTransport = TRANSPORT, *, uplink_bps: int = 0
) -> tuple[str, SessionSpec]:
    offer = read_offer(text)
    spec = make_session_spec(
        offer,
        SPEAKER,
        session=3,
        room=1,
        ice=IceCredentials("ufrag+12", "p" * 24),
        random_ssrcs=itertools.count(1000),
    )
    return make_answer(offer, spec, transport, uplink_bps=uplink_bps), spec


def media_of(answer: str) -> list[dict[str, Any]]:
    media: list[dict[str, Any]] = sdp_transform.parse(answer)["media"]
    return media


def test_sections_are_mirrored(any_offer: str) -> None:
    answer, _ = answered(any_offer)
    assert "a=ice-lite\r\n" in answer.split("m=")[0]
    offered, answers = sdp_transform.parse(any_offer), sdp_transform.parse(answer)
    assert answers["groups"] == offered["groups"]
    opposite = {"sendonly": "recvonly", "recvonly": "sendonly"}
    for theirs, ours in zip(offered["media"], answers["media"], strict=True):
        assert (ours["type"], ours["mid"]) == (theirs["type"], theirs["mid"])
        if theirs["type"] != "application":
            assert ours["direction"] == opposite[theirs["direction"]]
            assert ours["rtcpMux"] == "rtcp-mux"
            assert ours["rtcpRsize"] == "rtcp-rsize"


def test_every_section_repeats_the_transport(any_offer: str) -> None:
    answer, spec = answered(any_offer)
    for media in media_of(answer):
        assert (media["iceUfrag"], media["icePwd"]) == (spec.local_ufrag, spec.local_pwd)
        assert media["fingerprint"] == {"type": "sha-256", "hash": FINGERPRINT}
        assert media["setup"] == "passive"
        assert [(c["ip"], c["port"], c["type"]) for c in media["candidates"]] == [
            ("192.0.2.7", 5004, "host"),
            ("2001:db8::7", 5004, "host"),
        ]
        assert media["candidates"][0]["priority"] > media["candidates"][1]["priority"]
        assert media["endOfCandidates"] == "end-of-candidates"


def test_only_known_codecs_extensions_and_feedback_are_answered(offers: Offers) -> None:
    answer, _ = answered(offers("chromium_every_codec"))
    microphone, camera, *slots = media_of(answer)
    assert [item["codec"] for item in microphone["rtp"]] == ["opus"]
    assert [item["codec"] for item in camera["rtp"]] == ["VP8", "rtx"]
    assert camera["fmtp"][0]["config"] == f"apt={camera['rtp'][0]['payload']}"
    assert [(item["type"], item.get("subtype")) for item in camera["rtcpFb"]] == [
        ("nack", None),
        ("nack", "pli"),
        ("ccm", "fir"),
    ]
    assert {item["uri"].rsplit(":")[-1] for item in microphone["ext"]} == {"mid", "ssrc-audio-level"}
    uris = {item["uri"].rsplit(":")[-1] for item in camera["ext"]}
    assert uris == {"mid", "rtp-stream-id", "repaired-rtp-stream-id"}
    assert camera["simulcast"] == {"dir1": "recv", "list1": "l;m;h"}
    assert [item["direction"] for item in camera["rids"]] == ["recv"] * 3
    assert all("ext" not in slot for slot in slots)


def test_each_slot_is_a_stream_of_its_own(offers: Offers) -> None:
    answer, spec = answered(offers("chromium_camera"))
    slots = [media for media in media_of(answer) if media.get("direction") == "sendonly"]
    assert [media["msid"] for media in slots][:5] == [
        "slot-speech-0 slot-speech-0",
        "slot-speech-1 slot-speech-1",
        "slot-speech-2 slot-speech-2",
        "slot-programme-0 slot-programme-0",
        "slot-video-0 slot-video-0",
    ]
    for media, slot in zip(slots, spec.slots, strict=True):
        ssrcs = [item["id"] for item in media["ssrcs"]]
        assert ssrcs == [ssrc for ssrc in (slot.ssrc, slot.rtx_ssrc) if ssrc is not None]
        assert all(item["value"] == spec.cname for item in media["ssrcs"])
        if slot.rtx_ssrc is not None:
            assert media["ssrcGroups"] == [{"semantics": "FID", "ssrcs": f"{slot.ssrc} {slot.rtx_ssrc}"}]


def test_a_slot_without_rtx_is_not_told_to_ask_again() -> None:
    plain = [line.replace("apt=96", "apt=98") for line in video("0", "recvonly", "a=rtcp-fb:96 nack")]
    answer, spec = answered(offer_of([*plain, "a=rtcp-fb:96 nack pli"]))
    assert spec.slots[0].rtx_ssrc is None
    assert [item.get("subtype") for item in media_of(answer)[0]["rtcpFb"]] == ["pli"]
    assert "ssrc-group" not in answer


def test_programme_is_stereo_and_speech_is_not() -> None:
    sections = [audio(str(n), "recvonly") for n in range(4)] + [audio(f"s{n}", "sendonly") for n in range(2)]
    fmtp = [media["fmtp"][0]["config"] for media in media_of(answered(offer_of(*sections))[0])]
    assert ["stereo=1" in config for config in fmtp] == [False, False, False, True, False, True]


def test_the_channel_names_what_the_node_takes() -> None:
    (media,) = media_of(answered(offer_of(channel("0", "a=sctp-port:5001")))[0])
    assert (media["sctpPort"], media["maxMessageSize"]) == (5001, 16384)


def test_an_ipv6_node_says_so() -> None:
    answer, _ = answered(offer_of(audio("0", "recvonly")), NodeTransport(("2001:db8::7",), 5004, FINGERPRINT))
    assert "c=IN IP6 2001:db8::7\r\n" in answer


async def test_aiortc_accepts_the_answer_to_its_offer() -> None:
    pc = RTCPeerConnection()
    pc.createDataChannel("salon", negotiated=True, id=0)
    pc.addTransceiver("video", direction="sendonly")
    for _ in range(4):
        pc.addTransceiver("audio", direction="recvonly")
    pc.addTransceiver("video", direction="recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    answer, spec = answered(pc.localDescription.sdp)
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    assert [transceiver.currentDirection for transceiver in pc.getTransceivers()] == ["sendonly"] + [
        "recvonly"
    ] * 5
    assert len(spec.slots) == 5
    await pc.close()


@pytest.mark.parametrize("name", ["chromium_all_sources"])
def test_an_answer_is_no_longer_than_a_message_may_be(offers: Offers, name: str) -> None:
    assert len(answered(offers(name))[0]) < 32 * 1024


@pytest.mark.parametrize(
    ("uplink_bps", "start"), [(1, 100), (99_999, 100), (1_234_567, 1234), (2**64 - 1, 4000)]
)
def test_video_that_is_sent_starts_at_what_the_uplink_carried(
    offers: Offers, uplink_bps: int, start: int
) -> None:
    offer = offers("chromium_camera")
    answer, spec = answered(offer, uplink_bps=uplink_bps)
    (camera,) = [send for send in spec.sends if send.kind == room_pb2.SOURCE_KIND_CAMERA]
    line = f"a=fmtp:{camera.codecs[0].payload_type} x-google-start-bitrate={start}"
    assert answer.count("x-google") == 1
    (section,) = [media for media in answer.split("m=") if f"a=mid:{camera.mid}\r\n" in media]
    assert line in section.splitlines()
    assert "x-google" not in answered(offer)[0]
