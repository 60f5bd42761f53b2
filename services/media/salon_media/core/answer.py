"""The node's answer to an offer, as SDP.

Owns the wording of the answer; what is answered was decided by `offer` and `session_spec`. Sections are mirrored in order.
Transport attributes are repeated in every section: aiortc as a client looks for them there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from salon.media.v1 import channel_pb2
from salon.rooms.v1 import room_pb2

from salon_media.core.codecs import Codec
from salon_media.core.offer import Offer, OfferedChannel, OfferedSend, OfferedSlot
from salon_media.core.session_spec import SendSpec, SessionSpec, SlotSpec

MAX_MESSAGE_SIZE: Final = 16 * 1024
"""What the node takes by data channel."""

START_KBPS: Final = (100, 4000)
"""The least and most that a client is told to start with: a hint is its own word, and the path may be another one by now."""

_HOST_PREFERENCE: Final = 126
"""RFC 8445 section 5.1.2.2: the type preference of host candidates."""
_SLOT_NAMES: Final = {
    channel_pb2.SLOT_KIND_SPEECH: "speech",
    channel_pb2.SLOT_KIND_PROGRAMME: "programme",
    channel_pb2.SLOT_KIND_VIDEO: "video",
}


@dataclass(frozen=True, slots=True)
class NodeTransport:
    """Where and as whom the node is reached: the same for all its sessions."""

    addresses: tuple[str, ...]
    port: int
    fingerprint: str
    """SHA-256 of its certificate, upper-case hexadecimal with colons."""


def make_answer(offer: Offer, spec: SessionSpec, transport: NodeTransport, *, uplink_bps: int = 0) -> str:
    """The SDP answer. `uplink_bps` is what the client's uplink carried before; 0 while unknown."""
    sends = {send.mid: send for send in spec.sends}
    slots = {(slot.kind, slot.index): slot for slot in spec.slots}
    common = list(_transport_lines(spec, transport))
    lines = [
        "v=0",
        f"o=- {spec.session} 1 IN {_address_type(transport)} {transport.addresses[0]}",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(section.mid for section in offer.sections)}",
        "a=ice-lite",
    ]
    for section in offer.sections:
        match section:
            case OfferedSend():
                lines += _send_section(section, sends[section.mid], transport, common)
                if section.media == "video" and uplink_bps:
                    lines += _start_lines(sends[section.mid].codecs, uplink_bps)
            case OfferedSlot():
                lines += _slot_section(
                    section, slots[section.kind, section.index], spec.cname, transport, common
                )
            case OfferedChannel():
                lines += _channel_section(section, transport, common)
    return "\r\n".join(lines) + "\r\n"


def _address_type(transport: NodeTransport) -> str:
    return "IP6" if ":" in transport.addresses[0] else "IP4"


def _transport_lines(spec: SessionSpec, transport: NodeTransport) -> Iterator[str]:
    yield f"c=IN {_address_type(transport)} {transport.addresses[0]}"
    yield f"a=ice-ufrag:{spec.local_ufrag}"
    yield f"a=ice-pwd:{spec.local_pwd}"
    yield f"a=fingerprint:sha-256 {transport.fingerprint}"
    yield "a=setup:passive"
    for index, address in enumerate(transport.addresses):
        # RFC 8445 section 5.1.2.1: 2^24 type + 2^8 local + (256 - component).
        priority = (_HOST_PREFERENCE << 24) + ((0xFFFF - index) << 8) + 255
        yield f"a=candidate:{index + 1} 1 udp {priority} {address} {transport.port} typ host"
    yield "a=end-of-candidates"


def _media_line(media: str, transport: NodeTransport, codecs: Sequence[Codec]) -> str:
    types = [
        str(number)
        for codec in codecs
        for number in (codec.payload_type, codec.rtx_payload_type)
        if number is not None
    ]
    return f"m={media} {transport.port} UDP/TLS/RTP/SAVPF {' '.join(types)}"


def _send_section(
    section: OfferedSend, spec: SendSpec, transport: NodeTransport, common: Sequence[str]
) -> list[str]:
    stereo = section.kind == room_pb2.SOURCE_KIND_SCREEN_AUDIO
    lines = [_media_line(section.media, transport, spec.codecs), *common, f"a=mid:{section.mid}"]
    lines += [
        f"a=extmap:{number} {uri}"
        for uri, number in sorted(spec.extensions.items(), key=lambda item: item[1])
    ]
    lines += ["a=recvonly", "a=rtcp-mux", "a=rtcp-rsize"]
    lines += _codec_lines(section.media, spec.codecs, stereo=stereo, nack_without_rtx=True)
    lines += [f"a=rid:{rid} recv" for rid in spec.rids]
    if spec.rids:
        lines.append(f"a=simulcast:recv {';'.join(spec.rids)}")
    return lines


def _start_lines(codecs: Sequence[Codec], uplink_bps: int) -> Iterator[str]:
    """Where libwebrtc begins instead of at 300 kbit/s: who is moved sends the picture that they sent before."""
    least, most = START_KBPS
    start = min(max(uplink_bps // 1000, least), most)
    for codec in codecs:
        yield f"a=fmtp:{codec.payload_type} x-google-start-bitrate={start}"


def _slot_section(
    section: OfferedSlot, spec: SlotSpec, cname: str, transport: NodeTransport, common: Sequence[str]
) -> list[str]:
    stereo = section.kind == channel_pb2.SLOT_KIND_PROGRAMME
    name = f"slot-{_SLOT_NAMES[section.kind]}-{section.index}"
    lines = [_media_line(section.media, transport, spec.codecs), *common, f"a=mid:{section.mid}"]
    # A stream of its own each, so that browsers don't tie one slot's clock to another's.
    lines += [f"a=msid:{name} {name}", "a=sendonly", "a=rtcp-mux", "a=rtcp-rsize"]
    # A media sequence number is never sent twice under one key: without RTX there is nothing to answer a NACK with.
    lines += _codec_lines(section.media, spec.codecs, stereo=stereo, nack_without_rtx=False)
    if spec.rtx_ssrc is not None:
        lines.append(f"a=ssrc-group:FID {spec.ssrc} {spec.rtx_ssrc}")
    lines.append(f"a=ssrc:{spec.ssrc} cname:{cname}")
    if spec.rtx_ssrc is not None:
        lines.append(f"a=ssrc:{spec.rtx_ssrc} cname:{cname}")
    return lines


def _channel_section(section: OfferedChannel, transport: NodeTransport, common: Sequence[str]) -> list[str]:
    return [
        f"m=application {transport.port} UDP/DTLS/SCTP webrtc-datachannel",
        *common,
        f"a=mid:{section.mid}",
        f"a=sctp-port:{section.port}",
        f"a=max-message-size:{MAX_MESSAGE_SIZE}",
    ]


def _codec_lines(
    media: str, codecs: Sequence[Codec], *, stereo: bool, nack_without_rtx: bool
) -> Iterator[str]:
    for codec in codecs:
        number = codec.payload_type
        if media == "audio":
            yield f"a=rtpmap:{number} {codec.name}/{codec.clock_rate}/2"
            # RFC 7587 section 6.1: what the node's receivers like, so it tells the sender.
            yield f"a=fmtp:{number} minptime=10;useinbandfec=1" + (
                ";stereo=1;sprop-stereo=1" if stereo else ""
            )
            continue
        yield f"a=rtpmap:{number} {codec.name.upper()}/{codec.clock_rate}"
        for feedback in codec.feedback:
            if feedback != "nack" or nack_without_rtx or codec.rtx_payload_type is not None:
                yield f"a=rtcp-fb:{number} {feedback}"
        if codec.rtx_payload_type is not None:
            yield f"a=rtpmap:{codec.rtx_payload_type} rtx/{codec.clock_rate}"
            yield f"a=fmtp:{codec.rtx_payload_type} apt={number}"
