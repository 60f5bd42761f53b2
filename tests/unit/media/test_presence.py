import pytest
from salon.rooms.v1 import presence_pb2
from salon_media.core.node_state import NodeState, SessionEntry
from salon_media.core.presence import PresenceReports
from unit.media.test_node_state import admit, key

EXPECTED = presence_pb2.PRESENCE_STATUS_EXPECTED
CONNECTED = presence_pb2.PRESENCE_STATUS_CONNECTED
GONE = presence_pb2.PRESENCE_STATUS_GONE
Report = tuple[bool, list[tuple[str, int, int]]]


class Reports:
    """Admits, and reads what is reported."""

    def __init__(self) -> None:
        self.state = NodeState("boot", 10)
        self.presence = PresenceReports("node-1", "boot")

    def admit(self, name: str, number: int = 1) -> SessionEntry:
        entry = admit(self.state, key(name), number=number).entry
        self.presence.note(entry)
        return entry

    def connect(self, entry: SessionEntry) -> None:
        self.state.connect(entry.session)
        self.presence.note(entry)

    def close(self, entry: SessionEntry) -> None:
        self.state.close(entry.session)
        self.presence.note_gone(entry)

    def take(self, now: float) -> list[Report]:
        return [
            (
                report.complete,
                sorted(
                    (entry.participant_id[0], entry.session_number, entry.status) for entry in report.entries
                ),
            )
            for report in self.presence.take(self.state.entries(), now)
        ]


@pytest.fixture
def reports() -> Reports:
    reports = Reports()
    assert reports.take(0.0) == [(True, [])]
    return reports


def test_changes_are_told_within_a_second_and_everybody_each_five(reports: Reports) -> None:
    entry = reports.admit("a")
    assert reports.presence.next_at() <= 0.1
    assert reports.take(0.1) == [(False, [("a", 1, EXPECTED)])]
    reports.connect(entry)
    assert reports.presence.next_at() == 1.1
    assert reports.take(1.0) == []
    assert reports.take(1.1) == [(False, [("a", 1, CONNECTED)])]
    assert reports.presence.next_at() == 5.0
    assert reports.take(4.9) == []
    assert reports.take(5.0) == [(True, [("a", 1, CONNECTED)])]
    assert reports.presence.next_at() == 10.0


def test_gone_is_told_at_once_and_takes_the_other_changes_along(reports: Reports) -> None:
    first = reports.admit("a")
    reports.take(0.1)
    reports.admit("b")
    reports.close(first)
    assert reports.presence.next_at() == 0.0
    assert reports.take(0.2) == [(False, [("a", 1, GONE), ("b", 1, EXPECTED)])]


def test_the_latest_word_about_a_participant_counts(reports: Reports) -> None:
    reports.close(reports.admit("a", 1))
    reports.admit("a", 2)
    assert reports.take(0.1) == [(False, [("a", 2, EXPECTED)])]


def test_those_gone_are_named_before_the_complete_report_omits_them(reports: Reports) -> None:
    entry = reports.admit("a")
    reports.close(entry)
    assert reports.take(5.0) == [(False, [("a", 1, GONE)]), (True, [])]


def test_a_lost_report_comes_again_with_what_is_newer(reports: Reports) -> None:
    first, second = reports.admit("a"), reports.admit("b")
    reports.close(first)
    (lost,) = reports.presence.take(reports.state.entries(), 0.1)
    reports.connect(second)
    reports.presence.restore(lost, 0.2)
    assert reports.presence.next_at() == 1.2
    assert reports.take(1.1) == []
    assert reports.take(1.2) == [
        (False, [("a", 1, GONE), ("b", 1, CONNECTED)]),
        (True, [("b", 1, CONNECTED)]),
    ]


def test_a_lost_complete_report_is_made_anew(reports: Reports) -> None:
    reports.admit("a")
    changes, complete = reports.presence.take(reports.state.entries(), 5.0)
    reports.presence.restore(complete, 5.0)
    assert [changes.complete, complete.complete] == [False, True]
    assert reports.take(6.0) == [(True, [("a", 1, EXPECTED)])]


def test_a_report_says_who_sends_it() -> None:
    (report,) = PresenceReports("node-1", "boot").take([], 0.0)
    assert (report.voucher, report.sender_id, report.boot_id) == (
        presence_pb2.VOUCHER_MEDIA,
        "node-1",
        "boot",
    )
