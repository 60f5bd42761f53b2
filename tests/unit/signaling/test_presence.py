"""What is published when, and that nothing old is."""

import pytest
from salon.rooms.v1 import presence_pb2
from salon_signaling.core.presence import PresenceLedger, Sender
from salon_signaling.presence import PresenceReporter
from unit.signaling.events import ME, OTHER
from unit.signaling.fakes import ROOM, FakeNats

SUBJECT = "vouch.local.signaling.signaling-1"


@pytest.fixture
def nats() -> FakeNats:
    return FakeNats()


@pytest.fixture
def ledger() -> PresenceLedger:
    return PresenceLedger(Sender("signaling-1", "boot"))


@pytest.fixture
def reporter(nats: FakeNats, ledger: PresenceLedger) -> PresenceReporter:
    return PresenceReporter(nats.client(), ledger, region="local", replica_id="signaling-1")


def published(nats: FakeNats) -> list[presence_pb2.PresenceReport]:
    reports = [presence_pb2.PresenceReport.FromString(data) for subject, data in nats.published]
    assert {subject for subject, _ in nats.published} <= {SUBJECT}
    nats.published.clear()
    return reports


async def test_changes_are_published_once(
    nats: FakeNats, ledger: PresenceLedger, reporter: PresenceReporter
) -> None:
    ledger.handle_opened(ROOM, ME, "s1")
    await reporter.report()
    await reporter.report()
    (report,) = published(nats)
    assert not report.complete
    assert [entry.participant_id for entry in report.entries] == [ME]


async def test_after_a_reconnect_everybody_is_reported(
    nats: FakeNats, ledger: PresenceLedger, reporter: PresenceReporter
) -> None:
    ledger.handle_opened(ROOM, ME, "s1")
    await reporter.report()
    published(nats)
    reporter.handle_reconnected()
    await reporter.report()
    (report,) = published(nats)
    assert report.complete
    assert len(report.entries) == 1


async def test_while_nats_is_away_nothing_is_kept_to_be_published_late(
    nats: FakeNats, ledger: PresenceLedger, reporter: PresenceReporter
) -> None:
    nats.is_connected = False
    ledger.handle_opened(ROOM, ME, "s1")
    await reporter.report()
    ledger.handle_closed(ROOM, ME, "s1")
    ledger.handle_opened(ROOM, OTHER, "s2")
    assert published(nats) == []
    nats.is_connected = True
    await reporter.report()
    (report,) = published(nats)
    assert report.complete
    assert {entry.participant_id: entry.status for entry in report.entries} == {
        ME: presence_pb2.PRESENCE_STATUS_GONE,
        OTHER: presence_pb2.PRESENCE_STATUS_EXPECTED,
    }


async def test_a_closed_connection_is_survived(
    nats: FakeNats, ledger: PresenceLedger, reporter: PresenceReporter
) -> None:
    ledger.handle_opened(ROOM, ME, "s1")
    nats.is_closed = True
    await reporter.report()
    nats.is_closed = False
    await reporter.report()
    (report,) = published(nats)
    assert report.complete
