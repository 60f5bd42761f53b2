//! Slots: the fixed places in which members receive, and what is rewritten to keep each one unbroken stream.

mod audio;
mod sequence;
mod timeline;
mod video;
mod vp8;

pub(crate) use audio::AudioSlot;
pub(crate) use video::{Placed, VideoSlot};

use salon_wire::codec::vp8::Descriptor;
use salon_wire::ntp::NtpTime;
use salon_wire::rtcp::SenderInfo;
use salon_wire::rtp::{RtpTimestamp, RtpWriter, SeqNo, Ssrc};

use crate::random::Random;
use crate::source::Media;
use crate::spec::{Member, Micros, SlotKind, SlotSpec, SourceId};
use sequence::Sequence;
use timeline::{Correction, Timeline};

/// One packet to one member: everything that differs from what came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// Who receives it.
    pub to: Member,
    /// The member's number for the codec.
    pub payload_type: u8,
    /// The slot's.
    pub ssrc: Ssrc,
    /// The slot's.
    pub seq: SeqNo,
    /// The slot's.
    pub timestamp: RtpTimestamp,
    /// As it came, and set where sound of another source begins.
    pub marker: bool,
    /// Goes into the packet as CSRC.
    pub source: SourceId,
    /// The VP8 descriptor to send, and the length of the one that it replaces.
    pub descriptor: Option<(Descriptor, usize)>,
}

impl Forward {
    /// Write the packet with the payload that came in, and answer its length.
    pub fn write(&self, payload: &[u8], out: &mut [u8]) -> salon_wire::Result<usize> {
        let header = RtpWriter {
            payload_type: self.payload_type,
            marker: self.marker,
            seq: self.seq,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            csrc: Some(self.source.0),
            extensions: &[],
        };
        let mut at = header.write_header(out)?;
        let mut rest = payload;
        if let Some((descriptor, replaced)) = &self.descriptor {
            at += descriptor.write(&mut out[at..])?;
            rest = payload.get(*replaced..).unwrap_or_default();
        }
        let end = at + rest.len();
        out.get_mut(at..end)
            .ok_or(salon_wire::Error::BufferTooSmall)?
            .copy_from_slice(rest);
        Ok(end)
    }
}

/// What a slot shows from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotChange {
    /// What the slot is for.
    pub kind: SlotKind,
    /// Among the slots of its kind.
    pub index: u8,
    /// What it shows; nothing when `None`.
    pub source: Option<SourceId>,
    /// The timestamp of the source's first frame in this slot.
    pub first_timestamp: u32,
}

/// What slots of all kinds have.
#[derive(Debug)]
struct Output {
    kind: SlotKind,
    index: u8,
    ssrc: Ssrc,
    payload_type: u8,
    sequence: Sequence,
    timeline: Timeline,
    packets: u32,
    bytes: u32,
    shown: Option<(SourceId, RtpTimestamp)>,
    changed: bool,
}

impl Output {
    fn new(spec: &SlotSpec, random: &mut Random) -> Self {
        let video = spec.kind == SlotKind::Video;
        let codec = spec
            .codecs
            .iter()
            .find(|codec| codec.codec.is_video() == video);
        Self {
            kind: spec.kind,
            index: spec.index,
            ssrc: spec.ssrc,
            payload_type: codec.map_or(0, |codec| codec.payload_type),
            sequence: Sequence::new(random.next() as u16),
            timeline: Timeline::new(
                random.next() as u32,
                codec.map_or(90_000, |codec| codec.codec.clock_rate()),
            ),
            packets: 0,
            bytes: 0,
            shown: None,
            changed: false,
        }
    }

    /// Go on with another feed, of which this is the first packet.
    fn switch(&mut self, media: &Media<'_>) {
        self.sequence.switch(media.seq);
        let first = self.timeline.switch(media.timestamp, media.capture);
        if self.shown.map(|(source, _)| source) != Some(media.source) {
            self.shown = Some((media.source, first));
            self.changed = true;
        }
    }

    /// Show nothing until the next switch.
    fn clear(&mut self) {
        self.changed |= self.shown.take().is_some();
    }

    /// Place a packet of the feed; `None` when it is from before the switch.
    fn place(&mut self, to: Member, media: &Media<'_>, correction: Correction) -> Option<Forward> {
        let seq = self.sequence.map(media.seq)?;
        let timestamp = self
            .timeline
            .map(media.timestamp, media.capture, correction);
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(media.payload.len() as u32);
        Some(Forward {
            to,
            payload_type: self.payload_type,
            ssrc: self.ssrc,
            seq,
            timestamp,
            marker: media.marker,
            source: media.source,
            descriptor: None,
        })
    }

    /// What changed since this was last asked.
    fn take_change(&mut self) -> Option<SlotChange> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        Some(SlotChange {
            kind: self.kind,
            index: self.index,
            source: self.shown.map(|(source, _)| source),
            first_timestamp: self.shown.map_or(0, |(_, first)| first.0),
        })
    }

    /// The slot's line at this instant, for a sender report; `None` before its first packet.
    fn report(&self, now: Micros) -> Option<SenderInfo> {
        (self.packets > 0).then(|| SenderInfo {
            ssrc: self.ssrc,
            ntp: NtpTime::from_micros(now),
            rtp: self.timeline.at(now),
            packets: self.packets,
            bytes: self.bytes,
        })
    }
}
