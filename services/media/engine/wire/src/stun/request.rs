//! The binding request: a connectivity check (RFC 8445 section 7.1).

use super::{BINDING, Class, IntegrityKey, Message, TransactionId, attribute};
use crate::{Error, Result};

/// Which agent decides the pair, with its tie-breaker (RFC 8445 section 7.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceRole {
    /// The sender says that it controls.
    Controlling(u64),
    /// The sender says that it is controlled: against an ICE-lite node a conflict, answered with 487.
    Controlled(u64),
}

/// A check from a client.
#[derive(Debug, Clone, Copy)]
pub struct BindingRequest<'a> {
    /// To be repeated in the response.
    pub transaction_id: TransactionId,
    /// "ours:theirs", the ufrags of receiver and sender (RFC 8445 section 7.2.2).
    pub username: Option<&'a str>,
    /// Of the peer-reflexive candidate that this check may make.
    pub priority: Option<u32>,
    /// The sender's role.
    pub role: Option<IceRole>,
    /// Whether the sender selects this pair (RFC 8445 section 7.1.2).
    pub use_candidate: bool,
    /// Attributes that must be understood and are not: answer 420 (RFC 8489 section 6.3.1).
    pub unknown: UnknownAttributes,
    message: Message<'a>,
}

impl<'a> BindingRequest<'a> {
    /// Parse a datagram. The sender is not believed before [`BindingRequest::verify`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self> {
        let message = Message::parse(datagram)?;
        if message.class != Class::Request || message.method != BINDING {
            return Err(Error::WrongProtocol);
        }
        let mut request = Self {
            transaction_id: message.transaction_id,
            username: None,
            priority: None,
            role: None,
            use_candidate: false,
            unknown: UnknownAttributes::default(),
            message,
        };
        for attribute in message.attributes() {
            request.read(attribute.kind, attribute.value)?;
        }
        Ok(request)
    }

    /// Check MESSAGE-INTEGRITY with the key of our own password. [`Error::Unauthenticated`] is answered with 400 and
    /// [`Error::BadIntegrity`] with 401 (RFC 8489 section 9.1.3), or not at all.
    pub fn verify(&self, key: &IntegrityKey) -> Result<()> {
        self.message.verify(key)
    }

    /// The first half of the username: the ufrag that we gave out.
    pub fn local_ufrag(&self) -> Option<&'a str> {
        self.username?.split_once(':').map(|(local, _)| local)
    }

    /// The second half of the username: the ufrag of the client's offer.
    pub fn remote_ufrag(&self) -> Option<&'a str> {
        self.username?.split_once(':').map(|(_, remote)| remote)
    }

    fn read(&mut self, kind: u16, value: &'a [u8]) -> Result<()> {
        match kind {
            attribute::USERNAME if self.username.is_none() => {
                self.username = Some(username(value)?);
            }
            attribute::PRIORITY if self.priority.is_none() => {
                self.priority = Some(u32::from_be_bytes(sized(value)?));
            }
            attribute::ICE_CONTROLLING if self.role.is_none() => {
                self.role = Some(IceRole::Controlling(u64::from_be_bytes(sized(value)?)));
            }
            attribute::ICE_CONTROLLED if self.role.is_none() => {
                self.role = Some(IceRole::Controlled(u64::from_be_bytes(sized(value)?)));
            }
            attribute::USE_CANDIDATE => self.use_candidate = true,
            attribute::USERNAME | attribute::PRIORITY | attribute::MESSAGE_INTEGRITY => {}
            // RFC 8489 section 14: below 0x8000 comprehension is required.
            0..=0x7fff => self.unknown.push(kind),
            _ => {}
        }
        Ok(())
    }
}

/// The first few comprehension-required attributes that we do not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnknownAttributes {
    kinds: [u16; Self::MAX],
    count: usize,
}

impl UnknownAttributes {
    /// More are not listed in a response.
    pub const MAX: usize = 8;

    /// Their types.
    pub fn as_slice(&self) -> &[u16] {
        &self.kinds[..self.count]
    }

    /// Whether the request may be served.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, kind: u16) {
        if let Some(slot) = self.kinds.get_mut(self.count) {
            *slot = kind;
            self.count += 1;
        }
    }
}

fn sized<const N: usize>(value: &[u8]) -> Result<[u8; N]> {
    value.try_into().map_err(|_| Error::BadLength)
}

/// RFC 8489 section 14.3: UTF-8 of less than 509 bytes.
fn username(value: &[u8]) -> Result<&str> {
    if value.len() > 508 {
        return Err(Error::BadLength);
    }
    std::str::from_utf8(value).map_err(|_| Error::BadValue)
}
