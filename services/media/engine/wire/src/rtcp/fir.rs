//! Full intra request (RFC 5104 section 4.3.1): asks for a key frame, and says which request it is.

use super::{format, packet_type, write_packet};
use crate::Result;
use crate::bytes::{Reader, Writer};
use crate::rtp::Ssrc;

/// Requests to one or more sources.
#[derive(Debug, Clone, Copy)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender: Ssrc,
    entries: Reader<'a>,
}

/// A request to one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirEntry {
    /// Who is asked.
    pub media: Ssrc,
    /// The same number again is the same request, repeated.
    pub command: u8,
}

impl<'a> Fir<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let sender = Ssrc(reader.u32()?);
        // Section 4.3.1.2: the media source of the feedback header is not used; the entries name theirs.
        reader.u32()?;
        Ok(Self {
            sender,
            entries: reader,
        })
    }

    /// The requests.
    pub fn entries(&self) -> impl Iterator<Item = FirEntry> + use<'a> {
        let mut reader = self.entries;
        std::iter::from_fn(move || {
            let media = Ssrc(reader.u32().ok()?);
            let [command, ..] = reader.array::<4>().ok()?;
            Some(FirEntry { media, command })
        })
    }

    pub(super) fn write(
        sender: Ssrc,
        media: Ssrc,
        command: u8,
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        write_packet(
            writer,
            format::FIR,
            packet_type::PAYLOAD_FEEDBACK,
            |writer| {
                writer.u32(sender.0)?;
                writer.u32(0)?;
                writer.u32(media.0)?;
                writer.put(&[command, 0, 0, 0])
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Compound, CompoundWriter, Packet};
    use super::*;

    fn entries(datagram: &[u8]) -> Vec<FirEntry> {
        let Some(Ok(Packet::Fir(fir))) = Compound::new(datagram).next() else {
            panic!("no request")
        };
        assert_eq!(fir.sender, Ssrc(1));
        fir.entries().collect()
    }

    #[test]
    fn what_is_written_is_parsed_again() {
        let mut out = [0; 20];
        CompoundWriter::new(&mut out)
            .fir(Ssrc(1), Ssrc(7), 200)
            .unwrap();
        assert_eq!(
            entries(&out),
            [FirEntry {
                media: Ssrc(7),
                command: 200
            }]
        );
    }

    #[test]
    fn several_entries_are_read_and_half_of_one_is_not() {
        let datagram = [
            0x84, 206, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, // header
            0, 0, 0, 2, 9, 0, 0, 0, 0, 0, 0, 3, 8, 0, 0, 0, 0, 0, 0, 4,
        ];
        let expected = [
            FirEntry {
                media: Ssrc(2),
                command: 9,
            },
            FirEntry {
                media: Ssrc(3),
                command: 8,
            },
        ];
        assert_eq!(entries(&datagram), expected);
    }
}
