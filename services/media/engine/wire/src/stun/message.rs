//! A STUN message of any class (RFC 8489 sections 5 and 14).

use super::integrity::verify_fingerprint;
use super::{HEADER_LEN, IntegrityKey, MAGIC_COOKIE, attribute};
use crate::bytes::Reader;
use crate::{Error, Result};

/// What a response repeats from its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// The class of a message (RFC 8489 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Wants a response.
    Request,
    /// Wants none.
    Indication,
    /// A response that grants.
    Success,
    /// A response that refuses.
    Error,
}

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) kind: u16,
    pub(super) value: &'a [u8],
    /// Where its type begins in the message.
    pub(super) at: usize,
}

/// A message whose attributes are all within bounds and whose FINGERPRINT, required and last, fits.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Request, indication or response.
    pub class: Class,
    /// 12 bits; 1 is binding.
    pub method: u16,
    /// Names the transaction.
    pub transaction_id: TransactionId,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Parse a datagram that is one message and nothing else.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u16()?;
        let length = reader.u16()? as usize;
        // RFC 8489 section 5: the first two bits are zero, and the last two of the length are.
        if kind & 0xc000 != 0 || reader.u32()? != MAGIC_COOKIE {
            return Err(Error::WrongProtocol);
        }
        let transaction_id = TransactionId(reader.array()?);
        if length % 4 != 0 || length != reader.remaining() {
            return Err(Error::BadLength);
        }
        let message = Self {
            class: class_of(kind),
            method: method_of(kind),
            transaction_id,
            bytes,
        };
        message.check_attributes()?;
        Ok(message)
    }

    /// Check MESSAGE-INTEGRITY with the key of the side that receives requests.
    pub fn verify(&self, key: &IntegrityKey) -> Result<()> {
        let integrity = self
            .find(attribute::MESSAGE_INTEGRITY)
            .ok_or(Error::Unauthenticated)?;
        key.verify(self.bytes, integrity.at, integrity.value)
    }

    /// The first attribute of this type. Of several with one type only the first counts (section 14).
    pub(super) fn find(&self, kind: u16) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.kind == kind)
    }

    /// All attributes that count: what follows MESSAGE-INTEGRITY is not covered by it and is ignored, but for
    /// FINGERPRINT (section 14.5).
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let mut after_integrity = false;
        Attributes::new(self.bytes)
            .map_while(Result::ok)
            .filter(move |attribute| {
                let counts = !after_integrity || attribute.kind == attribute::FINGERPRINT;
                after_integrity |= attribute.kind == attribute::MESSAGE_INTEGRITY;
                counts
            })
    }

    fn check_attributes(&self) -> Result<()> {
        let mut last = None;
        for attribute in Attributes::new(self.bytes) {
            last = Some(attribute?);
        }
        // Section 14.7: FINGERPRINT is the last attribute.
        let last = last
            .filter(|last| last.kind == attribute::FINGERPRINT)
            .ok_or(Error::Unauthenticated)?;
        verify_fingerprint(
            &self.bytes[..last.at],
            last.value.try_into().map_err(|_| Error::BadLength)?,
        )
    }
}

/// Goes over attributes, and ends after the first that is out of bounds.
struct Attributes<'a> {
    reader: Reader<'a>,
    at: usize,
}

impl<'a> Attributes<'a> {
    fn new(message: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(message.get(HEADER_LEN..).unwrap_or_default()),
            at: HEADER_LEN,
        }
    }

    fn parse_next(&mut self) -> Result<Attribute<'a>> {
        let before = self.reader.remaining();
        let kind = self.reader.u16()?;
        let length = self.reader.u16()? as usize;
        let value = self.reader.take(length)?;
        // Section 14: values are padded to four bytes; the padding may be anything.
        self.reader.take(length.next_multiple_of(4) - length)?;
        let at = self.at;
        self.at += before - self.reader.remaining();
        Ok(Attribute { kind, value, at })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.remaining() == 0 {
            return None;
        }
        let attribute = self.parse_next();
        if attribute.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(attribute)
    }
}

/// The class bits C1 and C0 stand between those of the method (section 5, figure 3).
const fn class_of(kind: u16) -> Class {
    match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    }
}

const fn method_of(kind: u16) -> u16 {
    (kind & 0x000f) | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_and_method_bits_interleave() {
        assert_eq!((class_of(0x0001), method_of(0x0001)), (Class::Request, 1));
        assert_eq!(
            (class_of(0x0011), method_of(0x0011)),
            (Class::Indication, 1)
        );
        assert_eq!((class_of(0x0101), method_of(0x0101)), (Class::Success, 1));
        assert_eq!((class_of(0x0111), method_of(0x0111)), (Class::Error, 1));
        assert_eq!(method_of(0x3eef), 0x0fff);
    }
}
