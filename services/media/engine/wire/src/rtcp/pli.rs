//! Picture loss indication (RFC 4585 section 6.3.1): asks for a key frame.

use super::{format, packet_type, write_packet};
use crate::Result;
use crate::bytes::{Reader, Writer};
use crate::rtp::Ssrc;

/// A request for a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pli {
    /// Who asks.
    pub sender: Ssrc,
    /// Who is asked.
    pub media: Ssrc,
}

impl Pli {
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        Ok(Self {
            sender: Ssrc(reader.u32()?),
            media: Ssrc(reader.u32()?),
        })
    }

    pub(super) fn write(self, writer: &mut Writer<'_>) -> Result<()> {
        write_packet(
            writer,
            format::PLI,
            packet_type::PAYLOAD_FEEDBACK,
            |writer| {
                writer.u32(self.sender.0)?;
                writer.u32(self.media.0)
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Compound, CompoundWriter, Packet};
    use super::*;
    use crate::Error;

    #[test]
    fn what_is_written_is_parsed_again() {
        let pli = Pli {
            sender: Ssrc(0x0102_0304),
            media: Ssrc(5),
        };
        let mut out = [0; 12];
        CompoundWriter::new(&mut out).pli(pli).unwrap();
        assert_eq!(out, [0x81, 206, 0, 2, 1, 2, 3, 4, 0, 0, 0, 5]);
        assert!(
            matches!(Compound::new(&out).next(), Some(Ok(Packet::Pli(parsed))) if parsed == pli)
        );
    }

    #[test]
    fn half_of_one_is_an_error() {
        let datagram = [0x81, 206, 0, 1, 0, 0, 0, 1];
        assert_eq!(
            Compound::new(&datagram).next().unwrap().err(),
            Some(Error::Truncated)
        );
    }
}
