"""Counts the region for Prometheus: its rooms and people, what its streams keep, and how its NATS servers are.

Every replica could tell the same. So that sums over replicas are right, each thing is told by the replica that looks after its name;
when that changes hands it may be missing, or be told twice, for some seconds.
"""

import asyncio
import itertools
import logging

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from salon_common.clock import Clock

from salon_rooms import metrics
from salon_rooms.core.presence import PresenceTracker
from salon_rooms.core.replicas import Replicas
from salon_rooms.core.server_stats import ServerFigures, read_statsz
from salon_rooms.nats_servers import NATS_SERVERS
from salon_rooms.streams import stream_name

_log = logging.getLogger(__name__)

COUNT_SECONDS = 5.0
ASK_ROUNDS = 3
"""NATS is asked each 15 s: in one of so many rounds."""
ANSWER_SECONDS = 1.0
"""How long servers have to answer; how many there are nobody knows."""
STATSZ = "$SYS.REQ.SERVER.PING.STATSZ"
"""Every server answers. A subject of the system account: heard where the region's account imports it."""
DENIED_SECONDS = 300.0
"""Where nobody answers, the account may not ask, and NATS has a line in the log for each try."""
MAX_SERVERS = 64


class Census:
    """One replica's part in counting."""

    def __init__(
        self, nc: Client, partitions: int, tracker: PresenceTracker, replicas: Replicas, clock: Clock
    ) -> None:
        self._nc = nc
        self._streams = [stream_name(partition) for partition in range(partitions)]
        self._tracker = tracker
        self._replicas = replicas
        self._clock = clock
        self._ask_servers_at = 0.0

    async def run(self) -> None:
        """Count again and again, until cancelled."""
        for number in itertools.count():
            try:
                await self.count(number)
            except Exception:  # noqa: BLE001 - nothing but figures depends on it
                _log.exception("the census failed")
            await asyncio.sleep(COUNT_SECONDS)

    async def count(self, number: int) -> None:
        """One round; NATS is asked in one of several."""
        self.count_people()
        if number % ASK_ROUNDS == 0 and self._nc.is_connected:
            await self.ask_streams()
            if self._clock.now() >= self._ask_servers_at:
                await self.ask_servers()

    def count_people(self) -> None:
        """Rooms and participants, if this replica tells of them."""
        rooms, states = self._tracker.census() if self._is_ours("people") else (0, {})
        metrics.show_people(rooms, states)

    async def ask_streams(self) -> None:
        """What the streams keep, those that this replica tells of."""
        jetstream = self._nc.jetstream(timeout=ANSWER_SECONDS)
        for stream in self._streams:
            await self._ask_stream(jetstream, stream)

    async def _ask_stream(self, jetstream: JetStreamContext, stream: str) -> None:
        if not self._is_ours(stream):
            metrics.forget_stream(stream)
            return
        try:
            state = (await jetstream.stream_info(stream)).state
        except nats.errors.Error:
            return  # what was told last stands until the store answers again
        metrics.STREAM_MESSAGES.labels(stream).set(state.messages)
        metrics.STREAM_BYTES.labels(stream).set(state.bytes)

    async def ask_servers(self) -> None:
        """How the NATS servers are, if this replica tells of them."""
        if not self._is_ours("servers"):
            NATS_SERVERS.figures = {}
            return
        NATS_SERVERS.figures = await self._servers()
        if not NATS_SERVERS.figures:
            self._ask_servers_at = self._clock.now() + DENIED_SECONDS

    async def _servers(self) -> dict[str, ServerFigures]:
        """What servers answer within the time; none where the account may not ask."""
        found: dict[str, ServerFigures] = {}

        async def on_answer(message: Msg) -> None:
            if len(found) < MAX_SERVERS and (told := read_statsz(message.data)):
                found[told[0]] = told[1]

        try:
            inbox = self._nc.new_inbox()
            subscription = await self._nc.subscribe(inbox, cb=on_answer)
            await self._nc.publish(STATSZ, b"", reply=inbox)
            await asyncio.sleep(ANSWER_SECONDS)
            await subscription.unsubscribe()
        except nats.errors.Error as error:
            _log.debug("NATS servers were not asked: %s", error)
        return found

    def _is_ours(self, name: str) -> bool:
        return self._replicas.is_own(name, self._clock.now())
