//! The cryptographic transforms, behind one trait.

mod aes_cm;
mod gcm;

use salon_wire::rtp::Ssrc;

use crate::index::PacketIndex;
use crate::kdf::Master;
use crate::{Profile, Result};

/// The bit of the SRTCP index word that says the packet is encrypted (RFC 3711 section 3.4).
pub(crate) const ENCRYPTED: u32 = 1 << 31;
/// RTCP's header and first SSRC stay in the clear (RFC 3711 section 3.4).
pub(crate) const RTCP_CLEAR_LEN: usize = 8;

/// What makes an SRTP packet's nonce unique.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RtpId {
    pub(crate) ssrc: Ssrc,
    pub(crate) index: PacketIndex,
}

/// What makes an SRTCP packet's nonce unique.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RtcpId {
    pub(crate) ssrc: Ssrc,
    /// 31 bits.
    pub(crate) index: u32,
}

/// Encrypts and authenticates one direction of a session. It keeps keys and no other state: that a nonce is never
/// used twice is its user's care.
pub(crate) trait Transform: Send {
    /// The length of an authentication tag.
    fn tag_len(&self) -> usize;

    /// Protect `packet`, whose header has `header` bytes and which ends in room for the tag.
    fn seal_rtp(&self, id: RtpId, header: usize, packet: &mut [u8]) -> Result<()>;

    /// Verify and decrypt. The caller has checked that there is room for header and tag.
    fn open_rtp(&self, id: RtpId, header: usize, packet: &mut [u8]) -> Result<()>;

    /// Protect `packet`, which ends in room for index word and tag.
    fn seal_rtcp(&self, id: RtcpId, packet: &mut [u8]) -> Result<()>;

    /// Where the index word is in an SRTCP packet of this length.
    fn rtcp_index_at(&self, length: usize) -> usize;

    /// Verify and decrypt. The caller has checked that there is room for the clear part, index word and tag, and that
    /// the packet says it is encrypted.
    fn open_rtcp(&self, id: RtcpId, packet: &mut [u8]) -> Result<()>;
}

/// The transform of a profile under a master key.
pub(crate) fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Box<dyn Transform>> {
    let master = Master::new(profile, key, salt)?;
    Ok(match profile {
        Profile::Aes128CmSha1_80 => Box::new(aes_cm::AesCmSha1::new(&master)?),
        Profile::AeadAes128Gcm => Box::new(gcm::Gcm::new::<16>(&ring::aead::AES_128_GCM, &master)?),
        Profile::AeadAes256Gcm => Box::new(gcm::Gcm::new::<32>(&ring::aead::AES_256_GCM, &master)?),
    })
}
