//! BYE (RFC 3550 section 6.6).

use crate::Result;
use crate::bytes::Reader;
use crate::rtp::Ssrc;

/// Sources that end. The reason that may follow is not read.
#[derive(Debug, Clone, Copy)]
pub struct Bye<'a> {
    sources: Reader<'a>,
}

impl<'a> Bye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self> {
        let sources = Reader::new(body).take(4 * count as usize)?;
        Ok(Self {
            sources: Reader::new(sources),
        })
    }

    /// Who ends, at most 31.
    pub fn sources(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        let mut reader = self.sources;
        std::iter::from_fn(move || reader.u32().ok().map(Ssrc))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Compound, Packet};
    use crate::Error;
    use crate::rtp::Ssrc;

    #[test]
    fn sources_come_without_the_reason() {
        let datagram = [0x82, 203, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 3, b'b', b'y', b'e'];
        let Some(Ok(Packet::Bye(bye))) = Compound::new(&datagram).next() else {
            panic!("no bye")
        };
        assert_eq!(bye.sources().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    }

    #[test]
    fn fewer_sources_than_counted_are_an_error() {
        let datagram = [0x82, 203, 0, 1, 0, 0, 0, 1];
        assert_eq!(
            Compound::new(&datagram).next().unwrap().err(),
            Some(Error::Truncated)
        );
    }
}
