"""The packet path as asyncio sees it: the only module that imports `_salon_media`.

Owns the way from the engine's event queue to Python calls. The engine's contract is
services/media/engine/python/_salon_media.pyi.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import _salon_media

from salon_media.core.engine_watch import LOOK_SECONDS, EngineWatch
from salon_media.core.session_spec import SessionSpec

if TYPE_CHECKING:  # a name of the contract alone
    from _salon_media import Event

_log = logging.getLogger(__name__)


class EnginePort(Protocol):
    """What the node asks of the engine; `_salon_media.Engine`, or a stand-in in tests."""

    @property
    def port(self) -> int:
        """The UDP port."""
        ...

    @property
    def event_fd(self) -> int:
        """Readable while events wait."""
        ...

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        ...

    def open_session(self, spec: SessionSpec) -> None:
        """Await the client's checks. ValueError when the spec contradicts itself."""
        ...

    def close_session(self, session: int) -> None:
        """Forget a session."""
        ...

    def set_keys(
        self,
        session: int,
        profile: int,
        client_key: bytes,
        client_salt: bytes,
        node_key: bytes,
        node_salt: bytes,
    ) -> None:
        """SRTP keys after DTLS."""
        ...

    def send_dtls(self, session: int, datagram: bytes) -> None:
        """Send to the client's selected address."""
        ...

    def set_layout(self, session: int, wishes: list[tuple[int, int, int]]) -> None:
        """(slot index, source number, max height) for the video slots."""
        ...

    def take_events(self) -> "list[Event]":
        """What happened since."""
        ...

    def counters(self) -> dict[str, int]:
        """Since the start, by name."""
        ...

    def stop(self) -> None:
        """End the thread and close the port."""
        ...


class EngineEvents(Protocol):
    """Who is told what happened."""

    def on_dtls(self, session: int, datagram: bytes) -> None:
        """A datagram for DTLS, from an address that passed a check."""
        ...

    def on_selected(self, session: int) -> None:
        """The client has an address."""
        ...

    def on_silent(self, session: int) -> None:
        """The client was not heard for too long."""
        ...

    def on_slots(self, session: int, slots: Sequence[tuple[int, int, int, int]]) -> None:
        """(kind, index, source or 0, first RTP timestamp) of slots that changed."""
        ...

    def on_speakers(self, room: int, sources: Sequence[int], dominant: int) -> None:
        """Who is heard in a room."""
        ...

    def on_failed(self, room: int) -> None:
        """A room's place on this node is gone."""
        ...


def start_engine(address: str, port: int) -> EnginePort:
    """Bind UDP and start the engine's thread. Raises OSError when the port cannot be had."""
    return _salon_media.Engine(address, port)


async def watch_engine(engine: EnginePort, give_up: Callable[[str], None]) -> None:
    """Look after the engine's thread until cancelled; `give_up` is told why when it works no more."""
    watch = EngineWatch()
    while True:
        reason = watch.look(alive=engine.alive, turns=engine.counters()["turns"])
        if reason is not None:
            give_up(reason)
            return
        await asyncio.sleep(LOOK_SECONDS)


def end_process(reason: str) -> None:
    """At once: whatever is orderly would wait for the thread."""
    _log.critical("%s: the process ends, and its people are placed elsewhere", reason)
    os._exit(1)


class EngineReader:
    """Takes events whenever the engine's descriptor is readable."""

    def __init__(self, engine: EnginePort, events: EngineEvents) -> None:
        self._engine = engine
        self._events = events

    def start(self) -> None:
        """Watch the descriptor, from the running loop."""
        asyncio.get_running_loop().add_reader(self._engine.event_fd, self._take)

    def stop(self) -> None:
        """Watch no more."""
        asyncio.get_running_loop().remove_reader(self._engine.event_fd)

    def _take(self) -> None:
        for event in self._engine.take_events():
            try:
                self._dispatch(event)
            except Exception:  # noqa: BLE001 - one session's bug must not keep the other sessions' events from them
                _log.exception("an event of the engine was not handled", extra={"event": event[0]})

    def _dispatch(self, event: "Event") -> None:
        match event:
            case ("dtls", session, datagram):
                self._events.on_dtls(session, datagram)
            case ("selected", session):
                self._events.on_selected(session)
            case ("silent", session):
                self._events.on_silent(session)
            case ("slots", session, slots):
                self._events.on_slots(session, slots)
            case ("speakers", room, sources, dominant):
                self._events.on_speakers(room, sources, dominant)
            case ("failed", room):
                self._events.on_failed(room)
