//! Which section and layer an SSRC belongs to (RFC 8843 section 9.2, RFC 8852, RFC 4588 section 5.3).

use salon_wire::rtp::{RtpPacket, Ssrc, text};

use crate::{DropReason, SendSpec};

/// An SSRC beyond these replaces the oldest one learnt: a client has at most three layers and a screen, each with
/// retransmissions, and two sounds.
const MAX_SSRCS: usize = 24;

/// What an SSRC carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Media,
    /// Retransmissions of a layer's media.
    Repair,
}

/// Where packets of an SSRC belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) section: u8,
    pub(crate) layer: u8,
    pub(crate) role: Role,
}

/// The SSRCs of one session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings {
    table: Vec<(Ssrc, Binding)>,
}

impl Bindings {
    /// What the offer itself names: an SSRC a layer, or one for a section without layers.
    pub(crate) fn new(sections: &[SendSpec]) -> Self {
        let mut bindings = Self::default();
        for (section, spec) in sections.iter().enumerate() {
            if !spec.rids.is_empty() && spec.rids.len() != spec.ssrcs.len() {
                continue;
            }
            for (layer, &(media, repair)) in spec.ssrcs.iter().take(spec.layers()).enumerate() {
                bindings.bind(media, section, layer, Role::Media);
                if let Some(repair) = repair {
                    bindings.bind(repair, section, layer, Role::Repair);
                }
            }
        }
        bindings
    }

    /// Where a packet belongs. Extensions are looked at only for SSRCs not seen before.
    pub(crate) fn resolve(
        &mut self,
        sections: &[SendSpec],
        packet: &RtpPacket<'_>,
    ) -> Result<Binding, DropReason> {
        let ssrc = packet.header.ssrc;
        if let Some(&(_, binding)) = self.table.iter().find(|(known, _)| *known == ssrc) {
            return Ok(binding);
        }
        let (section, layer, role) = learn(sections, packet).ok_or(DropReason::UnknownSsrc)?;
        Ok(self.bind(ssrc, section, layer, role))
    }

    fn bind(&mut self, ssrc: Ssrc, section: usize, layer: usize, role: Role) -> Binding {
        let binding = Binding {
            section: section as u8,
            layer: layer as u8,
            role,
        };
        // A layer has one SSRC of each role: a new one means that the sender began anew.
        self.table
            .retain(|&(known, bound)| known != ssrc && bound != binding);
        if self.table.len() == MAX_SSRCS {
            self.table.remove(0);
        }
        self.table.push((ssrc, binding));
        binding
    }
}

/// By MID and RID, where the packet carries them; by payload type, where a single section has it.
fn learn(sections: &[SendSpec], packet: &RtpPacket<'_>) -> Option<(usize, usize, Role)> {
    let section = section_of(sections, packet)?;
    let spec = &sections[section];
    let read = |id: u8| {
        packet
            .extensions()
            .find(id)
            .filter(|_| id != 0)
            .and_then(text)
    };
    let layer_named = |rid: &str| spec.rids.iter().position(|known| known == rid);
    if let Some(rid) = read(spec.extensions.repaired_rid) {
        return Some((section, layer_named(rid)?, Role::Repair));
    }
    let role = role_of(spec, packet.header.payload_type)?;
    if spec.rids.is_empty() {
        return Some((section, 0, role));
    }
    let rid = read(spec.extensions.rid)?;
    Some((section, layer_named(rid)?, role))
}

fn section_of(sections: &[SendSpec], packet: &RtpPacket<'_>) -> Option<usize> {
    // In a bundle an extension has one id in all sections (RFC 8843 section 9.2).
    let id = sections
        .iter()
        .map(|spec| spec.extensions.mid)
        .find(|&id| id != 0);
    if let Some(mid) = id
        .and_then(|id| packet.extensions().find(id))
        .and_then(text)
    {
        return sections.iter().position(|spec| spec.mid == mid);
    }
    let payload_type = packet.header.payload_type;
    let mut fitting = sections
        .iter()
        .enumerate()
        .filter(|(_, spec)| role_of(spec, payload_type).is_some());
    match (fitting.next(), fitting.next()) {
        (Some((section, _)), None) => Some(section),
        _ => None,
    }
}

fn role_of(spec: &SendSpec, payload_type: u8) -> Option<Role> {
    spec.codecs.iter().find_map(|codec| {
        if codec.payload_type == payload_type {
            Some(Role::Media)
        } else if codec.rtx_payload_type == Some(payload_type) {
            Some(Role::Repair)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use salon_wire::rtp::{Extension, RtpTimestamp, RtpWriter, SeqNo};

    use super::*;
    use crate::{Codec, CodecSpec, ExtensionIds, SourceId, SourceKind};

    const EXTENSIONS: ExtensionIds = ExtensionIds {
        mid: 1,
        rid: 2,
        repaired_rid: 3,
        audio_level: 4,
    };

    fn section(kind: SourceKind, mid: &str, rids: &[&str]) -> SendSpec {
        let (codec, payload_type, rtx) = if kind.is_video() {
            (Codec::Vp8, 96, Some(97))
        } else {
            (Codec::Opus, 111, None)
        };
        SendSpec {
            source: SourceId(u32::from(mid.as_bytes()[0])),
            kind,
            mid: mid.into(),
            rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
            ssrcs: vec![],
            codecs: vec![CodecSpec {
                codec,
                payload_type,
                rtx_payload_type: rtx,
            }],
            extensions: EXTENSIONS,
        }
    }

    fn resolve(
        bindings: &mut Bindings,
        sections: &[SendSpec],
        (ssrc, payload_type): (u32, u8),
        extensions: &[(u8, &str)],
    ) -> Result<(u8, u8, Role), DropReason> {
        let extensions: Vec<_> = extensions
            .iter()
            .map(|(id, data)| Extension {
                id: *id,
                data: data.as_bytes(),
            })
            .collect();
        let mut bytes = [0; 100];
        let length = RtpWriter {
            payload_type,
            marker: false,
            seq: SeqNo(1),
            timestamp: RtpTimestamp(1),
            ssrc: Ssrc(ssrc),
            csrc: None,
            extensions: &extensions,
        }
        .write(&[1], &mut bytes)
        .unwrap();
        let packet = RtpPacket::parse(&bytes[..length]).unwrap();
        bindings
            .resolve(sections, &packet)
            .map(|binding| (binding.section, binding.layer, binding.role))
    }

    #[test]
    fn layers_are_learnt_by_mid_and_rid_and_remembered() {
        let sections = [
            section(SourceKind::Microphone, "0", &[]),
            section(SourceKind::Camera, "1", &["l", "h"]),
        ];
        let mut bindings = Bindings::new(&sections);
        let high = [(1, "1"), (2, "h")];
        let found = resolve(&mut bindings, &sections, (5, 96), &high);
        assert_eq!(found, Ok((1, 1, Role::Media)));
        let again = resolve(&mut bindings, &sections, (5, 96), &[]);
        assert_eq!(again, Ok((1, 1, Role::Media)));
        let repair = resolve(&mut bindings, &sections, (6, 97), &[(1, "1"), (3, "h")]);
        assert_eq!(repair, Ok((1, 1, Role::Repair)));
        let voice = resolve(&mut bindings, &sections, (7, 111), &[]);
        assert_eq!(voice, Ok((0, 0, Role::Media)));
    }

    #[test]
    fn what_cannot_be_told_is_unknown() {
        let sections = [
            section(SourceKind::Camera, "1", &["l"]),
            section(SourceKind::Screen, "2", &[]),
        ];
        let mut bindings = Bindings::new(&sections);
        for extensions in [&[][..], &[(1, "1")], &[(1, "9")], &[(1, "1"), (2, "x")]] {
            let found = resolve(&mut bindings, &sections, (5, 96), extensions);
            assert_eq!(found, Err(DropReason::UnknownSsrc), "{extensions:?}");
        }
        let found = resolve(&mut bindings, &sections, (5, 12), &[(1, "2")]);
        assert_eq!(found, Err(DropReason::UnknownSsrc));
    }

    #[test]
    fn the_offers_own_ssrcs_need_no_extension() {
        let mut sections = [
            section(SourceKind::Camera, "1", &[]),
            section(SourceKind::Screen, "2", &[]),
        ];
        sections[0].ssrcs = vec![(Ssrc(10), Some(Ssrc(11)))];
        sections[1].ssrcs = vec![(Ssrc(20), None)];
        let mut bindings = Bindings::new(&sections);
        let mut found = |ssrc, pt| resolve(&mut bindings, &sections, (ssrc, pt), &[]);
        assert_eq!(found(10, 96), Ok((0, 0, Role::Media)));
        assert_eq!(found(11, 97), Ok((0, 0, Role::Repair)));
        assert_eq!(found(20, 96), Ok((1, 0, Role::Media)));
    }

    #[test]
    fn a_new_ssrc_of_a_layer_replaces_the_old_one() {
        let sections = [section(SourceKind::Camera, "1", &[])];
        let mut bindings = Bindings::new(&sections);
        for ssrc in 0..1000 {
            assert!(resolve(&mut bindings, &sections, (ssrc, 96), &[]).is_ok());
        }
        assert_eq!(bindings.table.len(), 1);
    }
}
