import pytest
from salon_media.core.offer import read_offer
from unit.media.conftest import Offers
from unit.media.offers import audio, offer_of, refusal, replaced, video


def test_rtx_of_another_codec_is_not_taken() -> None:
    section = [line.replace("apt=96", "apt=98") for line in video("0", "recvonly")]
    assert read_offer(offer_of(section)).slots[0].codecs[0].rtx_payload_type is None


def test_feedback_for_every_payload_type_counts() -> None:
    section = video("0", "recvonly", "a=rtcp-fb:* nack pli", "a=rtcp-fb:97 nack", "a=rtcp-fb:odd")
    assert read_offer(offer_of(section)).slots[0].codecs[0].feedback == ("nack pli",)


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (offer_of(replaced(audio("0", "sendonly"), "opus/48000/2", "PCMU/8000")), "must offer opus/48000/2"),
        (offer_of(replaced(video("0", "sendonly"), "VP8", "H264")), "must offer vp8/90000"),
        (offer_of(replaced(audio("0", "sendonly"), "111", "72")), "must offer opus/48000/2"),
        (offer_of(audio("0", "sendonly", "a=rtpmap:200 x/1")), "is no valid a=rtpmap"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)
