import pytest
import sdp_transform
from hypothesis import example, given
from hypothesis import strategies as st
from salon_common.errors import Code, SalonError
from salon_media.core import sdp

HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def refusal(text: str) -> str:
    with pytest.raises(SalonError) as caught:
        sdp.parse(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith("offer: ")
    return caught.value.message


def test_every_line_survives(any_offer: str) -> None:
    assert str(sdp.parse(any_offer)) == any_offer


def test_sections_are_those_that_an_independent_parser_finds(any_offer: str) -> None:
    oracle = sdp_transform.parse(any_offer)["media"]
    ours = sdp.parse(any_offer).sections
    assert [section.kind for section in ours] == [media["type"] for media in oracle]
    assert [section.port for section in ours] == [media["port"] for media in oracle]
    assert [section.protocol for section in ours] == [media["protocol"] for media in oracle]
    mids = [mid.value for section in ours if (mid := section.first("mid")) is not None]
    assert mids == [str(media["mid"]) for media in oracle]


def test_bare_newlines_and_a_missing_last_one_are_fine() -> None:
    description = sdp.parse(HEAD.replace("\r\n", "\n") + "m=audio 9 UDP/TLS/RTP/SAVPF 111")
    assert description.sections[0].formats == ("111",)
    assert str(description) == HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"


def test_attributes_are_found_by_name() -> None:
    section = sdp.parse(
        HEAD + "m=audio 9 X 0\r\na=mid:0\r\na=ssrc:1 a\r\na=ssrc:2 b\r\na=rtcp-mux\r\n"
    ).sections[0]
    assert section.first("mid") == (6, "mid", "0")
    assert [item.value for item in section.all("ssrc")] == ["1 a", "2 b"]
    assert section.has("rtcp-mux")
    assert not section.has("ssrc-group")
    assert section.first("nothing") is None
    assert section.all("nothing") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line must be v=0"),
        ("v=1\r\n", "first line must be v=0"),
        ("hello", "line 1 is not of the form"),
        (HEAD + "A=x\r\n", "line 5 is not of the form"),
        (HEAD + "a\r\n", "line 5 is not of the form"),
        (HEAD + "\r\n", "line 5 is not of the form"),
        (HEAD + "a=x\x00y\r\n", "line 5 contains a control character"),
        (HEAD + "a=x\ry\r\n", "line 5 contains a control character"),
        (HEAD + "a=" + "x" * sdp.MAX_LINE_BYTES, "line 5 is too long, the limit is 4096 bytes"),
        (HEAD + "a=" + "\u00e9" * 2048, "line 5 is too long, the limit is 4096 bytes"),
        (HEAD + "m=audio\r\n", "line 5 is no valid m= line"),
        (HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF\r\n", "line 5 is no valid m= line"),
        (HEAD + "m=audio -1 UDP/TLS/RTP/SAVPF 0\r\n", "line 5 is no valid m= line"),
        (HEAD + "m=audio 9 X 0\r\n" * (sdp.MAX_SECTIONS + 1), "has 65 media sections, the limit is 64"),
        (HEAD + "a=x\r\n" * sdp.MAX_LINES, "has 8196 lines, the limit is 8192"),
        (HEAD + "a=xxxxxxxxx\r\n" * 12_000, "bytes long, the limit is 131072"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


def test_limits_are_reached_exactly() -> None:
    sections = "m=audio 9 X 0\r\n" * sdp.MAX_SECTIONS
    longest = "a=" + "x" * (sdp.MAX_LINE_BYTES - 2) + "\r\n"
    assert len(sdp.parse(HEAD + longest + sections).sections) == sdp.MAX_SECTIONS


@given(st.text())
@example("v=0\n\ud800")
def test_garbage_is_refused_or_survives(text: str) -> None:
    try:
        description = sdp.parse(text)
    except SalonError:
        return
    assert str(sdp.parse(str(description))) == str(description)


@given(st.lists(st.from_regex(r"[a-z]=[ -~]{0,20}", fullmatch=True)))
def test_any_well_formed_lines_survive(lines: list[str]) -> None:
    text = "v=0\r\n" + "".join(f"{line}\r\n" for line in lines if not line.startswith("m="))
    assert str(sdp.parse(text)) == text
