//! SRTP and SRTCP (RFC 3711, RFC 7714): session keys, protection in place, replay windows.
//!
//! Owns what is secret about a session's packets. It does not own the handshake that agrees on the keys, nor any
//! socket or clock. Of ours it imports `wire`.
//!
//! # Which libraries, and why
//!
//! AES-GCM is `ring`'s: on this kind of machine it seals 1200 bytes in 0.26 us, where aws-lc took 0.4 and OpenSSL
//! 0.5-0.9. `ring` has no counter mode and its SHA-1 is portable code alone, three times slower, so AES-CM and its
//! HMAC are the crates `aes`, `ctr`, `hmac` and `sha1`, which find the processor's instructions at run time. All are
//! behind the `Transform` trait.
//!
//! Master keys are not kept. Session keys are derived once; they are wiped when dropped, but for those that `ring`
//! holds, which does not wipe. Nothing here shows a key in `Debug`.
#![forbid(unsafe_code)]

mod error;
mod inbound;
mod index;
mod kdf;
mod outbound;
mod profile;
mod replay;
mod sources;
mod transform;

pub use error::{Error, Result};
pub use inbound::InboundContext;
pub use outbound::OutboundContext;
pub use profile::Profile;

/// By how much protection may lengthen a packet, RTP or RTCP, in any profile.
pub const MAX_OVERHEAD: usize = 20;
