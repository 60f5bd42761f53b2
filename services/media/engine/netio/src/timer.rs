//! A timer that a descriptor can be waited for, with the kernel's precision: epoll's own timeout has milliseconds,
//! which is the whole budget of a tick.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// Readable from when it expires until [`Timer::take`].
#[derive(Debug)]
pub struct Timer(OwnedFd);

impl Timer {
    /// A timer that is not set.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Self(timerfd_create(TimerfdClockId::Monotonic, flags)?))
    }

    /// Expire once, after this time; zero means at once.
    pub fn set_once(&self, after: Duration) -> io::Result<()> {
        self.set(after.max(Duration::from_nanos(1)), Duration::ZERO)
    }

    /// Expire again and again with this period. A period of zero unsets the timer.
    pub fn set_every(&self, period: Duration) -> io::Result<()> {
        self.set(period, period)
    }

    /// How often it expired since it was last asked, without waiting.
    pub fn take(&self) -> u64 {
        let mut count = [0; 8];
        // It fails only when it has not expired.
        match rustix::io::read(&self.0, &mut count) {
            Ok(8) => u64::from_ne_bytes(count),
            _ => 0,
        }
    }

    fn set(&self, first: Duration, period: Duration) -> io::Result<()> {
        let out_of_range = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let spec = Itimerspec {
            it_value: Timespec::try_from(first).map_err(out_of_range)?,
            it_interval: Timespec::try_from(period).map_err(out_of_range)?,
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &spec)?;
        Ok(())
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
