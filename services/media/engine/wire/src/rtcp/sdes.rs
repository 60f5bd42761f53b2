//! SDES, of which CNAME alone is read and written (RFC 3550 section 6.5).

use super::{packet_type, write_packet};
use crate::bytes::{Reader, Writer};
use crate::rtp::Ssrc;
use crate::{Error, Result};

const END: u8 = 0;
const CNAME: u8 = 1;

/// Descriptions of sources, found to be within bounds.
#[derive(Debug, Clone)]
pub struct Sdes<'a> {
    chunks: Chunks<'a>,
}

impl<'a> Sdes<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self> {
        let chunks = Chunks {
            left: count,
            reader: Reader::new(body),
        };
        chunks.clone().try_for_each(|chunk| chunk.map(|_| ()))?;
        Ok(Self { chunks })
    }

    /// The CNAME of each source that has one, as bytes: it should be UTF-8, and nobody enforces it.
    pub fn cnames(&self) -> impl Iterator<Item = (Ssrc, &'a [u8])> + use<'a> {
        self.chunks.clone().filter_map(|chunk| {
            let (source, cname) = chunk.ok()?;
            Some((source, cname?))
        })
    }

    pub(super) fn write_cname(source: Ssrc, cname: &str, writer: &mut Writer<'_>) -> Result<()> {
        write_packet(writer, 1, packet_type::SDES, |writer| {
            writer.u32(source.0)?;
            writer.u8(CNAME)?;
            writer.u8(cname.len().try_into().map_err(|_| Error::OutOfRange)?)?;
            writer.put(cname.as_bytes())?;
            writer.u8(END)
        })
    }
}

#[derive(Debug, Clone)]
struct Chunks<'a> {
    left: u8,
    reader: Reader<'a>,
}

impl<'a> Chunks<'a> {
    fn parse_next(&mut self) -> Result<(Ssrc, Option<&'a [u8]>)> {
        let source = Ssrc(self.reader.u32()?);
        let before = self.reader.remaining();
        let mut cname = None;
        loop {
            let kind = self.reader.u8()?;
            if kind == END {
                break;
            }
            let length = self.reader.u8()?;
            let text = self.reader.take(length.into())?;
            if kind == CNAME {
                cname = cname.or(Some(text));
            }
        }
        // A chunk ends at a word: one to four zeros in all.
        let used = before - self.reader.remaining();
        self.reader.take(used.next_multiple_of(4) - used)?;
        Ok((source, cname))
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<(Ssrc, Option<&'a [u8]>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.parse_next().inspect_err(|_| self.left = 0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Compound, CompoundWriter, Packet};
    use super::*;

    fn cnames(datagram: &[u8]) -> Result<Vec<(Ssrc, Vec<u8>)>> {
        match Compound::new(datagram).next() {
            Some(Ok(Packet::Sdes(sdes))) => {
                Ok(sdes.cnames().map(|(s, name)| (s, name.to_vec())).collect())
            }
            Some(Err(error)) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_length_of_name_is_padded_and_read_again() {
        for length in [0, 1, 2, 3, 4, 5, 255] {
            let name = "n".repeat(length);
            let mut out = [0xff; 300];
            let mut writer = CompoundWriter::new(&mut out);
            writer.cname(Ssrc(9), &name).unwrap();
            let end = writer.len();
            assert_eq!(end % 4, 0);
            assert_eq!(cnames(&out[..end]), Ok(vec![(Ssrc(9), name.into_bytes())]));
        }
    }

    #[test]
    fn a_longer_name_is_the_callers_error() {
        let mut out = [0; 300];
        assert_eq!(
            CompoundWriter::new(&mut out).cname(Ssrc(9), &"n".repeat(256)),
            Err(Error::OutOfRange)
        );
    }

    #[test]
    fn other_items_and_sources_without_name_are_passed_over() {
        let datagram = [
            0x82, 202, 0, 5, 0, 0, 0, 1, 2, 1, b'x', 0, // NAME alone
            0, 0, 0, 2, 6, 0, 1, 2, b'h', b'i', 0, 0, // TOOL, then CNAME
        ];
        assert_eq!(cnames(&datagram), Ok(vec![(Ssrc(2), b"hi".to_vec())]));
    }

    #[test]
    fn items_beyond_the_packet_are_an_error() {
        assert_eq!(
            cnames(&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 3, b'x', 0]),
            Err(Error::Truncated)
        );
        assert_eq!(
            cnames(&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, b'x', b'y']),
            Err(Error::Truncated)
        );
        assert_eq!(
            cnames(&[0x82, 202, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]),
            Err(Error::Truncated)
        );
    }
}
