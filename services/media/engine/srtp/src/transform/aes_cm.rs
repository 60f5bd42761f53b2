//! AES in counter mode with HMAC-SHA1, 80 bits of it (RFC 3711 sections 4.1.1 and 4.2.1).

use aes::Aes128Enc;
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::{CtrCore, flavors};
use hmac::{Hmac, Mac};
use salon_wire::rtp::Ssrc;
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{ENCRYPTED, RTCP_CLEAR_LEN, RtcpId, RtpId, Transform};
use crate::kdf::{Label, Master};
use crate::{Error, Result};

const TAG_LEN: usize = 10;
const INDEX_LEN: usize = 4;

/// Keys for RTP and RTCP.
pub(super) struct AesCmSha1 {
    rtp: Keys,
    rtcp: Keys,
}

impl AesCmSha1 {
    pub(super) fn new(master: &Master<'_>) -> Result<Self> {
        Ok(Self {
            rtp: Keys::derive(master, Label::RtpKey, Label::RtpSalt, Label::RtpAuth)?,
            rtcp: Keys::derive(master, Label::RtcpKey, Label::RtcpSalt, Label::RtcpAuth)?,
        })
    }
}

impl Transform for AesCmSha1 {
    fn tag_len(&self) -> usize {
        TAG_LEN
    }

    fn seal_rtp(&self, id: RtpId, header: usize, packet: &mut [u8]) -> Result<()> {
        let (body, tag) = split_end(packet, TAG_LEN)?;
        self.rtp.apply(
            id.ssrc,
            id.index.value(),
            body.get_mut(header..).ok_or(Error::Malformed)?,
        );
        tag.copy_from_slice(&self.rtp.tag(body, id.index.roc()));
        Ok(())
    }

    fn open_rtp(&self, id: RtpId, header: usize, packet: &mut [u8]) -> Result<()> {
        let (body, tag) = split_end(packet, TAG_LEN)?;
        verify(self.rtp.tag(body, id.index.roc()), tag)?;
        self.rtp.apply(
            id.ssrc,
            id.index.value(),
            body.get_mut(header..).ok_or(Error::Malformed)?,
        );
        Ok(())
    }

    fn seal_rtcp(&self, id: RtcpId, packet: &mut [u8]) -> Result<()> {
        let (rest, tag) = split_end(packet, TAG_LEN)?;
        let (body, index) = split_end(rest, INDEX_LEN)?;
        let word = ENCRYPTED | id.index;
        index.copy_from_slice(&word.to_be_bytes());
        self.rtcp.apply(
            id.ssrc,
            id.index.into(),
            body.get_mut(RTCP_CLEAR_LEN..).ok_or(Error::Malformed)?,
        );
        tag.copy_from_slice(&self.rtcp.tag(body, word));
        Ok(())
    }

    /// The index stands before the tag (RFC 3711 section 3.4, figure 2).
    fn rtcp_index_at(&self, length: usize) -> usize {
        length.saturating_sub(TAG_LEN + INDEX_LEN)
    }

    fn open_rtcp(&self, id: RtcpId, packet: &mut [u8]) -> Result<()> {
        let (rest, tag) = split_end(packet, TAG_LEN)?;
        let (body, _) = split_end(rest, INDEX_LEN)?;
        verify(self.rtcp.tag(body, ENCRYPTED | id.index), tag)?;
        self.rtcp.apply(
            id.ssrc,
            id.index.into(),
            body.get_mut(RTCP_CLEAR_LEN..).ok_or(Error::Malformed)?,
        );
        Ok(())
    }
}

struct Keys {
    cipher: Aes128Enc,
    /// The session salt times 2^16.
    salt: Zeroizing<[u8; 16]>,
    /// Its two halves are hashed once; each tag begins with a copy.
    auth: Hmac<Sha1>,
}

impl Keys {
    fn derive(master: &Master<'_>, key: Label, salt: Label, auth: Label) -> Result<Self> {
        let mut padded = Zeroizing::new([0; 16]);
        padded[..14].copy_from_slice(&*master.derive::<14>(salt)?);
        Ok(Self {
            cipher: Aes128Enc::new(&(*master.derive::<16>(key)?).into()),
            salt: padded,
            auth: Hmac::new_from_slice(&*master.derive::<20>(auth)?)
                .map_err(|_| Error::KeyLength)?,
        })
    }

    /// Encrypt or decrypt. IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16) (section 4.1.1).
    fn apply(&self, ssrc: Ssrc, index: u64, bytes: &mut [u8]) {
        let position = u128::from(ssrc.0) << 64 | u128::from(index) << 16;
        let iv = (u128::from_be_bytes(*self.salt) ^ position).to_be_bytes();
        // The counter's 16 bits start at zero and a packet has at most 4096 blocks, so 32 bits never carry.
        let core = CtrCore::<_, flavors::Ctr32BE>::inner_iv_init(&self.cipher, &iv.into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
    }

    /// The tag covers the packet and the rollover counter, or the SRTCP index word (section 4.2).
    fn tag(&self, body: &[u8], suffix: u32) -> [u8; TAG_LEN] {
        let mut context = self.auth.clone();
        context.update(body);
        context.update(&suffix.to_be_bytes());
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&context.finalize().into_bytes()[..TAG_LEN]);
        tag
    }
}

fn verify(expected: [u8; TAG_LEN], claimed: &[u8]) -> Result<()> {
    if expected.ct_eq(claimed).into() {
        Ok(())
    } else {
        Err(Error::Unauthentic)
    }
}

fn split_end(bytes: &mut [u8], length: usize) -> Result<(&mut [u8], &mut [u8])> {
    let at = bytes.len().checked_sub(length).ok_or(Error::Malformed)?;
    Ok(bytes.split_at_mut(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 appendix B.2: SSRC and index are zero, so the IV is the salt.
    #[test]
    fn rfc_3711_b_2() {
        let keys = Keys {
            cipher: Aes128Enc::new(
                &0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128
                    .to_be_bytes()
                    .into(),
            ),
            salt: Zeroizing::new(0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_0000_u128.to_be_bytes()),
            auth: Hmac::new_from_slice(&[]).unwrap(),
        };
        let mut stream = vec![0; 0xff02 * 16];
        keys.apply(Ssrc(0), 0, &mut stream);
        let blocks = [
            (0, 0xe03e_ad09_35c9_5e80_e166_b16d_d92b_4eb4_u128),
            (1, 0xd235_1316_2b02_d0f7_2a43_a2fe_4a5f_97ab_u128),
            (2, 0x41e9_5b3b_b0a2_e8dd_4779_01e4_fca8_94c0_u128),
            (0xfeff, 0xec8c_df73_9860_7cb0_f2d2_1675_ea9e_a1e4_u128),
            (0xff00, 0x362b_7c3c_6773_5163_18a0_77d7_fc50_73ae_u128),
            (0xff01, 0x6a2c_c378_7889_374f_beb4_c81b_17ba_6c44_u128),
        ];
        for (block, expected) in blocks {
            assert_eq!(
                stream[block * 16..][..16],
                expected.to_be_bytes(),
                "block {block:#x}"
            );
        }
    }
}
