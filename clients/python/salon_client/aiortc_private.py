"""Every private name of aiortc and aioice that the client touches; `tests/unit/client/test_aiortc_private.py` is their contract.

What is mended here, with aiortc 1.16 and aioice 0.13:
* aioice gathers no loopback candidate, so a node on this machine may be out of reach: sockets are bound to the addresses from which
  the node's own are reached.
* aioice paces checks by 20 ms, before the first (it starts before it is given candidates) and after the last: the node's few are checked
  at once.
* The router forgets RTX SSRCs, so retransmissions for one of several video slots are dropped: they are registered.
* Closing during a handshake leaves decoder threads behind: transport first, receivers once more at the end.
* Closing waits on the loop for one decoder thread a slot, half a second for a few clients in one process: they end on a thread of their own.
* A decoded frame's `pts` counts from the receiver's first frame, and CSRCs are not shown: `pts` becomes the RTP timestamp and every
  packet's CSRC is handed on, so that each frame can be told whose it is.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any

from aioice import Candidate
from aioice.ice import CandidatePair
from aiortc import RTCPeerConnection, RTCRtpReceiver

_ANY_PORT = 9
_HOST_COMPONENT = 1

_DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
_DECODER_THREAD = "_RTCRtpReceiver__decoder_thread"
_MAPPER = "_RTCRtpReceiver__timestamp_mapper"
_HANDLE_RTP = "_handle_rtp_packet"


def local_addresses_towards(remotes: Sequence[str]) -> Sequence[str]:
    """The local addresses from which these are reached, without sending anything; unreachable ones add none."""
    found: list[str] = []
    for remote in remotes:
        family = socket.AF_INET6 if ":" in remote else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((remote, _ANY_PORT))
            except OSError:
                continue
            found.append(probe.getsockname()[0])
    return tuple(dict.fromkeys(found))


async def gather_candidates(pc: RTCPeerConnection, addresses: Sequence[str]) -> None:
    """Bind one socket an address; aiortc's own gathering then finds nothing left to do."""
    connection: Any = _dtls(pc).transport._connection  # noqa: SLF001
    connection._local_candidates_start = True  # noqa: SLF001
    connection._local_candidates = await connection.get_component_candidates(  # noqa: SLF001
        component=_HOST_COMPONENT, addresses=list(addresses)
    )
    connection._local_candidates_end = True  # noqa: SLF001


async def close(pc: RTCPeerConnection) -> None:
    """Close, whatever state it is in.

    aiortc starts receivers, each with a thread, when a handshake completes while it closes, and aioice starts asking for consent: a program
    with either left could not end.
    """
    transport = _dtls(pc)
    await _end_decoders(pc)
    if transport.state != "connected":
        await transport.transport.stop()
    await pc.close()
    await _end_decoders(pc)
    for transceiver in pc.getTransceivers():
        await transceiver.receiver.stop()
    await transport.transport._connection.close()  # noqa: SLF001


async def _end_decoders(pc: RTCPeerConnection) -> None:
    """End the receivers' threads without keeping the loop waiting for them."""
    ending: list[Thread] = []
    for transceiver in pc.getTransceivers():
        receiver: Any = transceiver.receiver
        thread: Thread | None = getattr(receiver, _DECODER_THREAD)
        if thread is not None:
            getattr(receiver, _DECODER_QUEUE).put(None)
            setattr(receiver, _DECODER_THREAD, None)
            ending.append(thread)
    if ending:
        await asyncio.to_thread(_join_all, ending)


def _join_all(threads: Sequence[Thread]) -> None:
    for thread in threads:
        thread.join()


async def check_at_once(pc: RTCPeerConnection, candidates: Sequence[str]) -> None:
    """Give the node's candidates now, and have all their pairs checked together. Raises ValueError for a bad candidate."""
    connection: Any = _dtls(pc).transport._connection  # noqa: SLF001
    for candidate in candidates:
        await connection.add_remote_candidate(Candidate.from_sdp(candidate))

    def start_all() -> bool:
        for pair in connection._check_list:  # noqa: SLF001
            if pair.state in (CandidatePair.State.WAITING, CandidatePair.State.FROZEN):
                connection.check_start_task(pair)
        return False

    connection._check_periodic = start_all  # noqa: SLF001


def route_retransmissions(pc: RTCPeerConnection, pairs: dict[int, int]) -> None:
    """Send each RTX SSRC's packets where its media SSRC's go. To be called once connected."""
    table: dict[int, Any] = _dtls(pc)._rtp_router.ssrc_table  # noqa: SLF001
    for rtx, media in pairs.items():
        if media in table:
            table[rtx] = table[media]


def observe_packets(receiver: RTCRtpReceiver, note: Callable[[int, int], None]) -> None:
    """Call `note(RTP timestamp, CSRC)` for every packet with a CSRC, and give decoded frames the RTP timestamp as `pts`."""
    private: Any = receiver
    handle = getattr(private, _HANDLE_RTP)

    async def observed(packet: Any, arrival_time_ms: int) -> None:
        if packet.csrc:
            note(packet.timestamp, packet.csrc[0])
        await handle(packet, arrival_time_ms=arrival_time_ms)

    setattr(private, _HANDLE_RTP, observed)
    setattr(private, _MAPPER, _Unmapped())


def observe_reports(pc: RTCPeerConnection, note: Callable[[], None]) -> None:
    """Call `note()` for every RTCP datagram of the node that was authentic."""
    dtls = _dtls(pc)
    handle = dtls._handle_rtcp_data  # noqa: SLF001

    async def observed(data: bytes) -> None:
        note()
        await handle(data)

    dtls._handle_rtcp_data = observed  # noqa: SLF001


def received_datagrams(pc: RTCPeerConnection) -> int:
    """How many datagrams came from the node, STUN not counted."""
    return max((getattr(each, "packetsReceived", 0) for each in _dtls(pc)._get_stats().values()), default=0)  # noqa: SLF001


class _Unmapped:
    """In place of aiortc's TimestampMapper."""

    def map(self, timestamp: int) -> int:
        return timestamp


def _dtls(pc: RTCPeerConnection) -> Any:
    """The one transport of a bundled connection with at least one media section."""
    return pc.getTransceivers()[0].receiver.transport
