//! The one error of this crate, and who is to blame.

use std::fmt;

/// Why a packet was not protected or not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Peer: not even the header and the tag are there, or the header is not RTP's.
    Malformed,
    /// Peer or somebody between: the tag does not fit the packet.
    Unauthentic,
    /// Peer or somebody between: the packet was accepted before.
    Replayed,
    /// Peer or the network: too far behind the newest packet to know whether it is a replay.
    TooOld,
    /// Peer: SRTCP that says it is not encrypted, which RFC 8827 section 6.5 forbids in WebRTC.
    Unencrypted,
    /// Peer: more SSRCs than a session may have.
    TooManySources,
    /// Caller: key or salt have not the length of the profile.
    KeyLength,
    /// Caller: no room behind the packet for its tag.
    BufferTooSmall,
    /// Caller: what is to be protected is not an RTP or RTCP packet.
    NotAPacket,
    /// Caller: the sequence number was used for this SSRC, or is too old to tell. Protecting it might use a nonce again.
    SequenceReused,
    /// Caller: more SSRCs to send than a session may have.
    TooManyOutboundSources,
    /// Nobody: the key has protected as many packets as it may (RFC 3711 section 9.2).
    KeyExhausted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the packet is too short or not of this protocol",
            Self::Unauthentic => "the authentication tag does not fit the packet",
            Self::Replayed => "the packet was accepted before",
            Self::TooOld => "the packet is older than the replay window",
            Self::Unencrypted => "the SRTCP packet is not encrypted",
            Self::TooManySources => "the peer uses too many SSRCs",
            Self::KeyLength => "the key or salt has not the length of the profile",
            Self::BufferTooSmall => "there is no room for the authentication tag",
            Self::NotAPacket => "what is to be protected is not a packet",
            Self::SequenceReused => {
                "the sequence number of its SSRC was used, or is too old to tell"
            }
            Self::TooManyOutboundSources => "too many SSRCs are sent",
            Self::KeyExhausted => "the key has protected as many packets as it may",
        })
    }
}

impl std::error::Error for Error {}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
