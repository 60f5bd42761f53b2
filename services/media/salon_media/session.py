"""One participant's media session: the engine's part, DTLS and the data channel, opened and closed as one.

Owns the order of things: selected address, handshake, keys to the engine, connected, data channel. Who may have a session
is `core.node_state`'s business.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from salon.media.v1 import channel_pb2
from salon_common.clock import Clock
from salon_common.errors import SalonError

from salon_media.channel_transport import ChannelTransport
from salon_media.core.channel import MERGE_SECONDS, ClientInbox, ClientOutbox, layout_wishes
from salon_media.core.offer import Offer, SlotKind
from salon_media.core.session_spec import SessionSpec
from salon_media.dtls import DatagramPort, NodeCertificate, NodeDtls, SrtpKeys
from salon_media.engine import EnginePort

_log = logging.getLogger(__name__)


class SessionListener(Protocol):
    """Who is told how a session goes."""

    def on_connected(self, session: int) -> None:
        """Media flows."""
        ...

    def on_handshake_failed(self, session: int, reason: str) -> None:
        """DTLS did not come about."""
        ...

    def on_ended(self, session: int, reason: str) -> None:
        """The client has gone."""
        ...

    def on_epoch_seen(self, session: int, epoch: int) -> None:
        """The client was placed at `epoch`."""
        ...

    def on_message_refused(self, session: int) -> None:
        """The client said something odd, or too much."""
        ...


class MediaSession:
    """Everything that one participant has on this node."""

    def __init__(
        self,
        spec: SessionSpec,
        offer: Offer,
        *,
        engine: EnginePort,
        certificate: NodeCertificate,
        clock: Clock,
        listener: SessionListener,
    ) -> None:
        self.number = spec.session
        self._offer = offer
        self._engine = engine
        self._clock = clock
        self._listener = listener
        self._inbox = ClientInbox(spec.video_slots, clock.now())
        self._outbox = ClientOutbox()
        self._port = DatagramPort(lambda datagram: engine.send_dtls(spec.session, datagram))
        self._dtls = NodeDtls(self._port, certificate, self._give_keys)
        self._channel: ChannelTransport | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._closed = False
        engine.open_session(spec)

    def on_selected(self) -> None:
        """The client has an address: DTLS may answer."""
        if self._handshake is None and not self._closed:
            self._handshake = asyncio.create_task(self._connect())

    def on_dtls(self, datagram: bytes) -> None:
        """A datagram for DTLS."""
        self._port.feed(datagram)

    def on_slots(self, changes: Sequence[tuple[SlotKind, int, int, int]]) -> None:
        """Slots show something else."""
        self._outbox.note_slots(changes)
        self._flush()

    def on_speakers(self, sources: Sequence[int], dominant: int) -> None:
        """Somebody else is heard."""
        self._outbox.note_speakers(sources, dominant)
        self._flush()

    def on_roster(self, microphones: Sequence[int]) -> None:
        """Somebody has connected or gone."""
        self._outbox.note_roster(microphones)
        self._flush()

    async def close(self) -> None:
        """End it, telling the client. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        if self._handshake is not None:
            self._handshake.cancel()
        try:
            if self._channel is not None:
                await self._channel.stop()
            await self._dtls.stop()
        finally:
            self._port.close()
            self._engine.close_session(self.number)

    async def _connect(self) -> None:
        try:
            await self._dtls.handshake(self._offer.transport.fingerprints)
        except ConnectionError as error:
            self._listener.on_handshake_failed(self.number, str(error))
            return
        except Exception:  # noqa: BLE001 - a bug in one session ends that session
            _log.exception("a handshake failed for a reason of our own", extra={"session": self.number})
            self._listener.on_handshake_failed(self.number, "failed")
            return
        self._dtls.on("statechange", self._on_dtls_state)
        self._listener.on_connected(self.number)
        if self._offer.channel is not None:
            self._channel = ChannelTransport(
                self._dtls,
                self._offer.channel,
                on_open=self._flush,
                on_message=self._on_message,
                on_closed=lambda: self._end("the client ended the data channel's association"),
            )
            await self._channel.open()

    def _give_keys(self, keys: SrtpKeys) -> None:
        self._engine.set_keys(
            self.number, keys.profile, keys.client_key, keys.client_salt, keys.node_key, keys.node_salt
        )

    def _on_dtls_state(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self._end("the client closed the connection")

    def _end(self, reason: str) -> None:
        if not self._closed:
            self._listener.on_ended(self.number, reason)

    def _on_message(self, data: bytes) -> None:
        try:
            message = self._inbox.read(data, self._clock.now())
        except SalonError:
            self._listener.on_message_refused(self.number)
            return
        match message.WhichOneof("body"):
            case "layout":
                self._engine.set_layout(self.number, layout_wishes(message.layout))
            case "epoch_seen":
                self._listener.on_epoch_seen(self.number, message.epoch_seen.epoch)

    def _flush(self) -> None:
        """Send what may leave now, and come back for the rest."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        if self._channel is None or self._closed:
            return
        now = self._clock.now()
        if self._channel.writable:
            for message in self._outbox.take(now):
                self._channel.send(message)
        next_at = self._outbox.next_at()
        if next_at is not None:
            # What is due and did not leave waits for the client's acknowledgements.
            delay = next_at - now if next_at > now else MERGE_SECONDS
            self._flush_timer = asyncio.get_running_loop().call_later(delay, self._flush)


def slot_changes(slots: Sequence[tuple[int, int, int, int]]) -> list[tuple[SlotKind, int, int, int]]:
    """The engine's numbers of kinds are the protocol's."""
    return [
        (channel_pb2.SlotKind.ValueType(kind), index, source, timestamp)
        for kind, index, source, timestamp in slots
    ]
