//! SR (RFC 3550 section 6.4.1).

use super::report_block::{ReportBlock, ReportBlocks, block_count, write_blocks};
use super::{packet_type, write_packet};
use crate::Result;
use crate::bytes::{Reader, Writer};
use crate::ntp::NtpTime;
use crate::rtp::{RtpTimestamp, Ssrc};

/// What a sender says about itself: one instant on its clock and on its media's, and what it sent so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Whom it is about.
    pub ssrc: Ssrc,
    /// The instant on the sender's clock.
    pub ntp: NtpTime,
    /// The same instant on the media's clock.
    pub rtp: RtpTimestamp,
    /// Packets sent, modulo 2^32.
    pub packets: u32,
    /// Their payload without headers and padding, modulo 2^32.
    pub bytes: u32,
}

/// A report of somebody who sends.
#[derive(Debug, Clone)]
pub struct SenderReport<'a> {
    /// About itself.
    pub info: SenderInfo,
    /// About those it receives.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let info = SenderInfo {
            ssrc: Ssrc(reader.u32()?),
            ntp: NtpTime(reader.u64()?),
            rtp: RtpTimestamp(reader.u32()?),
            packets: reader.u32()?,
            bytes: reader.u32()?,
        };
        Ok(Self {
            info,
            blocks: ReportBlocks::parse(count, &mut reader)?,
        })
    }
}

impl SenderInfo {
    pub(super) fn write(&self, blocks: &[ReportBlock], writer: &mut Writer<'_>) -> Result<()> {
        write_packet(
            writer,
            block_count(blocks)?,
            packet_type::SENDER_REPORT,
            |writer| {
                writer.u32(self.ssrc.0)?;
                writer.u64(self.ntp.0)?;
                writer.u32(self.rtp.0)?;
                writer.u32(self.packets)?;
                writer.u32(self.bytes)?;
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

    const INFO: SenderInfo = SenderInfo {
        ssrc: Ssrc(5),
        ntp: NtpTime(0x0102_0304_0506_0708),
        rtp: RtpTimestamp(90_000),
        packets: 10,
        bytes: 12_000,
    };

    #[test]
    fn what_is_written_is_parsed_again() {
        let mut out = [0; 256];
        let mut writer = CompoundWriter::new(&mut out);
        writer.sender_report(&INFO, &[BLOCK, BLOCK]).unwrap();
        let length = writer.len();
        assert_eq!(length, 28 + 48);
        let Some(Ok(Packet::SenderReport(report))) = Compound::new(&out[..length]).next() else {
            panic!("no sender report")
        };
        assert_eq!(report.info, INFO);
        assert_eq!(report.blocks.collect::<Vec<_>>(), [BLOCK, BLOCK]);
    }

    #[test]
    fn fewer_blocks_than_counted_are_an_error() {
        let mut out = [0; 256];
        let mut writer = CompoundWriter::new(&mut out);
        writer.sender_report(&INFO, &[BLOCK]).unwrap();
        let length = writer.len();
        out[0] += 1;
        assert_eq!(
            Compound::new(&out[..length]).next().unwrap().err(),
            Some(Error::Truncated)
        );
    }
}
