//! From a master key to session keys (RFC 3711 section 4.3, RFC 6188 section 3 for 256 bits), derivation rate 0.

use aes::{Aes128Enc, Aes256Enc};
use ctr::Ctr32BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

use crate::{Error, Profile, Result};

/// What a session key is for (RFC 3711 section 4.3.2). SRTCP's numbers are higher by three.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Label {
    RtpKey = 0,
    RtpAuth = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuth = 4,
    RtcpSalt = 5,
}

/// A master key and salt of the right lengths, borrowed for as long as the derivation takes.
pub(crate) struct Master<'a> {
    key: &'a [u8],
    salt: &'a [u8],
}

impl<'a> Master<'a> {
    pub(crate) fn new(profile: Profile, key: &'a [u8], salt: &'a [u8]) -> Result<Self> {
        if key.len() != profile.key_len() || salt.len() != profile.salt_len() {
            return Err(Error::KeyLength);
        }
        Ok(Self { key, salt })
    }

    /// The first `N` bytes of the pseudo-random stream of a label.
    pub(crate) fn derive<const N: usize>(&self, label: Label) -> Result<Zeroizing<[u8; N]>> {
        // Section 4.3.1: x = key_id XOR master_salt, where key_id is the label and six bytes of zero, aligned right in
        // the 14 bytes of the salt. Section 4.3.3: the counter starts at x * 2^16. A salt of 12 bytes is aligned left
        // (RFC 7714 section 11).
        let mut iv = [0; 16];
        iv[..self.salt.len()].copy_from_slice(self.salt);
        iv[7] ^= label as u8;
        let mut stream = Zeroizing::new([0; N]);
        match self.key.len() {
            16 => keystream::<Ctr32BE<Aes128Enc>>(self.key, &iv, &mut *stream)?,
            _ => keystream::<Ctr32BE<Aes256Enc>>(self.key, &iv, &mut *stream)?,
        }
        Ok(stream)
    }
}

fn keystream<C: KeyIvInit + StreamCipher>(key: &[u8], iv: &[u8], out: &mut [u8]) -> Result<()> {
    C::new_from_slices(key, iv)
        .map_err(|_| Error::KeyLength)?
        .apply_keystream(out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 appendix B.3.
    const KEY: [u8; 16] = 0xe1f9_7a0d_3e01_8be0_d64f_a32c_06de_4139_u128.to_be_bytes();
    const SALT: [u8; 14] = [
        0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6,
    ];

    #[test]
    fn rfc_3711_b_3() {
        let master = Master::new(Profile::Aes128CmSha1_80, &KEY, &SALT).unwrap();
        assert_eq!(
            *master.derive::<16>(Label::RtpKey).unwrap(),
            0xc61e_7a93_744f_39ee_1073_4afe_3ff7_a087_u128.to_be_bytes()
        );
        assert_eq!(
            *master.derive::<14>(Label::RtpSalt).unwrap(),
            [
                0x30, 0xcb, 0xbc, 0x08, 0x86, 0x3d, 0x8c, 0x85, 0xd4, 0x9d, 0xb3, 0x4a, 0x9a, 0xe1
            ]
        );
        let auth = master.derive::<94>(Label::RtpAuth).unwrap();
        assert_eq!(
            auth[..16],
            0xcebe_321f_6ff7_716b_6fd4_ab49_af25_6a15_u128.to_be_bytes()
        );
        assert_eq!(
            auth[16..32],
            0x6d38_baa4_8f0a_0acf_3c34_e235_9e6c_dbce_u128.to_be_bytes()
        );
        assert_eq!(
            auth[64..80],
            0x6d6e_919a_48b6_10ef_17c2_041e_4740_3576_u128.to_be_bytes()
        );
    }

    #[test]
    fn lengths_must_be_the_profiles() {
        for profile in [
            Profile::Aes128CmSha1_80,
            Profile::AeadAes128Gcm,
            Profile::AeadAes256Gcm,
        ] {
            let (key, salt) = (vec![0; profile.key_len()], vec![0; profile.salt_len()]);
            assert!(Master::new(profile, &key, &salt).is_ok());
            assert_eq!(
                Master::new(profile, &key[1..], &salt).err(),
                Some(Error::KeyLength)
            );
            assert_eq!(
                Master::new(profile, &key, &salt[1..]).err(),
                Some(Error::KeyLength)
            );
        }
    }
}
