//! Generic NACK (RFC 4585 section 6.2.1): names packets that did not arrive.

use super::{format, packet_type, write_packet};
use crate::Result;
use crate::bytes::{Reader, Writer};
use crate::rtp::{SeqNo, Ssrc};

/// A request to send packets again.
#[derive(Debug, Clone, Copy)]
pub struct Nack<'a> {
    /// Who asks.
    pub sender: Ssrc,
    /// Who is asked.
    pub media: Ssrc,
    entries: Reader<'a>,
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        Ok(Self {
            sender: Ssrc(reader.u32()?),
            media: Ssrc(reader.u32()?),
            entries: reader,
        })
    }

    /// The lost packets, at most 17 an entry of four bytes.
    pub fn lost(&self) -> impl Iterator<Item = SeqNo> + use<'a> {
        let mut reader = self.entries;
        std::iter::from_fn(move || Some((SeqNo(reader.u16().ok()?), reader.u16().ok()?))).flat_map(
            |(first, following)| {
                let following = (0..16).filter(move |bit| following & 1 << bit != 0);
                std::iter::once(first).chain(following.map(move |bit| first.plus(bit + 1)))
            },
        )
    }

    pub(super) fn write(
        sender: Ssrc,
        media: Ssrc,
        lost: &[SeqNo],
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        write_packet(
            writer,
            format::NACK,
            packet_type::TRANSPORT_FEEDBACK,
            |writer| {
                writer.u32(sender.0)?;
                writer.u32(media.0)?;
                let mut rest = lost;
                while let Some((&first, following)) = rest.split_first() {
                    let mut mask = 0;
                    let shared = following.iter().take_while(|seq| {
                        let steps = seq.since(first);
                        let shares = (1..=16).contains(&steps);
                        if shares {
                            mask |= 1 << (steps - 1);
                        }
                        shares
                    });
                    rest = &following[shared.count()..];
                    writer.u16(first.0)?;
                    writer.u16(mask)?;
                }
                Ok(())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Compound, CompoundWriter, Packet};
    use super::*;

    fn round_trip(lost: &[SeqNo]) -> (usize, Vec<SeqNo>) {
        let mut out = [0; 1200];
        let mut writer = CompoundWriter::new(&mut out);
        writer.nack(Ssrc(1), Ssrc(2), lost).unwrap();
        let length = writer.len();
        let Some(Ok(Packet::Nack(nack))) = Compound::new(&out[..length]).next() else {
            panic!("no nack")
        };
        assert_eq!((nack.sender, nack.media), (Ssrc(1), Ssrc(2)));
        (length, nack.lost().collect())
    }

    #[test]
    fn seventeen_in_a_row_share_an_entry() {
        let lost: Vec<_> = (0..17).map(|i| SeqNo(65_530).plus(i)).collect();
        assert_eq!(round_trip(&lost), (16, lost.clone()));
        let lost: Vec<_> = (0..18).map(|i| SeqNo(65_530).plus(i)).collect();
        assert_eq!(round_trip(&lost), (20, lost.clone()));
    }

    proptest! {
        #[test]
        fn rising_numbers_are_read_as_written(first: u16, steps in proptest::collection::vec(1u16..40, 0..200)) {
            let mut seq = SeqNo(first);
            let mut lost = vec![seq];
            for step in steps {
                seq = seq.plus(step);
                lost.push(seq);
            }
            prop_assert_eq!(round_trip(&lost).1, lost);
        }
    }
}
