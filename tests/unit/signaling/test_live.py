"""One pair of subscriptions a room, however many streams."""

import asyncio

import pytest
from salon_common.errors import SalonError
from salon_common.ids import RoomId
from salon_signaling.core.claim import StreamClaim
from salon_signaling.live import LiveRooms
from salon_signaling.mailbox import Draining, Reconnected
from unit.signaling.events import ME, OTHER, chat, claim
from unit.signaling.fakes import ROOM, FakeNats

ELSEWHERE = RoomId("local-" + "b" * 20)


@pytest.fixture
def nats() -> FakeNats:
    return FakeNats()


@pytest.fixture
def live(nats: FakeNats) -> LiveRooms:
    return LiveRooms(nats.client())


async def test_streams_of_a_room_share_its_subscriptions(nats: FakeNats, live: LiveRooms) -> None:
    first, second = await live.attach(ROOM), await live.attach(ROOM)
    assert [s.subject for s in nats.subscriptions] == [f"live.{ROOM}.*", f"takeover.local.{ROOM}"]
    await nats.publish(f"live.{ROOM}.6", chat(6).SerializeToString())
    assert first.take() == second.take() == [chat(6)]
    await live.detach(ROOM, first)
    assert len(nats.subscriptions) == 2
    await live.detach(ROOM, second)
    await live.detach(ROOM, second)
    assert nats.subscriptions == []


async def test_rooms_are_apart(nats: FakeNats, live: LiveRooms) -> None:
    here = await live.attach(ROOM)
    await live.attach(ELSEWHERE)
    await nats.publish(f"live.{ELSEWHERE}.6", chat(6).SerializeToString())
    assert here.take() == []


async def test_claims_reach_those_whom_they_may_concern(live: LiveRooms) -> None:
    mine, others, opening = [await live.attach(ROOM) for _ in range(3)]
    mine.participant_id, others.participant_id = ME, OTHER
    await live.announce(ROOM, claim())
    assert mine.take() == opening.take() == [claim()]
    assert others.take() == []


@pytest.mark.parametrize("subject", [f"live.{ROOM}.6", f"takeover.local.{ROOM}"])
async def test_what_cannot_be_read_is_dropped(nats: FakeNats, live: LiveRooms, subject: str) -> None:
    mailbox = await live.attach(ROOM)
    await nats.publish(subject, b"\xff\xff")
    assert mailbox.take() == []


async def test_everybody_is_told_of_a_reconnect_and_a_drain(live: LiveRooms) -> None:
    mailbox = await live.attach(ROOM)
    live.handle_reconnected()
    live.drain()
    assert [type(item) for item in mailbox.take()] == [Reconnected, Draining]
    with pytest.raises(SalonError, match="restarting: try another"):
        await live.attach(ROOM)


async def test_streams_that_open_at_once_subscribe_once(nats: FakeNats, live: LiveRooms) -> None:
    boxes = await asyncio.gather(*(live.attach(ROOM) for _ in range(5)))
    assert len(nats.subscriptions) == 2
    await asyncio.gather(*(live.detach(ROOM, box) for box in boxes))
    assert nats.subscriptions == []


async def test_who_gives_up_while_subscribing_leaves_nothing(nats: FakeNats, live: LiveRooms) -> None:
    attaching = asyncio.create_task(live.attach(ROOM))
    await asyncio.sleep(0)
    attaching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attaching
    assert nats.subscriptions == []


async def test_without_nats_nobody_is_attached(nats: FakeNats, live: LiveRooms) -> None:
    nats.is_closed = True
    with pytest.raises(SalonError, match="try again"):
        await live.attach(ROOM)
    await live.announce(ROOM, StreamClaim(ME, 1, 1, "0" * 16))
    nats.is_closed = False
    mailbox = await live.attach(ROOM)
    nats.is_closed = True
    await live.detach(ROOM, mailbox)
