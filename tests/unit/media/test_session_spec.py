import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError
from salon_media.core.offer import Offer, read_offer
from salon_media.core.session_spec import AUDIO_LEVEL, MID, IceCredentials, SessionSpec, make_session_spec
from unit.media.offers import audio, offer_of, video
from unit.media.test_answer import SPEAKER

ICE = IceCredentials("abcd", "p" * 24)


def spec_of(
    offer: Offer, participant: room_pb2.Participant = SPEAKER, ssrcs: Iterator[int] | None = None
) -> SessionSpec:
    return make_session_spec(
        offer, participant, session=7, room=2, ice=ICE, random_ssrcs=ssrcs or itertools.count(1)
    )


SLOTS = read_offer(offer_of(audio("0", "recvonly"), video("1", "recvonly"), video("2", "recvonly")))


def test_sends_have_the_participant_s_source_numbers() -> None:
    extension = f"a=extmap:1 {AUDIO_LEVEL}"
    sections = [
        audio("0", "sendonly", extension, "a=extmap:9 urn:x"),
        video("1", "sendonly"),
        video("2", "sendonly"),
    ]
    spec = spec_of(read_offer(offer_of(*sections)))
    assert [send.source for send in spec.sends] == [4, 5, 6]
    assert spec.sends[0].extensions == {MID: 4, AUDIO_LEVEL: 1}
    assert (spec.session, spec.room, spec.remote_ufrag, spec.local_ufrag) == (7, 2, "abcd", "abcd")
    assert spec.video_slots == 0


def test_slots_have_ssrcs_and_rtx_where_it_is_offered() -> None:
    spec = spec_of(SLOTS)
    assert [(slot.ssrc, slot.rtx_ssrc) for slot in spec.slots] == [(1, None), (2, 3), (4, 5)]
    assert spec.video_slots == 2


def test_an_ssrc_that_the_client_uses_is_not_taken() -> None:
    section = audio("0", "sendonly", "a=ssrc:1 cname:x")
    offer = read_offer(offer_of(section, audio("1", "recvonly")))
    assert spec_of(offer).slots[0].ssrc == 2


@given(st.lists(st.integers(0, 12)))
def test_ssrcs_are_unique_and_never_zero(draws: list[int]) -> None:
    spec = spec_of(SLOTS, ssrcs=itertools.chain(draws, itertools.count(100)))
    numbers = [ssrc for slot in spec.slots for ssrc in (slot.ssrc, slot.rtx_ssrc) if ssrc is not None]
    assert len(set(numbers)) == len(numbers) == 5
    assert 0 not in numbers


def test_a_viewer_sends_nothing() -> None:
    viewer = room_pb2.Participant(role=room_pb2.ROLE_VIEWER, sources=SPEAKER.sources)
    with pytest.raises(SalonError) as caught:
        spec_of(read_offer(offer_of(audio("0", "sendonly"))), viewer)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "a viewer only receives" in caught.value.message
    assert len(spec_of(SLOTS, viewer).slots) == 3


def test_a_source_without_a_number_is_refused() -> None:
    with pytest.raises(SalonError, match="SOURCE_KIND_MICROPHONE"):
        spec_of(
            read_offer(offer_of(audio("0", "sendonly"))), room_pb2.Participant(role=room_pb2.ROLE_SPEAKER)
        )
