//! RTP packets (RFC 3550 section 5) and their header extensions (RFC 8285).

mod extension;
mod header;
mod number;
mod packet;
mod writer;

pub use extension::{AudioLevel, Extension, Extensions, text};
pub use header::RtpHeader;
pub use number::{ExtendedSeq, RtpTimestamp, SeqNo, SeqUnwrapper, Ssrc};
pub use packet::RtpPacket;
pub use writer::RtpWriter;

/// The fixed part of the header.
pub const FIXED_HEADER_LEN: usize = 12;
/// The only version in use (RFC 3550 section 5.1).
pub(crate) const VERSION: u8 = 2;
