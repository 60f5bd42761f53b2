"""The packet path: one engine thread and one UDP port. Private to salon_media.

Commands are queued and never wait; events are taken when `event_fd` becomes readable. The engine never takes the GIL.
Numbers of kinds are those of the protocol: `SourceKind` and `SlotKind` of proto/salon.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

class CodecSpec(Protocol):
    """A codec as one section of the offer numbers it."""

    @property
    def payload_type(self) -> int: ...
    @property
    def name(self) -> str:
        """Lower case: "opus", "vp8" …"""
    @property
    def clock_rate(self) -> int: ...
    @property
    def rtx_payload_type(self) -> int | None: ...

class SendSpec(Protocol):
    """A section by which the client sends a source."""

    @property
    def source(self) -> int:
        """The source's number in the room."""
    @property
    def kind(self) -> int:
        """SourceKind."""
    @property
    def mid(self) -> str: ...
    @property
    def rids(self) -> Sequence[str]:
        """Simulcast layers as the offer lists them; empty without simulcast."""
    @property
    def ssrcs(self) -> Sequence[tuple[int, int | None]]:
        """From a=ssrc and a=ssrc-group:FID: (media SSRC, RTX SSRC). Empty when the offer names none."""
    @property
    def codecs(self) -> Sequence[CodecSpec]:
        """As answered."""
    @property
    def extensions(self) -> dict[str, int]:
        """URI to id, as answered."""

class SlotSpec(Protocol):
    """A section in which the client receives whatever the slot shows."""

    @property
    def kind(self) -> int:
        """SlotKind."""
    @property
    def index(self) -> int:
        """Among the slots of its kind, from 0."""
    @property
    def ssrc(self) -> int: ...
    @property
    def rtx_ssrc(self) -> int | None: ...
    @property
    def codecs(self) -> Sequence[CodecSpec]: ...

class SessionSpec(Protocol):
    """One participant's media session."""

    @property
    def session(self) -> int:
        """Unique for the life of the engine, chosen by the caller."""
    @property
    def room(self) -> int:
        """The room's handle, chosen by the caller; sessions with the same handle hear each other."""
    @property
    def local_ufrag(self) -> str: ...
    @property
    def local_pwd(self) -> str: ...
    @property
    def remote_ufrag(self) -> str: ...
    @property
    def cname(self) -> str:
        """For the SDES of the slots' sender reports."""
    @property
    def sends(self) -> Sequence[SendSpec]: ...
    @property
    def slots(self) -> Sequence[SlotSpec]: ...

DtlsEvent: TypeAlias = tuple[Literal["dtls"], int, bytes]
"""(session, datagram): from an address that passed a STUN check."""
SelectedEvent: TypeAlias = tuple[Literal["selected"], int]
"""(session): the client's first authenticated check with an address to answer to."""
SilentEvent: TypeAlias = tuple[Literal["silent"], int]
"""(session): nothing authentic was heard for `silent_after` seconds; the caller closes the session."""
SlotsEvent: TypeAlias = tuple[Literal["slots"], int, list[tuple[int, int, int, int]]]
"""(session, [(SlotKind, index, source or 0, first RTP timestamp)])."""
SpeakersEvent: TypeAlias = tuple[Literal["speakers"], int, list[int], int]
"""(room, microphones heard now loudest first, dominant or 0); at most four a second a room."""
FailedEvent: TypeAlias = tuple[Literal["failed"], int]
"""(room): a panic closed the room's place; its sessions are gone."""
Event: TypeAlias = DtlsEvent | SelectedEvent | SilentEvent | SlotsEvent | SpeakersEvent | FailedEvent

class Engine:
    """Binds and starts the engine thread."""

    def __init__(
        self, address: str, port: int, *, silent_after: float = 8.0, seed: int | None = None
    ) -> None:
        """Bind UDP `address`:`port` (0: any). `seed` fixes the random start values, for tests.

        Raises OSError when the port cannot be bound.
        """

    @property
    def port(self) -> int: ...
    @property
    def event_fd(self) -> int:
        """Readable while events wait; `take_events` clears it."""

    @property
    def alive(self) -> bool:
        """Whether the engine's thread runs. While it does, the counter `turns` grows several times a second."""

    def open_session(self, spec: SessionSpec) -> None:
        """Await the client's checks. ValueError when the spec contradicts itself."""

    def close_session(self, session: int) -> None:
        """Forget a session; unknown ones are ignored."""

    def set_keys(
        self,
        session: int,
        profile: int,
        client_key: bytes,
        client_salt: bytes,
        node_key: bytes,
        node_salt: bytes,
    ) -> None:
        """SRTP keys after DTLS. `profile`: the IANA number (1 AES128_CM_SHA1_80, 7 AEAD_AES_128_GCM, 8 AEAD_AES_256_GCM).

        ValueError for another profile or lengths that do not fit it.
        """

    def send_dtls(self, session: int, datagram: bytes) -> None: ...
    def set_layout(self, session: int, wishes: list[tuple[int, int, int]]) -> None:
        """(slot index, source number, max height) for the video slots; slots not named show nothing."""

    def take_events(self) -> list[Event]: ...
    def counters(self) -> dict[str, int]:
        """Since the start, by name: datagrams_in, datagrams_out, bytes_in, bytes_out, and drops by reason as drop_<reason>."""

    def stop(self) -> None:
        """End the thread and close the port. Idempotent."""
