//! The RTP header (RFC 3550 section 5.1), which is in the clear even when the payload is encrypted.

use std::ops::Range;

use super::{Extensions, FIXED_HEADER_LEN, RtpTimestamp, SeqNo, Ssrc, VERSION};
use crate::bytes::Reader;
use crate::{Error, Result};

/// A parsed header. It borrows nothing, so the packet it describes can be decrypted or changed in place meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpHeader {
    /// Whether the payload ends in padding.
    pub padding: bool,
    /// Whose meaning the payload type defines: the last packet of a frame, for video.
    pub marker: bool,
    /// 0-127.
    pub payload_type: u8,
    /// The sequence number.
    pub seq: SeqNo,
    /// The media timestamp.
    pub timestamp: RtpTimestamp,
    /// The synchronisation source.
    pub ssrc: Ssrc,
    csrc_count: u8,
    /// The profile and the length in bytes of the extension block.
    extension: Option<(u16, usize)>,
}

impl RtpHeader {
    /// Parse the header at the front of a packet. Its payload may still be encrypted: nothing of it is looked at.
    pub fn parse(packet: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(packet);
        let [first, second] = reader.array()?;
        if first >> 6 != VERSION {
            return Err(Error::WrongProtocol);
        }
        let seq = SeqNo(reader.u16()?);
        let timestamp = RtpTimestamp(reader.u32()?);
        let ssrc = Ssrc(reader.u32()?);
        let csrc_count = first & 0x0f;
        reader.take(4 * csrc_count as usize)?;
        let extension = if first & 0x10 != 0 {
            let profile = reader.u16()?;
            let length = 4 * reader.u16()? as usize;
            reader.take(length)?;
            Some((profile, length))
        } else {
            None
        };
        Ok(Self {
            padding: first & 0x20 != 0,
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            seq,
            timestamp,
            ssrc,
            csrc_count,
            extension,
        })
    }

    /// The length of the header with CSRCs and extensions: where the payload begins.
    pub fn len(&self) -> usize {
        self.extension.map_or(self.extension_at(), |(_, length)| {
            self.extension_at() + 4 + length
        })
    }

    /// Never: a header has at least its fixed part.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The contributing sources, at most 15. Empty if `packet` is not the one this header was parsed from.
    pub fn csrcs<'a>(&self, packet: &'a [u8]) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        let list = packet
            .get(FIXED_HEADER_LEN..self.extension_at())
            .unwrap_or_default();
        list.chunks_exact(4)
            .map(|csrc| u32::from_be_bytes([csrc[0], csrc[1], csrc[2], csrc[3]]))
    }

    /// The header extensions. Empty if `packet` is not the one this header was parsed from.
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        let Some((profile, _)) = self.extension else {
            return Extensions::default();
        };
        Extensions::new(
            profile,
            packet
                .get(self.extension_at() + 4..self.len())
                .unwrap_or_default(),
        )
    }

    /// Where the payload is without padding, once it is decrypted (RFC 3550 section 5.1: the last byte of padding
    /// counts the padding, itself included).
    pub fn payload_range(&self, packet: &[u8]) -> Result<Range<usize>> {
        let start = self.len();
        let payload = packet.get(start..).ok_or(Error::Truncated)?;
        let padding = match (self.padding, payload.last()) {
            (false, _) => 0,
            (true, None | Some(0)) => return Err(Error::BadLength),
            (true, Some(&count)) => count as usize,
        };
        let length = payload.len().checked_sub(padding).ok_or(Error::BadLength)?;
        Ok(start..start + length)
    }

    const fn extension_at(&self) -> usize {
        FIXED_HEADER_LEN + 4 * self.csrc_count as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: [u8; 32] = [
        0xb1, 0xe0, 0x12, 0x34, 0, 0, 0, 9, 0xca, 0xfe, 0,
        1, // padding, extension, one CSRC; marker, type 96
        0, 0, 0, 7, // CSRC
        0xbe, 0xde, 0, 1, 0x10, 0x85, 0, 0, // one-byte extension 1: 0x85
        1, 2, 3, 4, 5, 0, 0, 3, // payload of five bytes and padding of three
    ];

    #[test]
    fn every_field_is_found() {
        let header = RtpHeader::parse(&PACKET).unwrap();
        assert!(header.padding && header.marker);
        assert_eq!(header.payload_type, 96);
        assert_eq!(header.seq, SeqNo(0x1234));
        assert_eq!(header.timestamp, RtpTimestamp(9));
        assert_eq!(header.ssrc, Ssrc(0xcafe_0001));
        assert_eq!(header.csrcs(&PACKET).collect::<Vec<_>>(), [7]);
        assert_eq!(header.len(), 24);
        assert_eq!(
            &PACKET[header.payload_range(&PACKET).unwrap()],
            [1, 2, 3, 4, 5]
        );
        let extensions: Vec<_> = header.extensions(&PACKET).map(|e| (e.id, e.data)).collect();
        assert_eq!(extensions, [(1, &[0x85][..])]);
    }

    #[test]
    fn every_truncation_of_the_header_is_an_error() {
        for length in 0..24 {
            assert_eq!(
                RtpHeader::parse(&PACKET[..length]),
                Err(Error::Truncated),
                "{length} bytes"
            );
        }
        assert!(RtpHeader::parse(&PACKET[..24]).is_ok());
    }

    #[test]
    fn other_versions_are_refused() {
        let mut packet = PACKET;
        packet[0] = 0x71;
        assert_eq!(RtpHeader::parse(&packet), Err(Error::WrongProtocol));
    }

    #[test]
    fn padding_must_fit_the_payload() {
        let header = RtpHeader::parse(&PACKET).unwrap();
        let mut packet = PACKET;
        for (padding, expected) in [
            (0, Err(Error::BadLength)),
            (8, Ok(24..24)),
            (9, Err(Error::BadLength)),
        ] {
            packet[31] = padding;
            assert_eq!(
                header.payload_range(&packet),
                expected,
                "padding of {padding}"
            );
        }
        assert_eq!(header.payload_range(&packet[..24]), Err(Error::BadLength));
    }

    #[test]
    fn another_packet_than_its_own_gives_nothing() {
        let header = RtpHeader::parse(&PACKET).unwrap();
        assert_eq!(header.csrcs(&[]).len(), 0);
        assert_eq!(header.extensions(&[]).count(), 0);
        assert_eq!(header.payload_range(&[]), Err(Error::Truncated));
    }
}
