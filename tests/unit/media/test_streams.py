import pytest
import sdp_transform
from salon_media.core.offer import read_offer
from unit.media.conftest import Offers
from unit.media.offers import audio, offer_of, refusal, video


def test_aiortc_s_camera_has_ssrcs(offers: Offers) -> None:
    offer = read_offer(offers("aiortc"))
    camera = sdp_transform.parse(offers("aiortc"))["media"][1]
    media, rtx = (int(number) for number in camera["ssrcGroups"][0]["ssrcs"].split())
    assert offer.sends[1].ssrcs == ((media, rtx),)
    assert offer.sends[1].rids == ()


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
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
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)
