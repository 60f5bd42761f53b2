//! STUN as ICE-lite needs it: binding requests in, responses out (RFC 8489, RFC 8445).
//!
//! Every message must carry both MESSAGE-INTEGRITY with the short-term credential and FINGERPRINT (RFC 8445
//! section 7.1.1); SHA-256 integrity and long-term credentials are not for ICE and are not here.

mod integrity;
mod message;
mod request;
mod response;

pub use integrity::IntegrityKey;
pub use message::{Class, Message, TransactionId};
pub use request::{BindingRequest, IceRole, UnknownAttributes};
pub use response::{ErrorCode, ErrorResponse, MAX_RESPONSE_LEN, SuccessResponse};

/// RFC 8489 section 5.
pub(crate) const MAGIC_COOKIE: u32 = 0x2112_a442;
/// RFC 8489 section 5.
pub(crate) const HEADER_LEN: usize = 20;
/// The method binding (RFC 8489 section 18.1).
pub(crate) const BINDING: u16 = 0x0001;

/// Attribute types (RFC 8489 section 18.3, RFC 8445 section 20.2).
pub(crate) mod attribute {
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(crate) const PRIORITY: u16 = 0x0024;
    pub(crate) const USE_CANDIDATE: u16 = 0x0025;
    pub(crate) const FINGERPRINT: u16 = 0x8028;
    pub(crate) const ICE_CONTROLLED: u16 = 0x8029;
    pub(crate) const ICE_CONTROLLING: u16 = 0x802a;
}
