//! A whole RTP packet in the clear.

use super::{Extensions, RtpHeader};
use crate::Result;

/// A packet whose header and padding were found to be sound.
#[derive(Debug, Clone, Copy)]
pub struct RtpPacket<'a> {
    /// The header.
    pub header: RtpHeader,
    /// The payload without padding; empty for packets that are padding alone.
    pub payload: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> RtpPacket<'a> {
    /// Parse a decrypted packet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let header = RtpHeader::parse(bytes)?;
        let payload = &bytes[header.payload_range(bytes)?];
        Ok(Self {
            header,
            payload,
            bytes,
        })
    }

    /// The header extensions.
    pub fn extensions(&self) -> Extensions<'a> {
        self.header.extensions(self.bytes)
    }

    /// The contributing sources.
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.header.csrcs(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::RtpPacket;
    use crate::Error;

    #[test]
    fn payload_comes_without_padding() {
        let packet = [0xa0, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 42, 0, 2];
        let packet = RtpPacket::parse(&packet).unwrap();
        assert_eq!(packet.payload, [42]);
        assert_eq!(packet.extensions().count() + packet.csrcs().len(), 0);
    }

    #[test]
    fn impossible_padding_is_an_error() {
        let packet = [0xa0, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 42, 0, 4];
        assert_eq!(RtpPacket::parse(&packet).unwrap_err(), Error::BadLength);
    }
}
