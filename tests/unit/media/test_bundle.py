import pytest
from salon_media.core.bundle import Fingerprint
from salon_media.core.offer import read_offer
from unit.media.conftest import Offers
from unit.media.offers import HEAD, SHA256, audio, channel, offer_of, refusal, replaced


@pytest.mark.parametrize(
    ("text", "said"),
    [
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
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


def test_fingerprints_of_the_first_section_count(offers: Offers) -> None:
    assert [item.algorithm for item in read_offer(offers("aiortc")).transport.fingerprints] == [
        "sha-256",
        "sha-384",
        "sha-512",
    ]


def test_lower_case_and_unknown_hashes() -> None:
    lines = HEAD.replace(SHA256, f"{SHA256.lower()}\na=fingerprint:md5 00")
    transport = read_offer(offer_of(audio("0", "sendonly"), head=lines)).transport
    assert transport.fingerprints == (Fingerprint("sha-256", SHA256),)
    assert transport.ufrag == "abcd"
