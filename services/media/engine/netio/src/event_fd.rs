//! A wake-up between threads that a descriptor can be waited for.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::event::{EventfdFlags, eventfd};

/// Readable from [`EventFd::notify`] until [`EventFd::clear`], however often it was notified.
#[derive(Debug)]
pub struct EventFd(OwnedFd);

impl EventFd {
    /// Not readable yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self(eventfd(
            0,
            EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC,
        )?))
    }

    /// Make it readable; any thread may.
    pub fn notify(&self) {
        // It fails only when the count is about to overflow, and then it is readable already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Make it unreadable. Clear first and look for work second, or a wake-up between the two is lost.
    pub fn clear(&self) {
        // It fails only when it was not readable.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
