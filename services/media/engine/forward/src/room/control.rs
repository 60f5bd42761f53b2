//! RTCP: what members report and ask for, and what the node reports to and asks of them.

use std::collections::VecDeque;

use salon_wire::rtcp::{Compound, CompoundWriter, Packet, Pli, SenderInfo};
use salon_wire::rtp::{SeqNo, Ssrc};

use super::Room;
use super::participant::Participant;
use crate::slot::VideoSlot;
use crate::source::{Layer, Source};
use crate::{DropReason, Member, Micros};

/// Reports of slots and of what was received go out this often: RFC 3550's five seconds are too long for the first
/// lip-sync, and for a sender's congestion control.
const REPORTS: Micros = 1_000_000;
/// A datagram takes any path.
const MAX_COMPOUND: usize = 1200;
/// Requests that wait to be written: a room asks of each of its sources at most.
const MAX_MESSAGES: usize = 4096;

/// RTCP that waits to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    KeyFrame(Member, Ssrc),
    Missing(Member, Ssrc, Vec<SeqNo>),
    /// About what the member sends, and about its slots but so many.
    Reports(Member, usize),
}

impl Room {
    /// A member's RTCP, in the clear.
    pub fn receive_rtcp(
        &mut self,
        now: Micros,
        from: Member,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        for packet in Compound::new(datagram) {
            match packet.map_err(|_| DropReason::Malformed)? {
                Packet::SenderReport(report) => self.observe_report(now, from, &report.info),
                Packet::Pli(pli) => self.want_key_frame(now, from, pli.media),
                Packet::Fir(fir) => {
                    for entry in fir.entries() {
                        self.want_key_frame(now, from, entry.media);
                    }
                }
                // Until packets are kept for sending again, a key frame mends what a receiver lost: merged with the
                // requests of all others, and at most one each 500 ms.
                Packet::Nack(nack) => self.want_key_frame(now, from, nack.media),
                // Receivers' loss is for congestion control; names and goodbyes are the control plane's.
                _ => {}
            }
        }
        Ok(())
    }

    /// The next RTCP to send: who gets it, and its length in `out`.
    pub fn poll_rtcp(&mut self, now: Micros, out: &mut [u8]) -> Option<(Member, usize)> {
        let limit = out.len().min(MAX_COMPOUND);
        while let Some(message) = self.messages.pop_front() {
            let mut writer = CompoundWriter::new(&mut out[..limit]);
            let to = match message {
                Message::KeyFrame(to, media) => {
                    self.write_key_frame(to, media, &mut writer);
                    to
                }
                Message::Missing(to, media, missing) => {
                    self.write_missing(to, media, &missing, &mut writer);
                    to
                }
                Message::Reports(to, skip) => {
                    if let Some(skip) = self.write_reports(now, to, skip, &mut writer) {
                        self.messages.push_front(Message::Reports(to, skip));
                    }
                    to
                }
            };
            if !writer.is_empty() {
                return Some((to, writer.len()));
            }
        }
        None
    }

    /// Find what is due.
    pub(super) fn collect_messages(&mut self, now: Micros) {
        for source in self.sources.values_mut() {
            if source.kind.is_video() && !source.watchers.is_empty() {
                request_key_frames(now, source, &mut self.messages);
                request_missing(now, source, &mut self.messages);
            }
        }
        for (member, participant) in &mut self.participants {
            if now >= participant.reported + REPORTS {
                participant.reported = now;
                push(&mut self.messages, Message::Reports(*member, 0));
            }
        }
    }

    fn observe_report(&mut self, now: Micros, from: Member, info: &SenderInfo) {
        let Some(participant) = self.participants.get_mut(&from) else {
            return;
        };
        let layer = self
            .sources
            .values_mut()
            .filter(|source| source.owner == from)
            .find_map(|source| source.layer_of(info.ssrc));
        if let Some(layer) = layer {
            participant.clock.observe(info.ntp, now);
            layer.observe_report(info.rtp, info.ntp, now);
        }
    }

    /// A member asks for a key frame in the slot with this SSRC.
    fn want_key_frame(&mut self, now: Micros, from: Member, slot: Ssrc) {
        let Some(participant) = self.participants.get(&from) else {
            return;
        };
        let slot = participant.video.iter().find(|video| video.ssrc() == slot);
        let Some((id, layer)) = slot.and_then(VideoSlot::target) else {
            return;
        };
        let source = self.sources.get_mut(&id);
        let layer = source.and_then(|source| source.layers.get_mut(usize::from(layer)));
        if let Some(layer) = layer {
            layer.key_frames.want();
            self.request_key_frames(now, id);
        }
    }

    fn write_key_frame(&self, to: Member, media: Ssrc, writer: &mut CompoundWriter<'_>) {
        if let Some(participant) = self.participants.get(&to) {
            let sender = participant.reporter;
            // What does not fit an empty datagram is not sent; this always does.
            let _ = writer.pli(Pli { sender, media });
        }
    }

    fn write_missing(
        &self,
        to: Member,
        media: Ssrc,
        missing: &[SeqNo],
        writer: &mut CompoundWriter<'_>,
    ) {
        if let Some(participant) = self.participants.get(&to) {
            let _ = writer.nack(participant.reporter, media, missing);
        }
    }

    /// Write a receiver report and as many sender reports as fit; answers how many were written if not all were.
    fn write_reports(
        &mut self,
        now: Micros,
        to: Member,
        skip: usize,
        writer: &mut CompoundWriter<'_>,
    ) -> Option<usize> {
        let participant = self.participants.get(&to)?;
        let owned = self
            .sources
            .values_mut()
            .filter(|source| source.owner == to);
        // RFC 3550 section 6.1: a compound begins with a report and names who sends it.
        let blocks: Vec<_> = if skip == 0 {
            owned
                .flat_map(|source| &mut source.layers)
                .filter_map(|layer| Layer::report(layer, now))
                .collect()
        } else {
            Vec::new()
        };
        let _ = writer.receiver_report(participant.reporter, &blocks);
        let _ = writer.cname(participant.reporter, &participant.cname);
        let slots = participant.slot_reports(now).enumerate().skip(skip);
        for (at, info) in slots {
            let fits = write_slot_report(participant, &info, writer);
            if !fits && at > skip {
                return Some(at);
            }
        }
        None
    }
}

fn write_slot_report(
    participant: &Participant,
    info: &SenderInfo,
    writer: &mut CompoundWriter<'_>,
) -> bool {
    writer.sender_report(info, &[]).is_ok() && writer.cname(info.ssrc, &participant.cname).is_ok()
}

/// Ask for the key frames that are due, of layers that are sent: the others begin with one.
pub(super) fn request_key_frames(
    now: Micros,
    source: &mut Source,
    messages: &mut VecDeque<Message>,
) {
    let owner = source.owner;
    for layer in &mut source.layers {
        let Some(ssrc) = layer.ssrc().filter(|_| layer.is_alive(now)) else {
            continue;
        };
        if layer.key_frames.poll(now) {
            push(messages, Message::KeyFrame(owner, ssrc));
        }
    }
}

fn request_missing(now: Micros, source: &mut Source, messages: &mut VecDeque<Message>) {
    for layer in &mut source.layers {
        let Some(ssrc) = layer.ssrc() else { continue };
        let mut missing = Vec::new();
        layer.missing.poll(now, &mut missing);
        if !missing.is_empty() {
            push(messages, Message::Missing(source.owner, ssrc, missing));
        }
    }
}

fn push(messages: &mut VecDeque<Message>, message: Message) {
    if messages.len() < MAX_MESSAGES {
        messages.push_back(message);
    }
}
