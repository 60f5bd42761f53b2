"""Live events and claims of the rooms that have streams here: one pair of core NATS subscriptions a room, fanned out.

Core NATS promises nothing; the streams notice what is lost. Events are parsed once for all streams.
"""

import asyncio
import logging

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from salon.rooms.v1 import room_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import RoomId, region_of
from salon_common.telemetry import tracing

from salon_signaling import metrics
from salon_signaling.core.claim import StreamClaim, parse_claim
from salon_signaling.mailbox import Draining, Input, Mailbox, Reconnected

_log = logging.getLogger(__name__)


class _Feed:
    """One room's subscriptions and the streams behind them."""

    def __init__(self, room: RoomId, nc: Client) -> None:
        self.room = room
        self.mailboxes: set[Mailbox] = set()
        self.opening = asyncio.create_task(self._open(nc), context=tracing.untraced())
        """Done when everything published from then on arrives here."""
        self._subscriptions: list[Subscription] = []

    async def _open(self, nc: Client) -> None:
        self._subscriptions.append(await nc.subscribe(f"live.{self.room}.*", cb=self.handle_event))
        self._subscriptions.append(await nc.subscribe(_claims_subject(self.room), cb=self.handle_claim))

    async def close(self) -> None:
        """Unsubscribe, also from what is being subscribed to."""
        await asyncio.wait([self.opening])
        for subscription in self._subscriptions:
            try:
                await subscription.unsubscribe()
            except nats.errors.Error:
                _log.debug("unsubscribing failed: the connection is closed", extra={"room": self.room})

    async def handle_event(self, message: Msg) -> None:
        try:
            event = room_pb2.Event.FromString(message.data)
        except DecodeError:
            metrics.BAD_MESSAGES.inc()
            _log.warning("a live event cannot be read", extra={"room": self.room})
            return
        for mailbox in self.mailboxes:
            mailbox.put(event)

    async def handle_claim(self, message: Msg) -> None:
        try:
            claim = parse_claim(message.data)
        except SalonError:
            metrics.BAD_MESSAGES.inc()
            _log.warning("a stream's claim cannot be read", extra={"room": self.room})
            return
        for mailbox in self.mailboxes:
            if mailbox.participant_id in (None, claim.participant_id):
                mailbox.put(claim)


class LiveRooms:
    """Every room with a stream at this replica."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._feeds: dict[RoomId, _Feed] = {}
        self._draining = False

    async def attach(self, room: RoomId) -> Mailbox:
        """A mailbox that gets all that is published from now on. Raises SalonError UNAVAILABLE.

        Subscribing is written to the connection before anything that is asked later.
        """
        if self._draining:
            raise SalonError(Code.UNAVAILABLE, "this replica is restarting: try another")
        mailbox = Mailbox()
        feed = self._feeds.get(room)
        if feed is None:
            feed = self._feeds[room] = _Feed(room, self._nc)
        feed.mailboxes.add(mailbox)
        try:
            await asyncio.shield(feed.opening)
        except BaseException as error:
            await self.detach(room, mailbox)
            if isinstance(error, nats.errors.Error):
                raise SalonError(Code.UNAVAILABLE, "Salon cannot answer now: try again") from error
            raise
        return mailbox

    async def detach(self, room: RoomId, mailbox: Mailbox) -> None:
        """The stream has ended."""
        feed = self._feeds.get(room)
        if feed is None or mailbox not in feed.mailboxes:
            return
        feed.mailboxes.discard(mailbox)
        if not feed.mailboxes:
            del self._feeds[room]
            await feed.close()

    async def announce(self, room: RoomId, claim: StreamClaim) -> None:
        """Tell the participant's other streams, wherever they are, that this one is newer."""
        try:
            await self._nc.publish(_claims_subject(room), claim.encode())
        except nats.errors.Error:
            _log.warning("a stream's claim could not be told", extra={"room": room})

    def handle_reconnected(self) -> None:
        """Every stream asks for what it may have missed."""
        self._put_everywhere(Reconnected())

    def drain(self) -> None:
        """End all streams, and those that still open."""
        self._draining = True
        self._put_everywhere(Draining())

    def _put_everywhere(self, item: Input) -> None:
        for feed in self._feeds.values():
            for mailbox in feed.mailboxes:
                mailbox.put(item)


def _claims_subject(room: RoomId) -> str:
    return f"takeover.{region_of(room)}.{room}"
