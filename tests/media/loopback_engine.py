"""A stand-in for the engine: ICE-lite and DTLS datagrams over a real UDP socket on the event loop, and no media.

Lets the Python side be tested without the Rust build, and lets tests say what the engine would tell.
"""

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from aioice import stun
from salon_media.core.session_spec import SessionSpec

if TYPE_CHECKING:
    from _salon_media import Event

Address = tuple[str, int]


@dataclass
class Session:
    spec: SessionSpec
    address: Address | None = None
    checked: set[Address] = field(default_factory=set)
    keys: tuple[int, bytes, bytes, bytes, bytes] | None = None
    layouts: list[list[tuple[int, int, int]]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)


class LoopbackEngine(asyncio.DatagramProtocol):
    """Satisfies `salon_media.engine.EnginePort`."""

    def __init__(self) -> None:
        self.sessions: dict[int, Session] = {}
        self.closed: list[int] = []
        self.stopped = False
        self.lose_next = 0
        """How many of the next datagrams from the node are lost."""
        self._transport: asyncio.DatagramTransport | None = None
        self._events: list[Event] = []
        self._event_fd = os.eventfd(0, os.EFD_NONBLOCK)

    @classmethod
    async def start(cls) -> "LoopbackEngine":
        loop = asyncio.get_running_loop()
        _, engine = await loop.create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        return engine

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if data and data[0] < 2:
            self._check(data, addr)
        elif data and 20 <= data[0] <= 63:
            for number, session in self.sessions.items():
                if addr in session.checked:
                    self.tell(("dtls", number, data))

    def _check(self, data: bytes, addr: Address) -> None:
        request = stun.parse_message(data)
        username = request.attributes["USERNAME"].split(":")[0]
        for number, session in self.sessions.items():
            key = session.spec.local_pwd.encode()
            if session.spec.local_ufrag == username and request.check_message_integrity(key):
                answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
                answer.attributes["XOR-MAPPED-ADDRESS"] = addr
                answer.add_message_integrity(key)
                self._send(bytes(answer), addr)
                if session.address is None:
                    self.tell(("selected", number))
                session.checked.add(addr)
                if session.address is None or "USE-CANDIDATE" in request.attributes:
                    session.address = addr

    def _send(self, data: bytes, addr: Address) -> None:
        assert self._transport is not None
        self._transport.sendto(data, addr)

    def tell(self, event: "Event") -> None:
        """Have the node told something."""
        self._events.append(event)
        os.eventfd_write(self._event_fd, 1)

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def event_fd(self) -> int:
        return self._event_fd

    def open_session(self, spec: SessionSpec) -> None:
        self.sessions[spec.session] = Session(spec)

    def close_session(self, session: int) -> None:
        self.sessions.pop(session, None)
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
        assert self.sessions[session].keys is None
        self.sessions[session].keys = (profile, client_key, client_salt, node_key, node_salt)

    def send_dtls(self, session: int, datagram: bytes) -> None:
        entry = self.sessions.get(session)
        if entry is None or entry.address is None:
            return
        entry.sent.append(datagram)
        if self.lose_next:
            self.lose_next -= 1
            return
        self._send(datagram, entry.address)

    def set_layout(self, session: int, wishes: list[tuple[int, int, int]]) -> None:
        self.sessions[session].layouts.append(wishes)

    def take_events(self) -> "list[Event]":
        os.eventfd_read(self._event_fd)
        events, self._events = self._events, []
        return events

    @property
    def alive(self) -> bool:
        return not self.stopped

    def counters(self) -> dict[str, int]:
        return {"turns": 1, "datagrams_in": 3, "datagrams_out": 4, "drop_garbage": 2}

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            assert self._transport is not None
            self._transport.close()
            os.close(self._event_fd)
