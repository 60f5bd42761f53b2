//! A room in virtual time: model senders that make packets, and receivers that hold every slot to its promises.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::collections::{BTreeMap, HashSet};

use salon_forward::{
    Codec, CodecSpec, ExtensionIds, Forward, Member, MemberSpec, Micros, Room, RoomEvent, SendSpec,
    SlotChange, SlotKind, SlotSpec, SourceId, SourceKind, Wish,
};
use salon_wire::codec::vp8::Descriptor;
use salon_wire::rtcp::{Compound, Packet};
use salon_wire::rtp::{Extension, RtpPacket, RtpTimestamp, RtpWriter, SeqNo, Ssrc};

pub const MS: Micros = 1000;
pub const SECOND: Micros = 1_000_000;

const EXTENSIONS: ExtensionIds = ExtensionIds {
    mid: 1,
    rid: 2,
    repaired_rid: 3,
    audio_level: 4,
};
const OPUS: CodecSpec = CodecSpec {
    codec: Codec::Opus,
    payload_type: 111,
    rtx_payload_type: None,
};
const VP8: CodecSpec = CodecSpec {
    codec: Codec::Vp8,
    payload_type: 96,
    rtx_payload_type: Some(97),
};

/// Sources are numbered by member: microphone, camera, screen audio.
pub fn microphone(member: u32) -> SourceId {
    SourceId(10 * member + 1)
}

pub fn camera(member: u32) -> SourceId {
    SourceId(10 * member + 2)
}

pub fn screen_audio(member: u32) -> SourceId {
    SourceId(10 * member + 3)
}

/// What a client with `rids` for its camera and `videos` video slots offers.
pub fn member_spec(member: u32, rids: &[&str], videos: u8) -> MemberSpec {
    let send = |source, kind: SourceKind, mid: &str, rids: &[&str]| SendSpec {
        source,
        kind,
        mid: mid.into(),
        rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
        ssrcs: vec![],
        codecs: vec![if kind.is_video() { VP8 } else { OPUS }],
        extensions: EXTENSIONS,
    };
    let slot = |kind, index: u8, codec| SlotSpec {
        kind,
        index,
        ssrc: Ssrc(1000 * (member + 1) + 100 * kind as u32 + u32::from(index)),
        codecs: vec![codec],
    };
    let mut slots: Vec<_> = (0..3)
        .map(|index| slot(SlotKind::Speech, index, OPUS))
        .collect();
    slots.push(slot(SlotKind::Programme, 0, OPUS));
    slots.extend((0..videos).map(|index| slot(SlotKind::Video, index, VP8)));
    MemberSpec {
        cname: format!("member-{member}"),
        sends: vec![
            send(microphone(member), SourceKind::Microphone, "mic", &[]),
            send(camera(member), SourceKind::Camera, "cam", rids),
            send(screen_audio(member), SourceKind::ScreenAudio, "app", &[]),
        ],
        slots,
    }
}

/// What goes on the wire of one SSRC.
#[derive(Debug, Clone)]
pub struct Stream {
    pub ssrc: Ssrc,
    pub seq: SeqNo,
    pub timestamp: RtpTimestamp,
    mid: &'static str,
    rid: Option<String>,
    payload_type: u8,
}

impl Stream {
    pub fn new(mid: &'static str, rid: Option<&str>, seed: u32) -> Self {
        let noise = seed.wrapping_mul(2_654_435_761);
        Self {
            ssrc: Ssrc(noise | 1),
            seq: SeqNo(noise as u16),
            timestamp: RtpTimestamp(noise.rotate_left(7)),
            mid,
            rid: rid.map(Into::into),
            payload_type: if mid == "cam" { 96 } else { 111 },
        }
    }

    /// The next packet.
    pub fn packet(&mut self, marker: bool, level: Option<u8>, payload: &[u8]) -> Vec<u8> {
        let level = level.map(|level| [level]);
        let mut extensions = vec![Extension {
            id: EXTENSIONS.mid,
            data: self.mid.as_bytes(),
        }];
        extensions.extend(self.rid.as_ref().map(|rid| Extension {
            id: EXTENSIONS.rid,
            data: rid.as_bytes(),
        }));
        extensions.extend(level.as_ref().map(|level| Extension {
            id: EXTENSIONS.audio_level,
            data: level,
        }));
        let mut bytes = vec![0; 100 + payload.len()];
        let length = RtpWriter {
            payload_type: self.payload_type,
            marker,
            seq: self.seq,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            csrc: None,
            extensions: &extensions,
        }
        .write(payload, &mut bytes)
        .unwrap();
        bytes.truncate(length);
        self.seq = self.seq.plus(1);
        bytes
    }
}

/// A camera's layer: frames of a few packets.
#[derive(Debug, Clone)]
pub struct Layer {
    pub stream: Stream,
    pub height: u16,
    picture_id: u16,
    tl0: u8,
    /// Requests for key frames that were served.
    answered: usize,
}

impl Layer {
    pub fn new(rid: Option<&str>, height: u16, seed: u32) -> Self {
        Self {
            stream: Stream::new("cam", rid, seed),
            height,
            picture_id: (seed.wrapping_mul(40_503) & 0x7fff) as u16,
            tl0: seed as u8,
            answered: 0,
        }
    }

    /// The packets of the next frame at 30 frames a second.
    pub fn frame(&mut self, key: bool, packets: usize) -> Vec<Vec<u8>> {
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.tl0 = self.tl0.wrapping_add(1);
        self.stream.timestamp = self.stream.timestamp.plus(3000);
        (0..packets)
            .map(|at| {
                let payload = self.payload(key, at == 0);
                self.stream.packet(at + 1 == packets, None, &payload)
            })
            .collect()
    }

    /// The next frame, which is a key frame if one was asked for.
    pub fn send(&mut self, world: &mut World, member: u32, packets: usize) {
        let requests = world.key_frame_requests(member).into_iter();
        let asked = requests
            .filter(|(_, ssrc)| *ssrc == self.stream.ssrc)
            .count();
        let key = asked > self.answered;
        self.answered = asked;
        let packets = self.frame(key, packets);
        world.send_all(member, &packets);
    }

    fn payload(&self, key: bool, first: bool) -> Vec<u8> {
        let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
        let mut payload = vec![
            if first { 0x90 } else { 0x80 },
            0xe0,
            high,
            low,
            self.tl0,
            0x20,
            u8::from(!key),
        ];
        if key && first {
            payload.extend([0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01]);
            payload.extend(self.height.to_le_bytes());
        }
        payload.extend([0xaa; 20]);
        payload
    }
}

/// A packet as a receiver gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub at: Micros,
    pub to: Member,
    pub ssrc: Ssrc,
    pub seq: SeqNo,
    pub timestamp: RtpTimestamp,
    pub marker: bool,
    pub source: SourceId,
    pub picture: Option<(u16, u8)>,
    pub key_frame: bool,
}

/// The room, its clock, and all that came out of it.
pub struct World {
    pub room: Room,
    pub now: Micros,
    pub got: Vec<Got>,
    /// Keyed by receiver.
    pub changes: Vec<(Micros, Member, SlotChange)>,
    pub speakers: Vec<(Micros, Vec<SourceId>, Option<SourceId>)>,
    /// RTCP packets, by receiver.
    pub rtcp: Vec<(Micros, Member, Vec<u8>)>,
    forwards: Vec<Forward>,
    ticked: Micros,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            room: Room::new(seed),
            now: 1000 * SECOND,
            got: Vec::new(),
            changes: Vec::new(),
            speakers: Vec::new(),
            rtcp: Vec::new(),
            forwards: Vec::new(),
            ticked: 1000 * SECOND,
        }
    }

    pub fn join(&mut self, member: u32, rids: &[&str], videos: u8) {
        let spec = member_spec(member, rids, videos);
        self.room.join(Member(member), spec).unwrap();
    }

    /// Let time pass, with a tick each 5 ms.
    pub fn pass(&mut self, time: Micros) {
        let until = self.now + time;
        while self.ticked + 5 * MS <= until {
            self.ticked += 5 * MS;
            self.now = self.ticked;
            self.room.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// A packet arrives; it counts nothing here when it is refused.
    pub fn send(&mut self, from: u32, packet: &[u8]) {
        let mut forwards = std::mem::take(&mut self.forwards);
        let received = self
            .room
            .receive_rtp(self.now, Member(from), packet, &mut forwards);
        if let Ok(payload) = received {
            for forward in forwards.drain(..) {
                self.got.push(self.read(&forward, &packet[payload.clone()]));
            }
        }
        self.forwards = forwards;
        self.drain();
    }

    pub fn send_all(&mut self, from: u32, packets: &[Vec<u8>]) {
        for packet in packets {
            self.send(from, packet);
        }
    }

    pub fn wish(&mut self, member: u32, wishes: &[(u8, SourceId, u32)]) {
        let wishes: Vec<_> = wishes
            .iter()
            .map(|&(slot, source, max_height)| Wish {
                slot,
                source,
                max_height,
            })
            .collect();
        self.room.set_layout(self.now, Member(member), &wishes);
        self.drain();
    }

    fn read(&self, forward: &Forward, payload: &[u8]) -> Got {
        let mut out = [0; 2000];
        let length = forward.write(payload, &mut out).unwrap();
        let packet = RtpPacket::parse(&out[..length]).unwrap();
        let video = packet.header.payload_type == VP8.payload_type;
        let descriptor = video.then(|| Descriptor::parse(packet.payload).unwrap());
        Got {
            at: self.now,
            to: forward.to,
            ssrc: packet.header.ssrc,
            seq: packet.header.seq,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            source: SourceId(packet.csrcs().next().unwrap()),
            picture: descriptor.map(|descriptor| {
                let id = descriptor.picture_id.unwrap().value();
                (id, descriptor.tl0_pic_idx.unwrap())
            }),
            key_frame: descriptor
                .is_some_and(|descriptor| descriptor.starts_key_frame(packet.payload)),
        }
    }

    fn drain(&mut self) {
        let mut buffer = [0; 1280];
        while let Some((member, length)) = self.room.poll_rtcp(self.now, &mut buffer) {
            self.rtcp.push((self.now, member, buffer[..length].into()));
        }
        while let Some(event) = self.room.poll_event() {
            match event {
                RoomEvent::Slots(member, changes) => {
                    let changes = changes.into_iter();
                    self.changes
                        .extend(changes.map(|change| (self.now, member, change)));
                }
                RoomEvent::Speakers(heard, dominant) => {
                    self.speakers.push((self.now, heard, dominant));
                }
            }
        }
    }

    /// When key frames were asked of a member, with the SSRC asked.
    pub fn key_frame_requests(&self, member: u32) -> Vec<(Micros, Ssrc)> {
        let to_member = self.rtcp.iter().filter(|(_, to, _)| *to == Member(member));
        let requests = to_member.flat_map(|(at, _, bytes)| {
            let packets = Compound::new(bytes).map(Result::unwrap);
            packets.filter_map(|packet| match packet {
                Packet::Pli(pli) => Some((*at, pli.media)),
                _ => None,
            })
        });
        requests.collect()
    }

    /// What a member got in each of its slots.
    pub fn slots_of(&self, member: u32) -> BTreeMap<u32, Vec<Got>> {
        let mut slots: BTreeMap<u32, Vec<Got>> = BTreeMap::new();
        for got in self.got.iter().filter(|got| got.to == Member(member)) {
            slots.entry(got.ssrc.0).or_default().push(got.clone());
        }
        slots
    }

    /// No slot ever used a sequence number twice, whatever happened.
    pub fn assert_no_number_twice(&self) {
        let mut used = HashSet::new();
        for got in &self.got {
            assert!(
                used.insert((got.ssrc.0, got.seq.0)),
                "{got:?} was sent before"
            );
        }
    }
}

/// Hold a video slot that lost nothing to its promises: numbers, times and pictures go on without a jump.
pub fn assert_unbroken(slot: &[Got]) {
    for pair in slot.windows(2) {
        let [before, after] = pair else {
            unreachable!()
        };
        assert_eq!(after.seq, before.seq.plus(1), "{pair:?}");
        let (id, tl0) = before.picture.unwrap();
        let (next_id, next_tl0) = after.picture.unwrap();
        if before.marker {
            assert!(after.timestamp.is_after(before.timestamp), "{pair:?}");
            assert_eq!(next_id, (id + 1) & 0x7fff, "{pair:?}");
            assert_eq!(next_tl0, tl0.wrapping_add(1), "{pair:?}");
        } else if before.source == after.source {
            assert_eq!(after.timestamp, before.timestamp, "{pair:?}");
            assert_eq!(next_id, id, "{pair:?}");
        }
        if after.source != before.source {
            assert!(after.key_frame, "{pair:?}");
        }
    }
}
