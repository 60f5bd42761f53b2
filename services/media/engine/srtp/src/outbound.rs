//! What we send to a peer.

use std::fmt;

use salon_wire::rtp::{RtpHeader, Ssrc};

use crate::index::PacketIndex;
use crate::replay::ReplayWindow;
use crate::sources::{Full, Sources};
use crate::transform::{self, ENCRYPTED, RTCP_CLEAR_LEN, RtcpId, RtpId, Transform};
use crate::{Error, Profile, Result};

/// Twice the largest set of slots with their RTX.
const MAX_SOURCES: usize = 128;

/// Encrypts and authenticates packets to one peer. It lives and dies with its keys: when it is lost, so are they.
pub struct OutboundContext {
    transform: Box<dyn Transform>,
    /// The indices used of each SSRC.
    rtp: Sources<ReplayWindow>,
    /// One count for all SSRCs, which keeps nonces unique as well as one for each.
    next_rtcp: u32,
}

impl fmt::Debug for OutboundContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundContext").finish_non_exhaustive()
    }
}

impl OutboundContext {
    /// From our master key and salt.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self> {
        Ok(Self {
            transform: transform::new(profile, key, salt)?,
            rtp: Sources::new(MAX_SOURCES),
            next_rtcp: 0,
        })
    }

    /// Protect the RTP packet in the first `length` bytes of `buffer` and answer its new length, longer by at most
    /// [`MAX_OVERHEAD`](crate::MAX_OVERHEAD).
    ///
    /// A number is never protected twice, since two packets under one nonce give AES-GCM's authentication key away:
    /// what is sent again goes by RTX, under its own SSRC. A packet that comes late for the first time, since it came
    /// late to the node, may be some hundred numbers behind the newest. Start below 32768, so that a receiver that
    /// misses the first packets does not miss a wrap (RFC 3711 section 3.3.1).
    pub fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize> {
        let packet = buffer.get(..length).ok_or(Error::NotAPacket)?;
        let header = RtpHeader::parse(packet).map_err(|_| Error::NotAPacket)?;
        let sealed = length + self.transform.tag_len();
        let room = buffer.get_mut(..sealed).ok_or(Error::BufferTooSmall)?;
        let index = match self.rtp.find(header.ssrc) {
            None => PacketIndex::first(header.seq),
            Some(used) => {
                let highest = PacketIndex::from_value(used.highest());
                let estimate = PacketIndex::estimate(highest, header.seq);
                let index = estimate.ok_or_else(|| exhausted_or_reused(highest))?;
                used.check(index.value())
                    .map_err(|_| Error::SequenceReused)?;
                index
            }
        };
        // Before sealing, so that an index counts as used whatever happens after.
        self.mark_used(header.ssrc, index)?;
        self.transform.seal_rtp(
            RtpId {
                ssrc: header.ssrc,
                index,
            },
            header.len(),
            room,
        )?;
        Ok(sealed)
    }

    fn mark_used(&mut self, ssrc: Ssrc, index: PacketIndex) -> Result<()> {
        if let Some(used) = self.rtp.find(ssrc) {
            used.accept(index.value());
            return Ok(());
        }
        self.rtp
            .insert(ssrc, ReplayWindow::new(index.value()))
            .map_err(|Full| Error::TooManyOutboundSources)
    }

    /// Protect the RTCP packet in the first `length` bytes of `buffer` and answer its new length, longer by at most
    /// [`MAX_OVERHEAD`](crate::MAX_OVERHEAD).
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize> {
        let packet = buffer.get(..length).ok_or(Error::NotAPacket)?;
        let Some(&[first, _, _, _, s0, s1, s2, s3]) = packet.first_chunk::<RTCP_CLEAR_LEN>() else {
            return Err(Error::NotAPacket);
        };
        if first >> 6 != 2 {
            return Err(Error::NotAPacket);
        }
        let ssrc = Ssrc(u32::from_be_bytes([s0, s1, s2, s3]));
        let sealed = length + self.transform.tag_len() + 4;
        let room = buffer.get_mut(..sealed).ok_or(Error::BufferTooSmall)?;
        let index = self.next_rtcp;
        if index >= ENCRYPTED {
            return Err(Error::KeyExhausted);
        }
        self.next_rtcp += 1;
        self.transform.seal_rtcp(RtcpId { ssrc, index }, room)?;
        Ok(sealed)
    }
}

/// An estimate fails before the first index of a key and after its last one.
const fn exhausted_or_reused(highest: PacketIndex) -> Error {
    if highest.roc() == 0 {
        Error::SequenceReused
    } else {
        Error::KeyExhausted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_with_its_last_index() {
        let mut outbound =
            OutboundContext::new(Profile::AeadAes128Gcm, &[1; 16], &[2; 12]).unwrap();
        outbound.next_rtcp = ENCRYPTED - 1;
        let mut buffer = [0; 64];
        buffer[0] = 0x80;
        assert!(outbound.protect_rtcp(&mut buffer, 8).is_ok());
        assert_eq!(
            outbound.protect_rtcp(&mut buffer, 8),
            Err(Error::KeyExhausted)
        );

        let last = ReplayWindow::new((1 << 48) - 1);
        outbound.rtp.insert(Ssrc(0), last).unwrap();
        let mut buffer = [0; 64];
        buffer[0] = 0x80;
        assert_eq!(
            outbound.protect_rtp(&mut buffer, 12),
            Err(Error::KeyExhausted)
        );
    }
}
