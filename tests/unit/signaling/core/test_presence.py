"""Who is vouched for, and when somebody is gone."""

from salon.rooms.v1 import presence_pb2
from salon_common.ids import ParticipantId, RoomId
from salon_signaling.core.presence import MAX_ENTRIES, PresenceLedger, Sender
from unit.signaling.events import ME, OTHER

ROOM = RoomId("local-" + "a" * 20)
EXPECTED = presence_pb2.PRESENCE_STATUS_EXPECTED
GONE = presence_pb2.PRESENCE_STATUS_GONE


def ledger() -> PresenceLedger:
    return PresenceLedger(Sender("signaling-1", "boot"))


def entries(reports: list[presence_pb2.PresenceReport]) -> dict[str, int]:
    return {entry.participant_id: entry.status for report in reports for entry in report.entries}


def test_changes_are_told_once() -> None:
    book = ledger()
    book.handle_opened(ROOM, ME, "s1")
    (report,) = book.take_changes()
    assert report.voucher == presence_pb2.VOUCHER_SIGNALING
    assert (report.sender_id, report.boot_id, report.complete) == ("signaling-1", "boot", False)
    assert entries([report]) == {ME: EXPECTED}
    assert book.take_changes() == []


def test_gone_is_who_has_no_stream_left() -> None:
    book = ledger()
    book.handle_opened(ROOM, ME, "s1")
    book.handle_opened(ROOM, ME, "s2")
    book.take_changes()
    book.handle_closed(ROOM, ME, "s1")
    assert book.take_changes() == []
    book.handle_closed(ROOM, ME, "s2")
    assert entries(book.take_changes()) == {ME: GONE}


def test_a_stream_that_was_taken_over_ends_without_a_word() -> None:
    book = ledger()
    book.handle_opened(ROOM, ME, "s1")
    book.handle_closed(ROOM, ME, "s1", taken_over=True)
    assert book.take_changes() == []
    assert entries(book.take_everybody()) == {}


def test_the_full_list_is_complete_and_brings_those_who_went() -> None:
    book = ledger()
    book.handle_opened(ROOM, ME, "s1")
    book.handle_opened(ROOM, OTHER, "s2")
    book.take_changes()
    book.handle_closed(ROOM, OTHER, "s2")
    (report,) = book.take_everybody()
    assert report.complete
    assert entries([report]) == {ME: EXPECTED, OTHER: GONE}
    assert book.take_changes() == []


def test_an_empty_list_is_told_too() -> None:
    (report,) = ledger().take_everybody()
    assert report.complete
    assert not report.entries


def test_who_comes_back_is_not_gone() -> None:
    book = ledger()
    book.handle_opened(ROOM, ME, "s1")
    book.handle_closed(ROOM, ME, "s1")
    book.handle_opened(ROOM, ME, "s2")
    assert entries(book.take_everybody()) == {ME: EXPECTED}


def test_long_lists_are_several_reports_that_claim_nothing_of_the_rest() -> None:
    book = ledger()
    for number in range(MAX_ENTRIES + 1):
        book.handle_opened(ROOM, ParticipantId(f"p{number}"), "s")
    reports = book.take_everybody()
    assert [len(report.entries) for report in reports] == [MAX_ENTRIES, 1]
    assert not any(report.complete for report in reports)
    assert all(report.ByteSize() < 512 * 1024 for report in reports)


def test_closing_what_was_never_opened_is_gone_all_the_same() -> None:
    book = ledger()
    book.handle_closed(ROOM, ME, "s1")
    assert entries(book.take_changes()) == {ME: GONE}
