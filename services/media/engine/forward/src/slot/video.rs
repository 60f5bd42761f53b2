//! A slot for pictures, which switches with key frames alone.

use salon_wire::rtcp::SenderInfo;
use salon_wire::rtp::Ssrc;

use super::vp8::PictureIds;
use super::{Correction, Forward, Output, SlotChange};
use crate::layout::Wish;
use crate::random::Random;
use crate::source::{FeedId, Media};
use crate::spec::{Member, Micros, SlotSpec, SourceId};

#[derive(Debug)]
pub(crate) struct VideoSlot {
    output: Output,
    pictures: PictureIds,
    wish: Option<Wish>,
    /// The layer of the wished source that it shall show.
    target: u8,
    /// What it shows: a layer, and the run of its packets.
    current: Option<(u8, FeedId)>,
}

/// What a slot made of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It goes out.
    Forward(Forward),
    /// It is of the layer that the slot waits for, and no beginning.
    NeedsKeyFrame,
    /// It is not for this slot.
    Not,
}

impl VideoSlot {
    pub(crate) fn new(spec: &SlotSpec, random: &mut Random) -> Self {
        Self {
            output: Output::new(spec, random),
            pictures: PictureIds::new(random.next() as u16),
            wish: None,
            target: 0,
            current: None,
        }
    }

    pub(crate) const fn ssrc(&self) -> Ssrc {
        self.output.ssrc
    }

    pub(crate) const fn index(&self) -> u8 {
        self.output.index
    }

    pub(crate) const fn wish(&self) -> Option<Wish> {
        self.wish
    }

    /// The source and layer that it waits for or shows.
    pub(crate) fn target(&self) -> Option<(SourceId, u8)> {
        Some((self.wish?.source, self.target))
    }

    /// Another wish. A source that is no longer wanted stops at once; nothing is shown until the new one's key frame.
    pub(crate) fn set_wish(&mut self, wish: Option<Wish>) {
        let source = |wish: Option<Wish>| wish.map(|wish| wish.source);
        if source(wish) != source(self.wish) {
            self.stop();
        }
        self.wish = wish;
    }

    /// The wished source is gone, or sends anew.
    pub(crate) fn stop(&mut self) {
        self.current = None;
        self.output.clear();
    }

    /// Choose the layer to show, and answer whether a key frame of it is needed. The one before goes on until then.
    pub(crate) fn aim(&mut self, layer: u8) -> bool {
        let changed = self.target != layer;
        self.target = layer;
        let shows = self.current.is_some_and(|(current, _)| current == layer);
        !shows && (changed || self.current.is_none())
    }

    pub(crate) fn forward(&mut self, to: Member, media: &Media<'_>) -> Placed {
        let here = Some((media.layer, media.feed));
        if self.current != here {
            if media.layer != self.target {
                return Placed::Not;
            }
            let Some(first) = media.descriptor.filter(|_| media.key_frame) else {
                return Placed::NeedsKeyFrame;
            };
            self.current = here;
            self.output.switch(media);
            self.pictures.switch(&first);
        }
        let Some(mut forward) = self.output.place(to, media, Correction::Steady) else {
            return Placed::Not;
        };
        forward.descriptor = media
            .descriptor
            .map(|descriptor| (self.pictures.map(&descriptor), descriptor.len()));
        Placed::Forward(forward)
    }

    pub(crate) fn take_change(&mut self) -> Option<SlotChange> {
        self.output.take_change()
    }

    pub(crate) fn report(&self, now: Micros) -> Option<SenderInfo> {
        self.output.report(now)
    }
}
