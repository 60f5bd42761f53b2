//! AES-GCM (RFC 7714).

use ring::aead::{Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use salon_wire::rtp::Ssrc;
use zeroize::Zeroizing;

use super::{ENCRYPTED, RTCP_CLEAR_LEN, RtcpId, RtpId, Transform};
use crate::kdf::{Label, Master};
use crate::{Error, Result};

const TAG_LEN: usize = 16;
const INDEX_LEN: usize = 4;
const SALT_LEN: usize = 12;

/// Keys for RTP and RTCP.
pub(super) struct Gcm {
    rtp: Keys,
    rtcp: Keys,
}

impl Gcm {
    pub(super) fn new<const KEY_LEN: usize>(
        algorithm: &'static Algorithm,
        master: &Master<'_>,
    ) -> Result<Self> {
        let keys = |key, salt| -> Result<Keys> {
            Keys::new(
                algorithm,
                &*master.derive::<KEY_LEN>(key)?,
                master.derive(salt)?,
            )
        };
        Ok(Self {
            rtp: keys(Label::RtpKey, Label::RtpSalt)?,
            rtcp: keys(Label::RtcpKey, Label::RtcpSalt)?,
        })
    }
}

impl Transform for Gcm {
    fn tag_len(&self) -> usize {
        TAG_LEN
    }

    fn seal_rtp(&self, id: RtpId, header: usize, packet: &mut [u8]) -> Result<()> {
        let (header, body) = packet
            .split_at_mut_checked(header)
            .ok_or(Error::Malformed)?;
        self.rtp.seal(self.rtp.rtp_nonce(id), header, body)
    }

    fn open_rtp(&self, id: RtpId, header: usize, packet: &mut [u8]) -> Result<()> {
        let (header, body) = packet
            .split_at_mut_checked(header)
            .ok_or(Error::Malformed)?;
        self.rtp.open(self.rtp.rtp_nonce(id), header, body)
    }

    fn seal_rtcp(&self, id: RtcpId, packet: &mut [u8]) -> Result<()> {
        let index_at = self.rtcp_index_at(packet.len());
        let (sealed, index) = packet.split_at_mut(index_at);
        index.copy_from_slice(&(ENCRYPTED | id.index).to_be_bytes());
        let (clear, body) = sealed
            .split_at_mut_checked(RTCP_CLEAR_LEN)
            .ok_or(Error::Malformed)?;
        self.rtcp
            .seal(self.rtcp.rtcp_nonce(id), &rtcp_aad(clear, id)?, body)
    }

    /// The index stands behind the tag (RFC 7714 section 9.2, figure 4).
    fn rtcp_index_at(&self, length: usize) -> usize {
        length.saturating_sub(INDEX_LEN)
    }

    fn open_rtcp(&self, id: RtcpId, packet: &mut [u8]) -> Result<()> {
        let index_at = self.rtcp_index_at(packet.len());
        let (clear, body) = packet[..index_at]
            .split_at_mut_checked(RTCP_CLEAR_LEN)
            .ok_or(Error::Malformed)?;
        self.rtcp
            .open(self.rtcp.rtcp_nonce(id), &rtcp_aad(clear, id)?, body)
    }
}

/// The clear part and the index word are authenticated together (RFC 7714 section 9.2).
fn rtcp_aad(clear: &[u8], id: RtcpId) -> Result<[u8; RTCP_CLEAR_LEN + INDEX_LEN]> {
    let clear: [u8; RTCP_CLEAR_LEN] = clear.try_into().map_err(|_| Error::Malformed)?;
    let mut aad = [0; RTCP_CLEAR_LEN + INDEX_LEN];
    aad[..RTCP_CLEAR_LEN].copy_from_slice(&clear);
    aad[RTCP_CLEAR_LEN..].copy_from_slice(&(ENCRYPTED | id.index).to_be_bytes());
    Ok(aad)
}

struct Keys {
    key: LessSafeKey,
    salt: Zeroizing<[u8; SALT_LEN]>,
}

impl Keys {
    fn new(
        algorithm: &'static Algorithm,
        key: &[u8],
        salt: Zeroizing<[u8; SALT_LEN]>,
    ) -> Result<Self> {
        let key = UnboundKey::new(algorithm, key).map_err(|_| Error::KeyLength)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            salt,
        })
    }

    /// Two zero bytes, SSRC, rollover counter, sequence number (RFC 7714 section 8.1).
    fn rtp_nonce(&self, id: RtpId) -> Nonce {
        self.nonce(id.ssrc, id.index.value())
    }

    /// Two zero bytes, SSRC, two zero bytes, index (RFC 7714 section 9.1).
    fn rtcp_nonce(&self, id: RtcpId) -> Nonce {
        self.nonce(id.ssrc, id.index.into())
    }

    fn nonce(&self, ssrc: Ssrc, index: u64) -> Nonce {
        let mut nonce = *self.salt;
        let position = u128::from(ssrc.0) << 48 | u128::from(index);
        for (byte, with) in nonce
            .iter_mut()
            .zip(&position.to_be_bytes()[16 - SALT_LEN..])
        {
            *byte ^= with;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&self, nonce: Nonce, aad: &[u8], body: &mut [u8]) -> Result<()> {
        let at = body.len().checked_sub(TAG_LEN).ok_or(Error::Malformed)?;
        let (plain, room) = body.split_at_mut(at);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), plain)
            .map_err(|_| Error::NotAPacket)?;
        room.copy_from_slice(tag.as_ref());
        Ok(())
    }

    fn open(&self, nonce: Nonce, aad: &[u8], body: &mut [u8]) -> Result<()> {
        self.key
            .open_in_place(nonce, Aad::from(aad), body)
            .map_err(|_| Error::Unauthentic)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ring::aead::{AES_128_GCM, AES_256_GCM};
    use salon_wire::rtp::SeqNo;

    use super::*;
    use crate::index::PacketIndex;

    /// RFC 7714 section 16: the salt, the packet, and what becomes of its payload.
    const SALT: [u8; SALT_LEN] = *b"Quid pro quo";
    const RTP_HEADER: [u8; 12] = [
        0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2,
    ];
    const RTP_PAYLOAD: &[u8] = b"Gallia est omnis divisa in partes tres";
    /// Section 17: index 0x5d4, and the packet that its subsections use.
    const RTCP_INDEX: u32 = 0x5d4;
    const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    fn gcm(algorithm: &'static Algorithm) -> Gcm {
        let key: Vec<u8> = (0..algorithm.key_len() as u8).collect();
        let keys = || Keys::new(algorithm, &key, Zeroizing::new(SALT)).unwrap();
        Gcm {
            rtp: keys(),
            rtcp: keys(),
        }
    }

    fn check_rtp(algorithm: &'static Algorithm, expected: &str) {
        let id = RtpId {
            ssrc: Ssrc(0x5501_a0b2),
            index: PacketIndex::first(SeqNo(0xf17b)),
        };
        let plain = [&RTP_HEADER, RTP_PAYLOAD, &[0; TAG_LEN]].concat();
        let mut packet = plain.clone();
        gcm(algorithm).seal_rtp(id, 12, &mut packet).unwrap();
        assert_eq!(packet[12..], unhex(expected));
        gcm(algorithm).open_rtp(id, 12, &mut packet).unwrap();
        assert_eq!(
            packet[..packet.len() - TAG_LEN],
            plain[..plain.len() - TAG_LEN]
        );
    }

    fn check_rtcp(algorithm: &'static Algorithm, expected: &str) {
        let id = RtcpId {
            ssrc: Ssrc(u32::from_be_bytes(*b"Mars")),
            index: RTCP_INDEX,
        };
        let plain = unhex(RTCP);
        let mut packet = [&plain[..], &[0; TAG_LEN + INDEX_LEN]].concat();
        gcm(algorithm).seal_rtcp(id, &mut packet).unwrap();
        assert_eq!(packet[8..], unhex(expected));
        gcm(algorithm).open_rtcp(id, &mut packet).unwrap();
        assert_eq!(packet[..plain.len()], plain);
    }

    #[test]
    fn rfc_7714_16_1_and_16_2() {
        check_rtp(
            &AES_128_GCM,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
             899d7f27beb16a9152cf765ee4390cce",
        );
        check_rtp(
            &AES_256_GCM,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
             7aa3db36dfffd6b0f9bb7878d7a76c13",
        );
    }

    #[test]
    fn rfc_7714_17_1_and_17_2() {
        check_rtcp(
            &AES_128_GCM,
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b\
             c84aa45896cf4d2fc5abf87245d9eade800005d4",
        );
        check_rtcp(
            &AES_256_GCM,
            "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad\
             1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
        );
    }
}
