"""An engine that remembers what it was told."""

import os
from typing import TYPE_CHECKING

from salon_media.core.session_spec import SessionSpec

if TYPE_CHECKING:
    from _salon_media import Event


class FakeEngine:
    """Satisfies `salon_media.engine.EnginePort`."""

    def __init__(self) -> None:
        self.port = 4000
        self.alive = True
        self.turns = 0
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.opened: list[SessionSpec] = []
        self.closed: list[int] = []
        self.refuses: str | None = None
        self.events: list[Event] = []

    def open_session(self, spec: SessionSpec) -> None:
        if self.refuses is not None:
            raise ValueError(self.refuses)
        self.opened.append(spec)

    def close_session(self, session: int) -> None:
        self.closed.append(session)

    def set_keys(
        self,
        session: int,
        profile: int,
        client_key: bytes,
        client_salt: bytes,
        node_key: bytes,
        node_salt: bytes,
    ) -> None:
        raise AssertionError("no handshake completes without a client")

    def send_dtls(self, session: int, datagram: bytes) -> None:
        raise AssertionError("no handshake begins without a client")

    def set_layout(self, session: int, wishes: list[tuple[int, int, int]]) -> None:
        raise AssertionError("no layout comes without a client")

    def tell(self, *events: "Event") -> None:
        self.events += events
        os.eventfd_write(self.event_fd, 1)

    def take_events(self) -> "list[Event]":
        os.eventfd_read(self.event_fd)
        events, self.events = self.events, []
        return events

    def counters(self) -> dict[str, int]:
        self.turns += 1
        return {
            "turns": self.turns,
            "datagrams_in": 3,
            "datagrams_out": 4,
            "forwarded": 5,
            "drop_empty": 6,
            "drop_replayed": 7,
        }

    def stop(self) -> None:
        os.close(self.event_fd)
