//! What a receiver says about one source (RFC 3550 section 6.4.1).

use crate::bytes::{Reader, Writer};
use crate::ntp::ShortInterval;
use crate::rtp::Ssrc;
use crate::{Error, Result};

const BLOCK_LEN: usize = 24;
/// The count has five bits.
const MAX_BLOCKS: usize = 31;

/// One block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// Whom it is about.
    pub source: Ssrc,
    /// Of the packets expected since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Since the beginning, 24 bits; negative when duplicates arrived. Written cut to its range.
    pub cumulative_lost: i32,
    /// The highest sequence number, wraps counted in the upper half.
    pub highest_seq: u32,
    /// In units of the media's clock.
    pub jitter: u32,
    /// The middle bits of the last sender report's NTP time; 0 when there was none.
    pub last_report: u32,
    /// Since that report arrived.
    pub delay: ShortInterval,
}

impl ReportBlock {
    fn parse(reader: &mut Reader<'_>) -> Result<Self> {
        let source = Ssrc(reader.u32()?);
        let lost = reader.u32()?;
        Ok(Self {
            source,
            fraction_lost: (lost >> 24) as u8,
            cumulative_lost: (lost << 8) as i32 >> 8,
            highest_seq: reader.u32()?,
            jitter: reader.u32()?,
            last_report: reader.u32()?,
            delay: ShortInterval(reader.u32()?),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<()> {
        let lost = self.cumulative_lost.clamp(-(1 << 23), (1 << 23) - 1) as u32 & 0x00ff_ffff;
        writer.u32(self.source.0)?;
        writer.u32(u32::from(self.fraction_lost) << 24 | lost)?;
        writer.u32(self.highest_seq)?;
        writer.u32(self.jitter)?;
        writer.u32(self.last_report)?;
        writer.u32(self.delay.0)
    }
}

/// The blocks of a report.
#[derive(Debug, Clone)]
pub struct ReportBlocks<'a> {
    reader: Reader<'a>,
}

impl<'a> ReportBlocks<'a> {
    /// Take `count` blocks; extensions of a profile may follow them and are not read.
    pub(super) fn parse(count: u8, reader: &mut Reader<'a>) -> Result<Self> {
        let blocks = reader.take(count as usize * BLOCK_LEN)?;
        Ok(Self {
            reader: Reader::new(blocks),
        })
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        ReportBlock::parse(&mut self.reader).ok()
    }
}

/// The count for the header.
pub(super) fn block_count(blocks: &[ReportBlock]) -> Result<u8> {
    if blocks.len() > MAX_BLOCKS {
        Err(Error::OutOfRange)
    } else {
        Ok(blocks.len() as u8)
    }
}

pub(super) fn write_blocks(blocks: &[ReportBlock], writer: &mut Writer<'_>) -> Result<()> {
    blocks.iter().try_for_each(|block| block.write(writer))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::rtcp) const BLOCK: ReportBlock = ReportBlock {
        source: Ssrc(0xcafe),
        fraction_lost: 64,
        cumulative_lost: -2,
        highest_seq: 0x0001_0002,
        jitter: 77,
        last_report: 0x1234_5678,
        delay: ShortInterval(9),
    };

    fn round_trip(block: ReportBlock) -> ReportBlock {
        let mut out = [0; BLOCK_LEN];
        block.write(&mut Writer::new(&mut out)).unwrap();
        ReportBlock::parse(&mut Reader::new(&out)).unwrap()
    }

    #[test]
    fn negative_loss_survives() {
        assert_eq!(round_trip(BLOCK), BLOCK);
    }

    #[test]
    fn loss_is_cut_to_24_bits() {
        let lost = |cumulative_lost| {
            round_trip(ReportBlock {
                cumulative_lost,
                ..BLOCK
            })
            .cumulative_lost
        };
        assert_eq!(lost(i32::MAX), 0x7f_ffff);
        assert_eq!(lost(i32::MIN), -0x80_0000);
    }
}
