//! Vectors from files, and STUN requests as a client makes them.
#![allow(dead_code, reason = "each test binary uses a part")]

use ring::hmac;

pub(crate) const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
pub(crate) const REQUEST: &str = include_str!("../vectors/rfc5769-2.1.hex");
pub(crate) const RESPONSE_V4: &str = include_str!("../vectors/rfc5769-2.2.hex");
pub(crate) const RESPONSE_V6: &str = include_str!("../vectors/rfc5769-2.3.hex");

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// A binding request under construction.
pub(crate) struct Request(Vec<u8>);

impl Request {
    pub(crate) fn new() -> Self {
        Self(unhex("0001 0000 2112a442 000102030405060708090a0b"))
    }

    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend(kind.to_be_bytes());
        self.0.extend((value.len() as u16).to_be_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self.set_length(0);
        self
    }

    pub(crate) fn with_integrity(mut self, password: &str) -> Self {
        self.set_length(24);
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let tag = hmac::sign(&key, &self.0);
        self.with(0x0008, tag.as_ref())
    }

    pub(crate) fn with_fingerprint(mut self) -> Self {
        self.set_length(8);
        let crc = crc32fast::hash(&self.0) ^ 0x5354_554e;
        self.with(0x8028, &crc.to_be_bytes())
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }

    fn set_length(&mut self, more: usize) {
        let length = (self.0.len() - 20 + more) as u16;
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
    }
}
