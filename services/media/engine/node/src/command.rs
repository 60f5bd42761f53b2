//! What the owner tells the engine. Commands are queued and never wait.

use std::fmt;

use salon_forward::Wish;
use salon_srtp::{Error, InboundContext, OutboundContext, Profile};

use crate::{SessionNumber, SessionSpec};

/// One order.
#[derive(Debug)]
pub enum Command {
    /// Await the client's checks.
    Open(Box<SessionSpec>),
    /// Forget a session.
    Close(SessionNumber),
    /// The handshake is done.
    SetKeys(SessionNumber, Box<MediaKeys>),
    /// Send a datagram of the handshake or the data channel.
    SendDtls(SessionNumber, Box<[u8]>),
    /// What the video slots shall show.
    SetLayout(SessionNumber, Vec<Wish>),
    /// End the thread.
    Stop,
}

/// Contexts of both directions, made by the owner's thread: deriving keys is no work for the engine's.
pub struct MediaKeys {
    pub(crate) inbound: InboundContext,
    pub(crate) outbound: OutboundContext,
}

impl fmt::Debug for MediaKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaKeys").finish_non_exhaustive()
    }
}

impl MediaKeys {
    /// From the master keys and salts that the handshake exported, the client's and the node's.
    pub fn new(
        profile: Profile,
        (client_key, client_salt): (&[u8], &[u8]),
        (node_key, node_salt): (&[u8], &[u8]),
    ) -> Result<Self, Error> {
        Ok(Self {
            inbound: InboundContext::new(profile, client_key, client_salt)?,
            outbound: OutboundContext::new(profile, node_key, node_salt)?,
        })
    }
}
