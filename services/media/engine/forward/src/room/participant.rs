//! One member: what it sends, and its slots.

use salon_wire::rtcp::SenderInfo;
use salon_wire::rtp::Ssrc;

use crate::random::Random;
use crate::slot::{AudioSlot, SlotChange, VideoSlot};
use crate::source::{Bindings, SenderClock};
use crate::{MemberSpec, Micros, SendSpec, SlotKind, SourceId};

#[derive(Debug)]
pub(super) struct Participant {
    pub(super) sends: Vec<SendSpec>,
    pub(super) bindings: Bindings,
    pub(super) clock: SenderClock,
    pub(super) cname: String,
    pub(super) speech: Vec<AudioSlot>,
    pub(super) programme: Vec<AudioSlot>,
    pub(super) video: Vec<VideoSlot>,
    /// When its reports were last sent.
    pub(super) reported: Micros,
    /// Under whose name requests and receiver reports go out.
    pub(super) reporter: Ssrc,
}

impl Participant {
    pub(super) fn new(spec: MemberSpec, random: &mut Random) -> Self {
        let mut participant = Self {
            bindings: Bindings::new(&spec.sends),
            sends: spec.sends,
            clock: SenderClock::default(),
            cname: spec.cname,
            speech: Vec::new(),
            programme: Vec::new(),
            video: Vec::new(),
            reported: 0,
            // Without a slot there is no SSRC of ours: any number does (RFC 3550 section 6.4.2).
            reporter: spec.slots.first().map_or(Ssrc(1), |slot| slot.ssrc),
        };
        for slot in &spec.slots {
            match slot.kind {
                SlotKind::Speech => participant.speech.push(AudioSlot::new(slot, random)),
                SlotKind::Programme => participant.programme.push(AudioSlot::new(slot, random)),
                SlotKind::Video => participant.video.push(VideoSlot::new(slot, random)),
            }
        }
        participant
    }

    pub(super) fn own_sources(&self) -> Vec<SourceId> {
        self.sends.iter().map(|send| send.source).collect()
    }

    pub(super) fn video_slot(&mut self, index: u8) -> Option<&mut VideoSlot> {
        self.video.iter_mut().find(|slot| slot.index() == index)
    }

    pub(super) fn assign_speech(&mut self, heard: impl Iterator<Item = SourceId>) {
        assign(&mut self.speech, heard);
    }

    pub(super) fn assign_programme(&mut self, active: impl Iterator<Item = SourceId>) {
        assign(&mut self.programme, active);
    }

    pub(super) fn take_changes(&mut self) -> Vec<SlotChange> {
        let audio = self.speech.iter_mut().chain(&mut self.programme);
        let audio = audio.filter_map(AudioSlot::take_change);
        audio
            .chain(self.video.iter_mut().filter_map(VideoSlot::take_change))
            .collect()
    }

    /// The sender reports of its slots, in a fixed order.
    pub(super) fn slot_reports(&self, now: Micros) -> impl Iterator<Item = SenderInfo> {
        let audio = self.speech.iter().chain(&self.programme);
        audio
            .filter_map(move |slot| slot.report(now))
            .chain(self.video.iter().filter_map(move |slot| slot.report(now)))
    }
}

/// Fill slots: sources that have one keep it, the others take what is free.
fn assign(slots: &mut [AudioSlot], sources: impl Iterator<Item = SourceId>) {
    let mut wanted: Vec<_> = sources.take(slots.len()).collect();
    for slot in &mut *slots {
        match wanted
            .iter()
            .position(|source| slot.assigned() == Some(*source))
        {
            Some(at) => drop(wanted.remove(at)),
            None => slot.assign(None),
        }
    }
    let free = slots.iter_mut().filter(|slot| slot.assigned().is_none());
    for (slot, source) in free.zip(wanted) {
        slot.assign(Some(source));
    }
}
