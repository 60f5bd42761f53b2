//! Datagrams out: a queue that is filled in place and flushed with few system calls.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::AsFd;

use crate::sys::Outgoing;
use crate::{BATCH, MAX_DATAGRAM, UdpPort, sys};

/// What became of a queue. All that was queued is in one of the counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Datagrams that the kernel took.
    pub sent: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Dropped, since the socket's buffer was full: to wait would make all of them late.
    pub would_block: usize,
    /// Dropped, since the kernel refused them: no route, too long for the path, forbidden.
    pub refused: usize,
}

#[derive(Debug)]
struct Entry {
    to: SocketAddr,
    at: Range<usize>,
}

/// Datagrams to send, one behind the other in one arena. Those to one address in a row lie side by side, as a train of
/// segments wants them.
#[derive(Debug)]
pub struct SendQueue {
    arena: Box<[u8]>,
    used: usize,
    entries: Vec<Entry>,
}

impl SendQueue {
    /// With room for this many datagrams of the largest size; smaller ones leave room for more.
    pub fn new(datagrams: usize) -> Self {
        Self {
            arena: vec![0; datagrams * MAX_DATAGRAM].into(),
            used: 0,
            entries: Vec::with_capacity(datagrams),
        }
    }

    /// Room to write the next datagram into, or `None` when the queue is to be flushed first. Nothing is queued before
    /// [`SendQueue::commit`].
    pub fn slot(&mut self) -> Option<&mut [u8; MAX_DATAGRAM]> {
        self.arena.get_mut(self.used..)?.first_chunk_mut()
    }

    /// Queue the first `length` bytes of the last [`SendQueue::slot`]. An empty datagram is not queued.
    pub fn commit(&mut self, to: SocketAddr, length: usize) {
        debug_assert!(
            length <= MAX_DATAGRAM,
            "a slot has {MAX_DATAGRAM} bytes, not {length}"
        );
        let end = self.used + length.min(MAX_DATAGRAM);
        if length > 0 && end <= self.arena.len() {
            self.entries.push(Entry {
                to,
                at: self.used..end,
            });
            self.used = end;
        }
    }

    /// Queue a copy. `false` when there is no room, or never will be for so long a datagram.
    #[must_use = "what is not queued is lost"]
    pub fn push(&mut self, to: SocketAddr, datagram: &[u8]) -> bool {
        let Some(room) = self.slot().and_then(|slot| slot.get_mut(..datagram.len())) else {
            return false;
        };
        room.copy_from_slice(datagram);
        self.commit(to, datagram.len());
        true
    }

    /// Datagrams that wait for the flush.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Send all that is queued, in order, without waiting. The queue is empty afterwards, whatever happened.
    pub fn flush(&mut self, port: &UdpPort) -> Sent {
        let mut outcome = Sent::default();
        let mut rest = &self.entries[..];
        while !rest.is_empty() {
            match send_batch(port, &self.arena, rest) {
                Ok(taken) => {
                    outcome.sent += taken;
                    outcome.bytes += rest[..taken]
                        .iter()
                        .map(|entry| entry.at.len())
                        .sum::<usize>();
                    rest = &rest[taken..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_full(&error) => {
                    outcome.would_block += rest.len();
                    rest = &[];
                }
                Err(_) => {
                    outcome.refused += 1;
                    rest = &rest[1..];
                }
            }
        }
        self.entries.clear();
        self.used = 0;
        outcome
    }
}

fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}

fn send_batch(port: &UdpPort, arena: &[u8], entries: &[Entry]) -> io::Result<usize> {
    let mut messages = [Outgoing {
        to: entries[0].to,
        bytes: &[],
    }; BATCH];
    let count = entries.len().min(BATCH);
    for (message, entry) in messages.iter_mut().zip(entries) {
        *message = Outgoing {
            to: entry.to,
            bytes: &arena[entry.at.clone()],
        };
    }
    sys::send(port.as_fd(), port.is_v6(), &messages[..count])
}
