//! What a peer sends us.

use std::fmt;

use salon_wire::rtp::{RtpHeader, Ssrc};

use crate::index::PacketIndex;
use crate::replay::ReplayWindow;
use crate::sources::{Full, Sources};
use crate::transform::{self, ENCRYPTED, RTCP_CLEAR_LEN, RtcpId, RtpId, Transform};
use crate::{Error, Profile, Result};

/// Room for every layer and RTX of what one client sends, several times over.
const MAX_SOURCES: usize = 64;

/// Verifies and decrypts one peer's packets. State changes only by authentic packets.
pub struct InboundContext {
    transform: Box<dyn Transform>,
    rtp: Sources<ReplayWindow>,
    rtcp: Sources<ReplayWindow>,
}

impl fmt::Debug for InboundContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundContext").finish_non_exhaustive()
    }
}

impl InboundContext {
    /// From the master key and salt of the peer.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self> {
        Ok(Self {
            transform: transform::new(profile, key, salt)?,
            rtp: Sources::new(MAX_SOURCES),
            rtcp: Sources::new(MAX_SOURCES),
        })
    }

    /// Verify and decrypt an SRTP packet in place and answer its length in the clear. After an error the packet is to
    /// be dropped; its bytes are then undefined.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize> {
        let header = RtpHeader::parse(packet).map_err(|_| Error::Malformed)?;
        let length = packet
            .len()
            .checked_sub(self.transform.tag_len())
            .ok_or(Error::Malformed)?;
        if length < header.len() {
            return Err(Error::Malformed);
        }
        let window = self.rtp.find(header.ssrc);
        let index = match &window {
            None => PacketIndex::first(header.seq),
            Some(window) => {
                let highest = PacketIndex::from_value(window.highest());
                let index = PacketIndex::estimate(highest, header.seq).ok_or(Error::TooOld)?;
                window.check(index.value())?;
                index
            }
        };
        self.transform.open_rtp(
            RtpId {
                ssrc: header.ssrc,
                index,
            },
            header.len(),
            packet,
        )?;
        accept(&mut self.rtp, header.ssrc, index.value())?;
        Ok(length)
    }

    /// Verify and decrypt an SRTCP packet in place and answer its length in the clear. After an error the packet is to
    /// be dropped; its bytes are then undefined.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize> {
        let trailer = self.transform.tag_len() + 4;
        let length = packet.len().checked_sub(trailer).ok_or(Error::Malformed)?;
        if length < RTCP_CLEAR_LEN || packet[0] >> 6 != 2 {
            return Err(Error::Malformed);
        }
        let ssrc = Ssrc(word(packet, 4)?);
        let index_word = word(packet, self.transform.rtcp_index_at(packet.len()))?;
        if index_word & ENCRYPTED == 0 {
            return Err(Error::Unencrypted);
        }
        let index = index_word & !ENCRYPTED;
        if let Some(window) = self.rtcp.find(ssrc) {
            window.check(index.into())?;
        }
        self.transform.open_rtcp(RtcpId { ssrc, index }, packet)?;
        accept(&mut self.rtcp, ssrc, index.into())?;
        Ok(length)
    }
}

fn accept(sources: &mut Sources<ReplayWindow>, ssrc: Ssrc, index: u64) -> Result<()> {
    if let Some(window) = sources.find(ssrc) {
        window.accept(index);
        return Ok(());
    }
    sources
        .insert(ssrc, ReplayWindow::new(index))
        .map_err(|Full| Error::TooManySources)
}

fn word(packet: &[u8], at: usize) -> Result<u32> {
    let bytes = packet.get(at..at + 4).ok_or(Error::Malformed)?;
    Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
