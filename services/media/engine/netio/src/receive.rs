//! Datagrams in, in batches, into one arena.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use crate::{BATCH, MAX_DATAGRAM, UdpPort, sys};

/// One datagram, in the arena, to be read and decrypted where it is.
#[derive(Debug)]
pub struct Datagram<'a> {
    /// Who sent it, or says so.
    pub source: SocketAddr,
    /// Its bytes; never empty.
    pub bytes: &'a mut [u8],
}

/// What one system call brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Datagrams taken from the kernel, dropped ones included. 0: there are no more for now.
    pub taken: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Dropped, since they had no bytes.
    pub empty: usize,
    /// Dropped, since they were longer than [`MAX_DATAGRAM`].
    pub truncated: usize,
}

/// Room for [`BATCH`] datagrams, allocated once.
#[derive(Debug)]
pub struct ReceiveBatch {
    arena: Box<[[u8; MAX_DATAGRAM]]>,
    /// Source and length by slot; `None` where the datagram was dropped.
    filled: Vec<Option<(SocketAddr, usize)>>,
}

impl Default for ReceiveBatch {
    fn default() -> Self {
        Self {
            arena: vec![[0; MAX_DATAGRAM]; BATCH].into(),
            filled: Vec::with_capacity(BATCH),
        }
    }
}

impl ReceiveBatch {
    /// Replace the batch by what waits at the port, without waiting. While [`Received::taken`] is [`BATCH`] there may
    /// be more.
    pub fn receive(&mut self, port: &UdpPort) -> io::Result<Received> {
        self.filled.clear();
        let mut received = Received::default();
        let filled = &mut self.filled;
        let result = sys::receive(port.as_fd(), &mut self.arena, |incoming| {
            received.bytes += incoming.length;
            received.empty += usize::from(incoming.length == 0);
            received.truncated += usize::from(incoming.truncated);
            let whole = incoming.length > 0 && !incoming.truncated;
            filled.push(
                incoming
                    .source
                    .filter(|_| whole)
                    .map(|source| (source, incoming.length)),
            );
        });
        match result {
            Ok(taken) => Ok(Received { taken, ..received }),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(Received::default())
            }
            Err(error) => Err(error),
        }
    }

    /// The datagrams of the batch.
    pub fn datagrams(&mut self) -> impl Iterator<Item = Datagram<'_>> {
        self.arena
            .iter_mut()
            .zip(&self.filled)
            .filter_map(|(slot, filled)| {
                let (source, length) = (*filled)?;
                Some(Datagram {
                    source,
                    bytes: slot.get_mut(..length)?,
                })
            })
    }
}
