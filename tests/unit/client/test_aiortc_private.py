"""The contract with aiortc's and aioice's private parts: fails clearly when an upgrade changes what the client leans on."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import av
import pytest
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtp import RtpPacket
from salon.media.v1 import channel_pb2
from salon_client import aiortc_private
from salon_client.core.sdp import sections
from salon_client.media import MediaSession
from salon_client.synthetic import COLOURS, ColourTrack, ToneTrack
from salon_client.tracks import NO_TRACKS, Lender, Tracks

LOOPBACK = "127.0.0.1"


def session(tracks: Tracks = NO_TRACKS, video_slots: int = 2) -> MediaSession:
    return MediaSession(Lender(tracks), number=1, video_slots=video_slots, receiver=_Arrivals("video"))


async def test_offer_has_its_sections_in_the_agreed_order() -> None:
    tracks = Tracks(
        microphone=ToneTrack(440), camera=ColourTrack(COLOURS["red"]), screen=ColourTrack(COLOURS["blue"])
    )
    made = session(tracks, 2)
    found = [(each.kind, each.direction) for each in sections(await made.offer())]
    assert found == [
        ("audio", "sendonly"),
        ("video", "sendonly"),
        ("video", "sendonly"),
        *[("audio", "recvonly")] * 4,
        *[("video", "recvonly")] * 2,
        ("application", "sendrecv"),
    ]
    await made.close()
    tracks.stop()


async def test_screen_without_camera_still_leaves_the_camera_its_place() -> None:
    tracks = Tracks(screen=ColourTrack(COLOURS["blue"]))
    made = session(tracks, 1)
    found = [(each.kind, each.direction) for each in sections(await made.offer())]
    assert found[:2] == [("video", "sendonly")] * 2
    await made.close()
    tracks.stop()


async def test_offer_is_small_bundled_and_lists_what_nodes_speak() -> None:
    made = session(video_slots=25)
    offer = await made.offer()
    assert len(offer) < 64 * 1024
    assert "a=candidate" not in offer
    assert "VP8/90000" in offer
    assert "opus/48000/2" in offer
    assert "H264" not in offer
    assert "PCMU" not in offer
    await made.close()


async def test_candidates_are_bound_where_told() -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    pc.addTransceiver("audio", direction="recvonly")
    await aiortc_private.gather_candidates(pc, [LOOPBACK])
    await pc.setLocalDescription(await pc.createOffer())
    candidates = [line for line in pc.localDescription.sdp.splitlines() if line.startswith("a=candidate")]
    assert len(candidates) == 1
    assert f" {LOOPBACK} " in candidates[0]
    await pc.close()


def test_local_addresses_are_found_by_route() -> None:
    assert aiortc_private.local_addresses_towards([LOOPBACK, LOOPBACK, "not an address"]) == (LOOPBACK,)


async def test_given_candidates_are_checked_at_once() -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    pc.addTransceiver("audio", direction="recvonly")
    await aiortc_private.gather_candidates(pc, [LOOPBACK])
    await aiortc_private.check_at_once(
        pc, [f"{each} 1 udp 1 {LOOPBACK} {9 + each} typ host" for each in (1, 2)]
    )
    connection = aiortc_private._dtls(pc).transport._connection
    for remote in connection.remote_candidates:
        connection._pair_remote_candidate(remote)
    assert connection._check_periodic() is False, "nothing is left to be paced"
    assert len([pair for pair in connection._check_list if pair.task is not None]) == 2
    await pc.close()


async def test_packets_show_their_csrc_and_rtx_is_routed() -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    receiver = pc.addTransceiver("video", direction="recvonly").receiver
    noted: list[tuple[int, int]] = []
    aiortc_private.observe_packets(receiver, lambda timestamp, source: noted.append((timestamp, source)))
    packet = RtpPacket(payload_type=97, sequence_number=1, timestamp=1234)
    packet.csrc = [42]
    router: Any = receiver.transport._rtp_router
    router.register_receiver(receiver, ssrcs=[1000], payload_types=[97, 98])
    aiortc_private.route_retransmissions(pc, {2000: 1000, 4000: 3000})
    assert router.ssrc_table[2000] is receiver
    assert 4000 not in router.ssrc_table
    await router.ssrc_table[1000]._handle_rtp_packet(packet, arrival_time_ms=0)
    assert noted == [(1234, 42)]
    assert aiortc_private.received_datagrams(pc) == 0
    await pc.close()


async def test_receiver_still_maps_timestamps_where_we_replace_it() -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver: Any = pc.addTransceiver("video", direction="recvonly").receiver
    assert hasattr(receiver, "_RTCRtpReceiver__timestamp_mapper")
    aiortc_private.observe_packets(receiver, lambda _timestamp, _source: None)
    assert receiver._RTCRtpReceiver__timestamp_mapper.map(77) == 77
    await pc.close()


async def test_media_and_channel_flow_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    probe, received = _Arrivals("video"), _Arrivals("audio")
    async with connecting(monkeypatch, probe, received) as (made, channel):
        async with asyncio.timeout(20):
            await made.connected.wait()
            await asyncio.gather(probe.seen.wait(), received.seen.wait())
        assert channel.readyState == "open"
        assert made.received_datagrams() > 0
        async with asyncio.timeout(20):
            await probe.reported.wait()


async def test_last_message_leaves_before_the_session_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connecting(monkeypatch, _Arrivals("video"), _Arrivals("audio")) as (made, channel):
        got: asyncio.Queue[bytes] = asyncio.Queue()
        channel.on("message", got.put_nowait)
        async with asyncio.timeout(20):
            await made.connected.wait()
            said = channel_pb2.ClientMessage(epoch_seen=channel_pb2.EpochSeen(epoch=7))
            assert made.send(said)
            await made.close()
            assert channel_pb2.ClientMessage.FromString(await got.get()) == said
        assert not made.send(said)
        assert all(track.readyState == "ended" for track in made._borrowed)


@pytest.mark.parametrize("steps", [0, 3, 10, 30, 60])
async def test_closing_during_the_handshake_leaves_no_threads(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    async with connecting(monkeypatch, _Arrivals("video"), _Arrivals("audio")) as (made, _channel):
        for _ in range(steps):
            await asyncio.sleep(0.001)
        await made.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.endswith("-decoder")]
    left = [task.get_coro() for task in asyncio.all_tasks() - {asyncio.current_task()}]
    assert not [coroutine for coroutine in left if "consent" in str(coroutine)]


@asynccontextmanager
async def connecting(
    monkeypatch: pytest.MonkeyPatch, probe: "_Arrivals", received: "_Arrivals"
) -> AsyncIterator[tuple[MediaSession, RTCDataChannel]]:
    """A session that has just taken the answer of aiortc in the node's place, which sends a tone and a picture."""
    tracks = Tracks(microphone=ToneTrack(440), camera=ColourTrack(COLOURS["red"]))
    made = MediaSession(Lender(tracks), number=1, video_slots=1, receiver=probe)
    # aiortc is no ICE-lite node: it needs the client's candidates in the offer.
    await aiortc_private.gather_candidates(made._pc, [LOOPBACK])
    node = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    pumps: list[asyncio.Task[None]] = []
    node.on("track", lambda track: pumps.append(asyncio.ensure_future(_pump(track, received))))
    await node.setRemoteDescription(RTCSessionDescription(await made.offer(), "offer"))
    await aiortc_private.gather_candidates(node, [LOOPBACK])
    sending = ToneTrack(880), ColourTrack(COLOURS["blue"])
    for transceiver in node.getTransceivers():
        transceiver.direction = "recvonly" if transceiver.mid in ("0", "1") else "sendonly"
    node.getTransceivers()[2].sender.replaceTrack(sending[0])
    node.getTransceivers()[6].sender.replaceTrack(sending[1])
    channel = node.createDataChannel("salon", negotiated=True, id=0)
    await node.setLocalDescription(await node.createAnswer())
    with monkeypatch.context() as patch:
        patch.setattr(aiortc_private, "gather_candidates", _nothing)
        await made.accept(node.localDescription.sdp)
    yield made, channel
    await made.close()
    tracks.stop()
    await aiortc_private.close(node)
    for pump in pumps:
        pump.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)


async def _nothing(*_arguments: object) -> None:
    pass


class _Arrivals:
    """Notes that a frame of a kind has come, and a report."""

    def __init__(self, kind: str) -> None:
        self._type = av.VideoFrame if kind == "video" else av.AudioFrame
        self.seen = asyncio.Event()
        self.reported = asyncio.Event()

    def session_packet(self, session: int, source: int) -> None:
        if source == 0:
            self.reported.set()

    def session_frame(self, session: int, source: int, frame: Any) -> None:
        if isinstance(frame, self._type):
            self.seen.set()

    def session_message(self, session: int, message: channel_pb2.NodeMessage) -> None:
        pass


async def _pump(track: MediaStreamTrack, sink: "_Arrivals") -> None:
    while True:
        sink.session_frame(0, 0, await track.recv())
