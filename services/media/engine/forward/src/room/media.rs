//! Media packets: from a member's section into the slots of the others.

use std::ops::Range;

use salon_wire::rtp::{AudioLevel, RtpPacket, SeqNo};

use super::Room;
use crate::audio::UNKNOWN_LEVEL;
use crate::slot::{Forward, Placed};
use crate::source::{Binding, Incoming, Media, Role};
use crate::{DropReason, Member, Micros, SendSpec, SourceId, SourceKind};

/// A retransmission begins with the number of the packet that it repeats (RFC 4588 section 4).
const ORIGINAL_SEQ_LEN: usize = 2;

impl Room {
    /// A member's packet, in the clear. Adds to `forwards` where it goes, and answers where in `packet` the payload
    /// lies that goes there.
    pub fn receive_rtp(
        &mut self,
        now: Micros,
        from: Member,
        packet: &[u8],
        forwards: &mut Vec<Forward>,
    ) -> Result<Range<usize>, DropReason> {
        let parsed = RtpPacket::parse(packet).map_err(|_| DropReason::Malformed)?;
        let participant = self
            .participants
            .get_mut(&from)
            .ok_or(DropReason::Superseded)?;
        let binding = participant.bindings.resolve(&participant.sends, &parsed)?;
        let spec = &participant.sends[usize::from(binding.section)];
        let source = self
            .sources
            .get_mut(&spec.source)
            .filter(|source| source.owner == from)
            .ok_or(DropReason::Superseded)?;
        let layer = &mut source.layers[usize::from(binding.layer)];
        let incoming = incoming(spec, binding, &parsed)?;
        let media = layer.receive(
            now,
            (spec.source, binding.layer),
            &incoming,
            &participant.clock,
            &mut self.last_feed,
        )?;
        let start = parsed.header.len() + parsed.payload.len() - media.payload.len();
        let level = level(spec, &parsed);
        match spec.kind {
            SourceKind::Microphone => self.forward_speech(now, from, &media, level, forwards),
            SourceKind::ScreenAudio => self.forward_programme(from, &media, forwards),
            SourceKind::Camera | SourceKind::Screen => {
                self.forward_video(now, &media, forwards);
            }
        }
        Ok(start..start + media.payload.len())
    }

    fn forward_speech(
        &mut self,
        now: Micros,
        from: Member,
        media: &Media<'_>,
        level: u8,
        forwards: &mut Vec<Forward>,
    ) {
        self.speaker.hear(media.source, level, now);
        if self.ranking.hear(media.source, level, now) {
            self.assign_speech();
        }
        for (member, participant) in &mut self.participants {
            if *member != from {
                let slots = participant.speech.iter_mut();
                forwards.extend(slots.filter_map(|slot| slot.forward(*member, media)));
            }
        }
    }

    fn forward_programme(&mut self, from: Member, media: &Media<'_>, forwards: &mut Vec<Forward>) {
        if !self.programme.contains(&media.source) {
            self.programme.push(media.source);
            self.assign_programme();
        }
        for (member, participant) in &mut self.participants {
            if *member != from {
                let slots = participant.programme.iter_mut();
                forwards.extend(slots.filter_map(|slot| slot.forward(*member, media)));
            }
        }
    }

    fn forward_video(&mut self, now: Micros, media: &Media<'_>, forwards: &mut Vec<Forward>) {
        let Some(source) = self.sources.get(&media.source) else {
            return;
        };
        // A layer that comes back, or is known only now, may fit some wish better.
        let revived = source.aimed_at & 1 << media.layer == 0;
        if revived || media.key_frame {
            self.aim_watchers(now, media.source);
        }
        let Some(source) = self.sources.get_mut(&media.source) else {
            return;
        };
        let layer = &mut source.layers[usize::from(media.layer)];
        if media.key_frame {
            layer.key_frames.received(now);
        }
        for (member, index) in &source.watchers {
            let participant = self.participants.get_mut(member);
            let Some(slot) = participant.and_then(|participant| participant.video_slot(*index))
            else {
                continue;
            };
            match slot.forward(*member, media) {
                Placed::Forward(forward) => forwards.push(forward),
                Placed::NeedsKeyFrame => layer.key_frames.want(),
                Placed::Not => {}
            }
        }
        self.request_key_frames(now, media.source);
    }

    /// Ask at once for the key frames of a source that are due.
    pub(super) fn request_key_frames(&mut self, now: Micros, id: SourceId) {
        if let Some(source) = self.sources.get_mut(&id) {
            super::control::request_key_frames(now, source, &mut self.messages);
        }
    }
}

/// What the packet is, or what it repeats.
fn incoming<'a>(
    spec: &SendSpec,
    binding: Binding,
    packet: &RtpPacket<'a>,
) -> Result<Incoming<'a>, DropReason> {
    let payload_type = packet.header.payload_type;
    let repaired = binding.role == Role::Repair;
    let codec = spec.codecs.iter().find(|codec| {
        if repaired {
            codec.rtx_payload_type == Some(payload_type)
        } else {
            codec.payload_type == payload_type
        }
    });
    let codec = codec.ok_or(DropReason::UnknownPayloadType)?;
    let (seq, payload) = if repaired {
        let (seq, payload) = packet
            .payload
            .split_first_chunk::<ORIGINAL_SEQ_LEN>()
            .ok_or(DropReason::UnwantedRepair)?;
        (SeqNo(u16::from_be_bytes(*seq)), payload)
    } else {
        (packet.header.seq, packet.payload)
    };
    Ok(Incoming {
        ssrc: packet.header.ssrc,
        codec: codec.codec,
        seq,
        timestamp: packet.header.timestamp,
        marker: packet.header.marker,
        payload,
        repaired,
    })
}

fn level(spec: &SendSpec, packet: &RtpPacket<'_>) -> u8 {
    let id = spec.extensions.audio_level;
    if id == 0 {
        return UNKNOWN_LEVEL;
    }
    let level = packet.extensions().find(id).and_then(AudioLevel::parse);
    level.map_or(UNKNOWN_LEVEL, |level| level.level)
}
