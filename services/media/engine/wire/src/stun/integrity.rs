//! MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 sections 14.5 and 14.7).

use std::fmt;

use ring::hmac;
use subtle::ConstantTimeEq;

use super::{HEADER_LEN, attribute};
use crate::bytes::Writer;
use crate::{Error, Result};

/// The length of an HMAC-SHA1.
const HMAC_LEN: usize = 20;
/// What the CRC is combined with, so that other checksums over the same bytes differ (RFC 8489 section 14.7).
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// An ICE password as a key, prepared once a session. It never shows itself.
#[derive(Clone)]
pub struct IntegrityKey(hmac::Key);

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey(..)")
    }
}

impl IntegrityKey {
    /// From the password of the side that receives the check. ICE passwords are ASCII (RFC 8839 section 5.4), for
    /// which the preparation of RFC 8489 section 9.1.1 changes nothing.
    pub fn new(password: &str) -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            password.as_bytes(),
        ))
    }

    /// Compare in constant time what the message claims with the integrity of its bytes before `attribute_at`.
    pub(super) fn verify(&self, message: &[u8], attribute_at: usize, claimed: &[u8]) -> Result<()> {
        let expected = self.sign(message.get(..attribute_at).ok_or(Error::Truncated)?);
        if expected.as_ref().ct_eq(claimed).into() {
            Ok(())
        } else {
            Err(Error::BadIntegrity)
        }
    }

    fn sign(&self, before: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        with_length_through(before, 4 + HMAC_LEN, |bytes| context.update(bytes));
        context.sign()
    }
}

/// Whether `claimed` is the fingerprint of the bytes before it.
pub(super) fn verify_fingerprint(before: &[u8], claimed: [u8; 4]) -> Result<()> {
    if u32::from_be_bytes(claimed) == fingerprint(before) {
        Ok(())
    } else {
        Err(Error::BadIntegrity)
    }
}

/// Append MESSAGE-INTEGRITY. The length in the header must be set again afterwards.
pub(super) fn write_integrity(key: &IntegrityKey, writer: &mut Writer<'_>) -> Result<()> {
    let tag = key.sign(writer.written());
    writer.u16(attribute::MESSAGE_INTEGRITY)?;
    writer.u16(HMAC_LEN as u16)?;
    writer.put(tag.as_ref())
}

/// Append FINGERPRINT, the last attribute of a message.
pub(super) fn write_fingerprint(writer: &mut Writer<'_>) -> Result<()> {
    let value = fingerprint(writer.written());
    writer.u16(attribute::FINGERPRINT)?;
    writer.u16(4)?;
    writer.u32(value)
}

fn fingerprint(before: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    with_length_through(before, 4 + 4, |bytes| crc.update(bytes));
    crc.finalize() ^ FINGERPRINT_XOR
}

/// Feed `before` with the length in its header counting up to the end of an attribute of `size` bytes that follows:
/// sections 14.5 and 14.7 compute over the message as if that attribute were its last.
fn with_length_through(before: &[u8], size: usize, mut feed: impl FnMut(&[u8])) {
    let length = (before.len() + size).saturating_sub(HEADER_LEN) as u16;
    feed(before.get(..2).unwrap_or_default());
    feed(&length.to_be_bytes());
    feed(before.get(4..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::IntegrityKey;

    #[test]
    fn a_key_shows_nothing_of_itself() {
        assert_eq!(
            format!("{:?}", IntegrityKey::new("secret")),
            "IntegrityKey(..)"
        );
    }
}
