//! RR (RFC 3550 section 6.4.2).

use super::report_block::{ReportBlock, ReportBlocks, block_count, write_blocks};
use super::{packet_type, write_packet};
use crate::Result;
use crate::bytes::{Reader, Writer};
use crate::rtp::Ssrc;

/// A report of somebody who only receives, or has nothing to say.
#[derive(Debug, Clone)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// About those it receives.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        Ok(Self {
            sender: Ssrc(reader.u32()?),
            blocks: ReportBlocks::parse(count, &mut reader)?,
        })
    }

    pub(super) fn write(
        sender: Ssrc,
        blocks: &[ReportBlock],
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        write_packet(
            writer,
            block_count(blocks)?,
            packet_type::RECEIVER_REPORT,
            |writer| {
                writer.u32(sender.0)?;
                write_blocks(blocks, writer)
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::report_block::tests::BLOCK;
    use super::super::{Compound, CompoundWriter, Packet};
    use super::*;
    use crate::Error;

    #[test]
    fn the_empty_report_has_eight_bytes() {
        let mut out = [0; 64];
        let mut writer = CompoundWriter::new(&mut out);
        writer.receiver_report(Ssrc(0x0102_0304), &[]).unwrap();
        assert_eq!(writer.len(), 8);
        assert_eq!(out[..8], [0x80, 201, 0, 1, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_written_is_parsed_again() {
        let mut out = [0; 64];
        let mut writer = CompoundWriter::new(&mut out);
        writer.receiver_report(Ssrc(3), &[BLOCK]).unwrap();
        let length = writer.len();
        let Some(Ok(Packet::ReceiverReport(report))) = Compound::new(&out[..length]).next() else {
            panic!("no receiver report")
        };
        assert_eq!(report.sender, Ssrc(3));
        assert_eq!(report.blocks.collect::<Vec<_>>(), [BLOCK]);
    }

    #[test]
    fn more_blocks_than_five_bits_count_are_the_callers_error() {
        let mut out = [0; 1024];
        let mut writer = CompoundWriter::new(&mut out);
        assert_eq!(
            writer.receiver_report(Ssrc(3), &[BLOCK; 32]),
            Err(Error::OutOfRange)
        );
        assert_eq!(writer.receiver_report(Ssrc(3), &[BLOCK; 31]), Ok(()));
    }
}
