//! A node without a socket, and clients that speak to it in virtual time.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;

use ring::hmac;
use salon_forward::{
    Codec, CodecSpec, ExtensionIds, MemberSpec, Micros, SendSpec, SlotKind, SlotSpec, SourceId,
    SourceKind,
};
use salon_netio::MAX_DATAGRAM;
use salon_node::{
    Command, Core, Counter, Event, EventReceiver, Events, MediaKeys, Metrics, Outlet,
    SessionNumber, SessionSpec,
};
use salon_srtp::{InboundContext, MAX_OVERHEAD, OutboundContext, Profile};
use salon_wire::rtp::{RtpTimestamp, RtpWriter, SeqNo, Ssrc};

pub const MS: Micros = 1000;
pub const SECOND: Micros = 1_000_000;
const PROFILE: Profile = Profile::AeadAes128Gcm;
const OPUS: CodecSpec = CodecSpec {
    codec: Codec::Opus,
    payload_type: 111,
    rtx_payload_type: None,
};

pub fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5000 + u16::from(last)))
}

/// What the node sent.
pub struct Wire {
    buffer: Box<[u8; MAX_DATAGRAM]>,
    pub sent: Vec<(SocketAddr, Vec<u8>)>,
}

impl Outlet for Wire {
    fn slot(&mut self) -> &mut [u8; MAX_DATAGRAM] {
        &mut self.buffer
    }

    fn commit(&mut self, to: SocketAddr, length: usize) {
        self.sent.push((to, self.buffer[..length].into()));
    }
}

/// The node.
pub struct Bench {
    pub core: Core,
    pub wire: Wire,
    pub now: Micros,
    pub events: EventReceiver,
    pub metrics: Arc<Metrics>,
}

impl Bench {
    pub fn new() -> Self {
        let metrics = Arc::new(Metrics::default());
        let (events, receiver) = Events::new(Arc::clone(&metrics)).unwrap();
        Self {
            core: Core::new(1, 8 * SECOND, events, Arc::clone(&metrics)),
            wire: Wire {
                buffer: Box::new([0; MAX_DATAGRAM]),
                sent: Vec::new(),
            },
            now: 1000 * SECOND,
            events: receiver,
            metrics,
        }
    }

    pub fn command(&mut self, command: Command) {
        self.core.handle_command(self.now, command, &mut self.wire);
    }

    /// A datagram arrives; answers what the node sends at once.
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8]) -> Vec<(SocketAddr, Vec<u8>)> {
        self.wire.sent.clear();
        self.core
            .handle_datagram(self.now, from, &mut datagram.to_vec(), &mut self.wire);
        self.core.flush_events();
        std::mem::take(&mut self.wire.sent)
    }

    /// Let time pass with a tick each 5 ms; answers what the node sends meanwhile.
    pub fn pass(&mut self, time: Micros) -> Vec<(SocketAddr, Vec<u8>)> {
        self.wire.sent.clear();
        for _ in 0..time / (5 * MS) {
            self.now += 5 * MS;
            self.core.handle_timeout(self.now, &mut self.wire);
        }
        self.core.flush_events();
        std::mem::take(&mut self.wire.sent)
    }

    pub fn count(&self, counter: Counter) -> u64 {
        self.metrics.value(counter)
    }

    pub fn take_events(&self) -> Vec<Event> {
        self.events.take()
    }
}

/// One client.
pub struct Client {
    pub number: SessionNumber,
    pub address: SocketAddr,
    inbound: InboundContext,
    outbound: OutboundContext,
    seq: SeqNo,
    timestamp: RtpTimestamp,
}

impl Client {
    /// Open a session with a microphone and three speech slots.
    pub fn open(bench: &mut Bench, number: u8, room: u64) -> Self {
        bench.command(Command::Open(Box::new(spec(number, room))));
        let context = |key: u8| ([key; 16], [key; 12]);
        let ((client_key, client_salt), (node_key, node_salt)) =
            (context(number), context(100 + number));
        Self {
            number: SessionNumber(number.into()),
            address: address(number),
            inbound: InboundContext::new(PROFILE, &node_key, &node_salt).unwrap(),
            outbound: OutboundContext::new(PROFILE, &client_key, &client_salt).unwrap(),
            seq: SeqNo(u16::from(number) * 100),
            timestamp: RtpTimestamp(u32::from(number) << 24),
        }
    }

    /// Open, check and set keys.
    pub fn connect(bench: &mut Bench, number: u8, room: u64) -> Self {
        let client = Self::open(bench, number, room);
        bench.receive(client.address, &Check::of(&client).bytes());
        client.set_keys(bench);
        client
    }

    pub fn set_keys(&self, bench: &mut Bench) {
        let number = self.number.0 as u8;
        let (client, node) = ([number; 28], [100 + number; 28]);
        let keys = MediaKeys::new(PROFILE, client.split_at(16), node.split_at(16)).unwrap();
        bench.command(Command::SetKeys(self.number, Box::new(keys)));
    }

    /// The next packet of its microphone, protected.
    pub fn speech(&mut self) -> Vec<u8> {
        let mut packet = vec![0; 200];
        let length = RtpWriter {
            payload_type: OPUS.payload_type,
            marker: false,
            seq: self.seq,
            timestamp: self.timestamp,
            ssrc: Ssrc(self.number.0 as u32 + 7),
            csrc: None,
            extensions: &[],
        }
        .write(b"speech", &mut packet)
        .unwrap();
        self.seq = self.seq.plus(1);
        self.timestamp = self.timestamp.plus(960);
        self.protect(packet, length)
    }

    fn protect(&mut self, mut packet: Vec<u8>, length: usize) -> Vec<u8> {
        let length = self.outbound.protect_rtp(&mut packet, length).unwrap();
        packet.truncate(length);
        packet
    }

    /// An RTCP packet, protected.
    pub fn protect_rtcp(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut buffer = [packet, &[0; MAX_OVERHEAD]].concat();
        let length = self.outbound.protect_rtcp(&mut buffer, packet.len());
        buffer.truncate(length.unwrap());
        buffer
    }

    pub fn open_rtp(&mut self, datagram: &[u8]) -> Vec<u8> {
        let mut packet = datagram.to_vec();
        let length = self.inbound.unprotect_rtp(&mut packet).unwrap();
        packet.truncate(length);
        packet
    }

    pub fn open_rtcp(&mut self, datagram: &[u8]) -> Vec<u8> {
        let mut packet = datagram.to_vec();
        let length = self.inbound.unprotect_rtcp(&mut packet).unwrap();
        packet.truncate(length);
        packet
    }
}

pub fn microphone(number: u8) -> SourceId {
    SourceId(10 * u32::from(number))
}

pub fn spec(number: u8, room: u64) -> SessionSpec {
    SessionSpec {
        session: SessionNumber(number.into()),
        room,
        local_ufrag: format!("node{number}"),
        local_pwd: password(number),
        remote_ufrag: format!("them{number}"),
        member: MemberSpec {
            cname: "cname".into(),
            sends: vec![SendSpec {
                source: microphone(number),
                kind: SourceKind::Microphone,
                mid: "0".into(),
                rids: vec![],
                ssrcs: vec![(Ssrc(u32::from(number) + 7), None)],
                codecs: vec![OPUS],
                extensions: ExtensionIds::default(),
            }],
            slots: (0..3)
                .map(|index| SlotSpec {
                    kind: SlotKind::Speech,
                    index,
                    ssrc: Ssrc(1000 * u32::from(number) + u32::from(index)),
                    codecs: vec![OPUS],
                })
                .collect(),
        },
    }
}

fn password(number: u8) -> String {
    format!("a password of node {number:04}")
}

/// A connectivity check, honest by default.
#[derive(Debug, Clone)]
pub struct Check {
    pub username: String,
    pub password: String,
    pub controlling: bool,
    pub nominates: bool,
    pub unknown_attribute: bool,
}

impl Check {
    pub fn of(client: &Client) -> Self {
        let number = client.number.0;
        Self {
            username: format!("node{number}:them{number}"),
            password: password(number as u8),
            controlling: true,
            nominates: true,
            unknown_attribute: false,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        message.extend(*b"transaction!");
        attribute(&mut message, 0x0006, self.username.as_bytes());
        attribute(&mut message, 0x0024, &[0, 0, 0, 1]);
        let role = if self.controlling { 0x802a } else { 0x8029 };
        attribute(&mut message, role, &[7; 8]);
        if self.nominates {
            attribute(&mut message, 0x0025, &[]);
        }
        if self.unknown_attribute {
            attribute(&mut message, 0x0077, &[1]);
        }
        // Each covers the message with the length that it will have with this attribute (RFC 8489 section 14.5).
        set_length(&mut message, 24);
        let key = hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            self.password.as_bytes(),
        );
        let tag = hmac::sign(&key, &message);
        attribute(&mut message, 0x0008, tag.as_ref());
        set_length(&mut message, 8);
        let checksum = crc32fast::hash(&message) ^ 0x5354_554e;
        attribute(&mut message, 0x8028, &checksum.to_be_bytes());
        message
    }
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() - 20 + more) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}
