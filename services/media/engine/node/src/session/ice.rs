//! ICE-lite (RFC 8445 section 2.5): answering a client's checks, and sending where it says.

use std::net::SocketAddr;

use salon_forward::Micros;
use salon_wire::stun::{
    BindingRequest, ErrorCode, ErrorResponse, IceRole, IntegrityKey, SuccessResponse,
    UnknownAttributes,
};

use super::SessionSpec;
use crate::Counter;

/// Nothing is sent without a check for this long: nobody shall be flooded who does not want it (RFC 7675).
const CONSENT: Micros = 10_000_000;
/// Addresses of one client that count at a time: a candidate pair each.
const MAX_ADDRESSES: usize = 8;

/// What a check led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The response's length.
    pub(crate) length: usize,
    /// Whether packets from the address are this client's from now on.
    pub(crate) vouched: bool,
    /// An address that no longer counts.
    pub(crate) forgotten: Option<SocketAddr>,
    /// Whether the client selected an address for the first time.
    pub(crate) first_selected: bool,
}

/// One session's end of ICE.
#[derive(Debug)]
pub(crate) struct Ice {
    pub(crate) local_ufrag: String,
    remote_ufrag: String,
    key: IntegrityKey,
    /// Oldest check first.
    addresses: Vec<SocketAddr>,
    selected: Option<SocketAddr>,
    checked: Option<Micros>,
}

impl Ice {
    pub(crate) fn new(spec: &SessionSpec) -> Self {
        Self {
            local_ufrag: spec.local_ufrag.clone(),
            remote_ufrag: spec.remote_ufrag.clone(),
            key: IntegrityKey::new(&spec.local_pwd),
            addresses: Vec::new(),
            selected: None,
            checked: None,
        }
    }

    /// Where to send.
    pub(crate) const fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Addresses that checks vouched for.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether a check came of late.
    pub(crate) fn has_consent(&self, now: Micros) -> bool {
        self.checked.is_some_and(|checked| now < checked + CONSENT)
    }

    /// Answer a check that names our ufrag. What is not authentic is not answered at all: an error response would
    /// only help whoever probes or reflects.
    pub(crate) fn handle_check(
        &mut self,
        request: &BindingRequest<'_>,
        from: SocketAddr,
        now: Micros,
        out: &mut [u8],
    ) -> Result<Answer, Counter> {
        if request.remote_ufrag() != Some(&self.remote_ufrag) {
            return Err(Counter::DropStunUnknown);
        }
        request
            .verify(&self.key)
            .map_err(|_| Counter::DropStunForged)?;
        if let Some(code) = refusal(request) {
            return self.refuse(request, code, out);
        }
        let response = SuccessResponse {
            transaction_id: request.transaction_id,
            mapped: from,
        };
        let length = response
            .write(&self.key, out)
            .map_err(|_| Counter::DropStunMalformed)?;
        self.checked = Some(now);
        let first_selected = request.use_candidate && self.selected.is_none();
        if request.use_candidate {
            // RFC 8445 section 7.3.1.5: the controlling client nominates, at the start and whenever it moves.
            self.selected = Some(from);
        }
        Ok(Answer {
            length,
            vouched: true,
            forgotten: self.remember(from),
            first_selected,
        })
    }

    fn refuse(
        &self,
        request: &BindingRequest<'_>,
        code: ErrorCode,
        out: &mut [u8],
    ) -> Result<Answer, Counter> {
        let unknown = match code {
            ErrorCode::UnknownAttribute => request.unknown,
            _ => UnknownAttributes::default(),
        };
        let response = ErrorResponse {
            transaction_id: request.transaction_id,
            code,
            unknown,
        };
        let length = response
            .write(Some(&self.key), out)
            .map_err(|_| Counter::DropStunMalformed)?;
        Ok(Answer {
            length,
            vouched: false,
            forgotten: None,
            first_selected: false,
        })
    }

    /// The address is the newest now; answers the one that it displaced.
    fn remember(&mut self, from: SocketAddr) -> Option<SocketAddr> {
        self.addresses.retain(|known| *known != from);
        self.addresses.push(from);
        if self.addresses.len() <= MAX_ADDRESSES {
            return None;
        }
        let oldest = self
            .addresses
            .iter()
            .position(|known| Some(*known) != self.selected)?;
        Some(self.addresses.remove(oldest))
    }
}

fn refusal(request: &BindingRequest<'_>) -> Option<ErrorCode> {
    if !request.unknown.is_empty() {
        return Some(ErrorCode::UnknownAttribute);
    }
    match request.role {
        Some(IceRole::Controlling(_)) => None,
        // RFC 8445 section 6.1.1: against a lite agent the full one controls.
        Some(IceRole::Controlled(_)) => Some(ErrorCode::RoleConflict),
        None => Some(ErrorCode::BadRequest),
    }
}
