//! Responses to binding requests (RFC 8489 sections 6.3.1 and 14).

use std::net::{IpAddr, SocketAddr};

use super::integrity::{write_fingerprint, write_integrity};
use super::{HEADER_LEN, IntegrityKey, MAGIC_COOKIE, TransactionId, UnknownAttributes, attribute};
use crate::Result;
use crate::bytes::Writer;

/// No response written here is longer.
pub const MAX_RESPONSE_LEN: usize = 128;

const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;

/// Grants a check and tells the client where it came from.
#[derive(Debug, Clone, Copy)]
pub struct SuccessResponse {
    /// The request's.
    pub transaction_id: TransactionId,
    /// The request's source address.
    pub mapped: SocketAddr,
}

impl SuccessResponse {
    /// Write the response with MESSAGE-INTEGRITY and FINGERPRINT and answer its length.
    pub fn write(&self, key: &IntegrityKey, out: &mut [u8]) -> Result<usize> {
        let mut writer = begin(SUCCESS, self.transaction_id, out)?;
        write_xor_mapped_address(self.mapped, self.transaction_id, &mut writer)?;
        finish(writer, Some(key))
    }
}

/// Why a check is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// 400: malformed, or without credentials.
    BadRequest,
    /// 401: the integrity does not fit.
    Unauthenticated,
    /// 420: [`ErrorResponse::unknown`] lists what was not understood.
    UnknownAttribute,
    /// 487: the client must take the controlling role (RFC 8445 section 7.3.1.1).
    RoleConflict,
}

impl ErrorCode {
    const fn number_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request"),
            Self::Unauthenticated => (401, "Unauthenticated"),
            Self::UnknownAttribute => (420, "Unknown Attribute"),
            Self::RoleConflict => (487, "Role Conflict"),
        }
    }
}

/// Refuses a check.
#[derive(Debug, Clone, Copy)]
pub struct ErrorResponse {
    /// The request's.
    pub transaction_id: TransactionId,
    /// Why.
    pub code: ErrorCode,
    /// What the request had that we do not know; written when not empty.
    pub unknown: UnknownAttributes,
}

impl ErrorResponse {
    /// Write the response with FINGERPRINT and answer its length. 400 and 401 go without a key: RFC 8489 section
    /// 9.1.3 forbids MESSAGE-INTEGRITY in them.
    pub fn write(&self, key: Option<&IntegrityKey>, out: &mut [u8]) -> Result<usize> {
        let mut writer = begin(ERROR, self.transaction_id, out)?;
        let (number, reason) = self.code.number_and_reason();
        // Section 14.8: 21 reserved bits, three of hundreds, eight of the rest.
        writer.u16(attribute::ERROR_CODE)?;
        writer.u16(4 + reason.len() as u16)?;
        writer.put(&[0, 0, (number / 100) as u8, (number % 100) as u8])?;
        writer.put(reason.as_bytes())?;
        writer.pad_to_word()?;
        if !self.unknown.is_empty() {
            writer.u16(attribute::UNKNOWN_ATTRIBUTES)?;
            writer.u16(2 * self.unknown.as_slice().len() as u16)?;
            for &kind in self.unknown.as_slice() {
                writer.u16(kind)?;
            }
            writer.pad_to_word()?;
        }
        finish(writer, key)
    }
}

fn begin(kind: u16, transaction_id: TransactionId, out: &mut [u8]) -> Result<Writer<'_>> {
    let mut writer = Writer::new(out);
    writer.u16(kind)?;
    writer.u16(0)?;
    writer.u32(MAGIC_COOKIE)?;
    writer.put(&transaction_id.0)?;
    Ok(writer)
}

fn finish(mut writer: Writer<'_>, key: Option<&IntegrityKey>) -> Result<usize> {
    if let Some(key) = key {
        write_integrity(key, &mut writer)?;
    }
    write_fingerprint(&mut writer)?;
    let length = writer.len();
    writer.patch_u16(2, (length - HEADER_LEN) as u16);
    Ok(length)
}

/// Section 14.2: the port is combined with the cookie's upper half, the address with cookie and transaction id.
fn write_xor_mapped_address(
    address: SocketAddr,
    transaction_id: TransactionId,
    writer: &mut Writer<'_>,
) -> Result<()> {
    let port = address.port() ^ (MAGIC_COOKIE >> 16) as u16;
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(&transaction_id.0);
    writer.u16(attribute::XOR_MAPPED_ADDRESS)?;
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            writer.u16(8)?;
            writer.u16(0x01)?;
            writer.u16(port)?;
            writer.u32(u32::from(ip) ^ MAGIC_COOKIE)
        }
        IpAddr::V6(ip) => {
            writer.u16(20)?;
            writer.u16(0x02)?;
            writer.u16(port)?;
            writer.put(&(u128::from(ip) ^ u128::from_be_bytes(mask)).to_be_bytes())
        }
    }
}
