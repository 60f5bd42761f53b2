//! The one error of this crate, and who is to blame.

use std::fmt;

/// Why bytes could not be read or written.
///
/// All but [`Error::BufferTooSmall`] and [`Error::OutOfRange`] are the peer's doing: count, and drop the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Peer: the packet ends before something it announces.
    Truncated,
    /// Peer: a version, magic cookie or type is not that of the protocol asked for.
    WrongProtocol,
    /// Peer: a length or count contradicts the packet around it.
    BadLength,
    /// Peer: a field has a value its protocol forbids.
    BadValue,
    /// Peer: a STUN message lacks MESSAGE-INTEGRITY or FINGERPRINT.
    Unauthenticated,
    /// Peer: MESSAGE-INTEGRITY or FINGERPRINT does not fit the message.
    BadIntegrity,
    /// Caller: the buffer to write into is too small.
    BufferTooSmall,
    /// Caller: a value does not fit its field on the wire.
    OutOfRange,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the packet ends before something it announces",
            Self::WrongProtocol => "the packet is not of this protocol",
            Self::BadLength => "a length contradicts the packet around it",
            Self::BadValue => "a field has a forbidden value",
            Self::Unauthenticated => "the message carries no integrity or fingerprint",
            Self::BadIntegrity => "the integrity or fingerprint does not fit the message",
            Self::BufferTooSmall => "the buffer to write into is too small",
            Self::OutOfRange => "a value does not fit its field",
        })
    }
}

impl std::error::Error for Error {}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
