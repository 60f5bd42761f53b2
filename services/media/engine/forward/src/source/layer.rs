//! One simulcast layer of a source, or its only one: what came in of it.

use salon_wire::codec::vp8::Descriptor;
use salon_wire::ntp::NtpTime;
use salon_wire::rtcp::ReportBlock;
use salon_wire::rtp::{ExtendedSeq, RtpTimestamp, SeqNo, Ssrc};

use super::clock::{MediaClock, SenderClock};
use super::reception::Reception;
use crate::keyframe::KeyFrameRequests;
use crate::layout::LayerState;
use crate::nack::MissingPackets;
use crate::{Codec, DropReason, Micros, SourceId};

/// A layer without a packet for this long is not sent any more.
const ALIVE: Micros = 1_000_000;
/// Its reports go on for this long.
const REPORTED: Micros = 10_000_000;

/// One unbroken run of packets, unique in its room: a layer gets a new one when its sender begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeedId(pub(crate) u64);

/// A packet as it came, a retransmission already turned back into what it repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) ssrc: Ssrc,
    pub(crate) codec: Codec,
    pub(crate) seq: SeqNo,
    pub(crate) timestamp: RtpTimestamp,
    pub(crate) marker: bool,
    pub(crate) payload: &'a [u8],
    pub(crate) repaired: bool,
}

/// A packet on its way into slots.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Media<'a> {
    pub(crate) source: SourceId,
    pub(crate) layer: u8,
    pub(crate) feed: FeedId,
    pub(crate) seq: ExtendedSeq,
    pub(crate) timestamp: RtpTimestamp,
    pub(crate) marker: bool,
    /// In the node's time.
    pub(crate) capture: Micros,
    pub(crate) payload: &'a [u8],
    /// Of VP8 with a payload.
    pub(crate) descriptor: Option<Descriptor>,
    /// Whether a slot can begin here.
    pub(crate) key_frame: bool,
}

#[derive(Debug)]
pub(crate) struct Layer {
    rate: u32,
    feed: Option<(Ssrc, FeedId)>,
    reception: Reception,
    clock: MediaClock,
    height: Option<u16>,
    last_packet: Option<Micros>,
    pub(crate) missing: MissingPackets,
    pub(crate) key_frames: KeyFrameRequests,
}

impl Layer {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate,
            feed: None,
            reception: Reception::new(rate),
            clock: MediaClock::new(rate),
            height: None,
            last_packet: None,
            missing: MissingPackets::default(),
            key_frames: KeyFrameRequests::default(),
        }
    }

    /// The SSRC of its media, once a packet came.
    pub(crate) fn ssrc(&self) -> Option<Ssrc> {
        self.feed.map(|(ssrc, _)| ssrc)
    }

    pub(crate) const fn last_packet(&self) -> Option<Micros> {
        self.last_packet
    }

    pub(crate) fn is_alive(&self, now: Micros) -> bool {
        self.last_packet.is_some_and(|last| now < last + ALIVE)
    }

    pub(crate) fn state(&self, now: Micros) -> LayerState {
        LayerState {
            alive: self.is_alive(now),
            height: self.height,
        }
    }

    /// Take a packet. `next_feed` names the run that it may begin.
    pub(crate) fn receive<'a>(
        &mut self,
        now: Micros,
        (source, layer): (SourceId, u8),
        incoming: &Incoming<'a>,
        sender: &SenderClock,
        next_feed: &mut FeedId,
    ) -> Result<Media<'a>, DropReason> {
        let feed = self.feed_for(incoming, next_feed)?;
        if incoming.repaired && !self.missing.restored(incoming.seq) {
            return Err(DropReason::UnwantedRepair);
        }
        let seq = self
            .reception
            .receive(incoming.seq)
            .ok_or(DropReason::Duplicate)?;
        if !incoming.repaired {
            self.reception.measure(incoming.timestamp, now);
            if incoming.codec.is_video() && !self.missing.received(seq, now) {
                self.key_frames.want();
            }
        }
        self.last_packet = Some(now);
        let mut media = Media {
            source,
            layer,
            feed,
            seq,
            timestamp: incoming.timestamp,
            marker: incoming.marker,
            capture: self.clock.capture(incoming.timestamp, now, sender),
            payload: incoming.payload,
            descriptor: None,
            key_frame: false,
        };
        if incoming.codec == Codec::Vp8 && !incoming.payload.is_empty() {
            self.look_into(&mut media)?;
        }
        Ok(media)
    }

    /// A new SSRC begins a new run; a retransmission cannot.
    fn feed_for(
        &mut self,
        incoming: &Incoming<'_>,
        next_feed: &mut FeedId,
    ) -> Result<FeedId, DropReason> {
        match self.feed {
            Some((ssrc, feed)) if incoming.repaired || ssrc == incoming.ssrc => Ok(feed),
            _ if incoming.repaired => Err(DropReason::UnwantedRepair),
            _ => {
                next_feed.0 += 1;
                *self = Self {
                    feed: Some((incoming.ssrc, *next_feed)),
                    key_frames: std::mem::take(&mut self.key_frames),
                    height: self.height,
                    ..Self::new(self.rate)
                };
                Ok(*next_feed)
            }
        }
    }

    fn look_into(&mut self, media: &mut Media<'_>) -> Result<(), DropReason> {
        let descriptor = Descriptor::parse(media.payload).map_err(|_| DropReason::Malformed)?;
        media.descriptor = Some(descriptor);
        media.key_frame = descriptor.starts_key_frame(media.payload);
        if media.key_frame {
            if let Some((_, height)) = descriptor.key_frame_size(media.payload) {
                self.height = Some(height);
            }
        }
        Ok(())
    }

    /// The sender reported on this layer.
    pub(crate) fn observe_report(&mut self, timestamp: RtpTimestamp, ntp: NtpTime, now: Micros) {
        self.clock.observe(timestamp, ntp);
        self.reception.observe_report(ntp, now);
    }

    /// What to report to the sender.
    pub(crate) fn report(&mut self, now: Micros) -> Option<ReportBlock> {
        let (ssrc, _) = self.feed?;
        self.last_packet
            .filter(|&last| now < last + REPORTED)
            .and_then(|_| self.reception.report(ssrc, now))
    }
}
