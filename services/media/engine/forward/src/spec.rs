//! The words of this crate: what a member sends and receives, as its offer and answer agreed.

use std::fmt;

use salon_wire::rtp::Ssrc;

/// Microseconds of the node's monotonic clock.
pub type Micros = u64;

/// A session within a room, under a number that the caller chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member(pub u32);

/// A source's number in its room, never 0. It goes into every slot packet as CSRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// What a source is; the numbers are those of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// Speech.
    Microphone = 1,
    /// A camera, up to a few simulcast layers.
    Camera = 2,
    /// A shared screen.
    Screen = 3,
    /// The sound of a shared screen.
    ScreenAudio = 4,
}

impl SourceKind {
    /// Whether its packets are pictures.
    pub const fn is_video(self) -> bool {
        matches!(self, Self::Camera | Self::Screen)
    }
}

impl TryFrom<u32> for SourceKind {
    type Error = SpecError;

    fn try_from(number: u32) -> Result<Self, SpecError> {
        match number {
            1 => Ok(Self::Microphone),
            2 => Ok(Self::Camera),
            3 => Ok(Self::Screen),
            4 => Ok(Self::ScreenAudio),
            _ => Err(SpecError::UnknownKind),
        }
    }
}

/// What a slot is for; the numbers are those of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// Filled by level.
    Speech = 1,
    /// Screen audio.
    Programme = 2,
    /// Filled by the member's wishes.
    Video = 3,
}

impl TryFrom<u32> for SlotKind {
    type Error = SpecError;

    fn try_from(number: u32) -> Result<Self, SpecError> {
        match number {
            1 => Ok(Self::Speech),
            2 => Ok(Self::Programme),
            3 => Ok(Self::Video),
            _ => Err(SpecError::UnknownKind),
        }
    }
}

/// The codecs that are forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// opus/48000
    Opus,
    /// VP8/90000
    Vp8,
}

impl Codec {
    /// By its lower-case name in the session description.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "opus" => Some(Self::Opus),
            "vp8" => Some(Self::Vp8),
            _ => None,
        }
    }

    /// Ticks of its timestamps in a second.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Vp8 => 90_000,
        }
    }

    pub(crate) const fn is_video(self) -> bool {
        matches!(self, Self::Vp8)
    }
}

/// A codec as one section of the offer numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecSpec {
    /// The codec.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// The payload type of its retransmissions (RFC 4588).
    pub rtx_payload_type: Option<u8>,
}

/// The ids of the header extensions that are read; 0 for those not agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExtensionIds {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`
    pub mid: u8,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`
    pub rid: u8,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`
    pub repaired_rid: u8,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level`
    pub audio_level: u8,
}

impl ExtensionIds {
    /// Remember the id of a URI; those not read are left out.
    pub fn set(&mut self, uri: &str, id: u8) {
        match uri {
            "urn:ietf:params:rtp-hdrext:sdes:mid" => self.mid = id,
            "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id" => self.rid = id,
            "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id" => self.repaired_rid = id,
            "urn:ietf:params:rtp-hdrext:ssrc-audio-level" => self.audio_level = id,
            _ => {}
        }
    }
}

/// A section by which a member sends a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendSpec {
    /// The source's number.
    pub source: SourceId,
    /// What it is.
    pub kind: SourceKind,
    /// The section's name, which packets may carry.
    pub mid: String,
    /// Simulcast layers from low to high; empty without simulcast.
    pub rids: Vec<String>,
    /// SSRCs of media and of its retransmissions, where the offer names them.
    pub ssrcs: Vec<(Ssrc, Option<Ssrc>)>,
    /// What was agreed on.
    pub codecs: Vec<CodecSpec>,
    /// What was agreed on.
    pub extensions: ExtensionIds,
}

impl SendSpec {
    /// How many layers the section has.
    pub fn layers(&self) -> usize {
        self.rids.len().max(1)
    }
}

/// A section in which a member receives whatever the slot shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotSpec {
    /// What it is for.
    pub kind: SlotKind,
    /// Among the slots of its kind, from 0.
    pub index: u8,
    /// Fixed for the session.
    pub ssrc: Ssrc,
    /// What the member decodes.
    pub codecs: Vec<CodecSpec>,
}

/// What one session sends and receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSpec {
    /// The name in the reports of its slots.
    pub cname: String,
    /// What it sends.
    pub sends: Vec<SendSpec>,
    /// Where it receives.
    pub slots: Vec<SlotSpec>,
}

/// More sections than a client can have: the protocol knows two of each kind.
const MAX_SENDS: usize = 8;
/// The protocol knows 25 video slots, 3 for speech and one programme.
const MAX_SLOTS: usize = 40;
/// Simulcast layers of one source.
const MAX_LAYERS: usize = 4;
/// RFC 3550 section 6.5: an item's length is one byte; a session's cname is far shorter.
const MAX_CNAME: usize = 64;

impl MemberSpec {
    /// Check that the spec does not contradict itself.
    pub fn check(&self) -> Result<(), SpecError> {
        if self.sends.len() > MAX_SENDS
            || self.slots.len() > MAX_SLOTS
            || self.cname.len() > MAX_CNAME
        {
            return Err(SpecError::TooMany);
        }
        for (at, send) in self.sends.iter().enumerate() {
            send.check()?;
            if self.sends[..at]
                .iter()
                .any(|other| other.source == send.source)
            {
                return Err(SpecError::Twice);
            }
        }
        for (at, slot) in self.slots.iter().enumerate() {
            let video = slot.kind == SlotKind::Video;
            if !slot
                .codecs
                .iter()
                .any(|codec| codec.codec.is_video() == video)
            {
                return Err(SpecError::NoCodec);
            }
            let same = |other: &SlotSpec| {
                other.ssrc == slot.ssrc || (other.kind, other.index) == (slot.kind, slot.index)
            };
            if self.slots[..at].iter().any(same) {
                return Err(SpecError::Twice);
            }
        }
        Ok(())
    }
}

impl SendSpec {
    fn check(&self) -> Result<(), SpecError> {
        if self.source.0 == 0 {
            return Err(SpecError::NoSource);
        }
        if self.rids.len() > MAX_LAYERS || self.ssrcs.len() > MAX_LAYERS {
            return Err(SpecError::TooMany);
        }
        let video = self.kind.is_video();
        let fits = self
            .codecs
            .iter()
            .any(|codec| codec.codec.is_video() == video);
        if fits {
            Ok(())
        } else {
            Err(SpecError::NoCodec)
        }
    }
}

/// Why a spec was refused; always the caller's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// A kind that the protocol does not know.
    UnknownKind,
    /// A source numbered 0, which means nothing.
    NoSource,
    /// A section without a codec that can be forwarded.
    NoCodec,
    /// More sections, layers or bytes than a session may have.
    TooMany,
    /// A source, SSRC or slot index that another section has too.
    Twice,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownKind => "the kind is none of the protocol's",
            Self::NoSource => "a source has number 0",
            Self::NoCodec => "a section has no codec of its kind that is forwarded",
            Self::TooMany => "there are more sections, layers or bytes than a session may have",
            Self::Twice => "two sections have the same source, SSRC or slot index",
        })
    }
}

impl std::error::Error for SpecError {}

/// Why a packet goes no further. Each is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// It is not what its first bytes claim.
    Malformed,
    /// No section is known for its SSRC.
    UnknownSsrc,
    /// Its payload type is not one that was agreed on.
    UnknownPayloadType,
    /// It was there before, or is older than what is remembered.
    Duplicate,
    /// A retransmission that nobody asked for, or padding to probe with.
    UnwantedRepair,
    /// Its source belongs to a newer session meanwhile.
    Superseded,
}
