//! What is on the wire: STUN, RTP, RTCP and codec payload descriptors.
//!
//! Owns the layout of bytes: parsing them into views, and writing them into a caller's buffer. It does not own any
//! state of a session, any socket or any clock, and it decides nothing about a packet beyond whether its bytes are
//! what they claim to be. It imports nothing of ours.
//!
//! Every byte given to a parser is hostile. Parsers check bounds before they look, do not allocate, and answer with an
//! [`Error`] instead of panicking: a panic in here is our bug, never the peer's doing.
#![forbid(unsafe_code)]

mod bytes;
pub mod codec;
pub mod demux;
mod error;
pub mod ntp;
pub mod rtcp;
pub mod rtp;
pub mod stun;

pub use error::{Error, Result};
