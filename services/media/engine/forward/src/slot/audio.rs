//! A slot for sound, which switches with any packet.

use salon_wire::rtcp::SenderInfo;

use super::{Correction, Forward, Output, SlotChange};
use crate::random::Random;
use crate::source::{FeedId, Media};
use crate::spec::{Member, Micros, SlotSpec, SourceId};

#[derive(Debug)]
pub(crate) struct AudioSlot {
    output: Output,
    assigned: Option<SourceId>,
    feed: Option<FeedId>,
}

impl AudioSlot {
    pub(crate) fn new(spec: &SlotSpec, random: &mut Random) -> Self {
        Self {
            output: Output::new(spec, random),
            assigned: None,
            feed: None,
        }
    }

    pub(crate) const fn assigned(&self) -> Option<SourceId> {
        self.assigned
    }

    pub(crate) fn assign(&mut self, source: Option<SourceId>) {
        if source != self.assigned {
            self.assigned = source;
            self.feed = None;
            self.output.clear();
        }
    }

    /// Place a packet of the source that is assigned.
    pub(crate) fn forward(&mut self, to: Member, media: &Media<'_>) -> Option<Forward> {
        if self.assigned != Some(media.source) {
            return None;
        }
        let begins = self.feed != Some(media.feed);
        if begins {
            self.feed = Some(media.feed);
            self.output.switch(media);
        }
        let correction = Correction::AtGaps { gap: media.marker };
        let mut forward = self.output.place(to, media, correction)?;
        // RFC 3551 section 4.1: the marker begins a spurt.
        forward.marker |= begins;
        Some(forward)
    }

    pub(crate) fn take_change(&mut self) -> Option<SlotChange> {
        self.output.take_change()
    }

    pub(crate) fn report(&self, now: Micros) -> Option<SenderInfo> {
        self.output.report(now)
    }
}
