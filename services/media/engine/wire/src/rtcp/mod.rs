//! RTCP packets (RFC 3550 section 6, RFC 4585 section 6, RFC 5104 section 4.3.1), compound and reduced-size
//! (RFC 5506): a file for each type.
//!
//! Transport-wide congestion control is feedback of type 205 like [`Nack`], with format 15: it gets a file of its own
//! and a variant of [`Packet`] here.

mod bye;
mod compound;
mod fir;
mod nack;
mod pli;
mod receiver_report;
mod report_block;
mod sdes;
mod sender_report;

pub use bye::Bye;
pub use compound::{Compound, CompoundWriter, Packet};
pub use fir::{Fir, FirEntry};
pub use nack::Nack;
pub use pli::Pli;
pub use receiver_report::ReceiverReport;
pub use report_block::{ReportBlock, ReportBlocks};
pub use sdes::Sdes;
pub use sender_report::{SenderInfo, SenderReport};

use crate::Result;
use crate::bytes::Writer;

/// Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1).
mod packet_type {
    pub(super) const SENDER_REPORT: u8 = 200;
    pub(super) const RECEIVER_REPORT: u8 = 201;
    pub(super) const SDES: u8 = 202;
    pub(super) const BYE: u8 = 203;
    /// RTPFB.
    pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
    /// PSFB.
    pub(super) const PAYLOAD_FEEDBACK: u8 = 206;
}

/// Feedback formats (RFC 4585 sections 6.2 and 6.3, RFC 5104 section 4.3).
mod format {
    /// Of type RTPFB.
    pub(super) const NACK: u8 = 1;
    /// Of type PSFB.
    pub(super) const PLI: u8 = 1;
    /// Of type PSFB.
    pub(super) const FIR: u8 = 4;
}

/// Write one packet: its header, then its body by `body`, padded to words. `count` has five bits.
fn write_packet(
    writer: &mut Writer<'_>,
    count: u8,
    packet_type: u8,
    body: impl FnOnce(&mut Writer<'_>) -> Result<()>,
) -> Result<()> {
    let start = writer.len();
    writer.u8(crate::rtp::VERSION << 6 | count)?;
    writer.u8(packet_type)?;
    writer.u16(0)?;
    body(writer)?;
    writer.pad_to_word()?;
    // RFC 3550 section 6.4.1: in words, minus one.
    let words = (writer.len() - start) / 4 - 1;
    writer.patch_u16(
        start + 2,
        words.try_into().map_err(|_| crate::Error::OutOfRange)?,
    );
    Ok(())
}
