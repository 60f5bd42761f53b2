//! The socket, and waiting for it.
//!
//! Owns the UDP port of a node, batches of datagrams in and out, and what wakes the engine's thread: readiness, ticks,
//! and events from other threads. It does not own what the datagrams mean, and decides nothing about them, but that
//! empty and cut ones are not handed on. It imports nothing of ours.
//!
//! This is the only crate with system calls and with unsafe code, the latter in `sys.rs` alone. It is for Linux.

#[cfg(not(target_os = "linux"))]
compile_error!("salon-netio is written for Linux: epoll, eventfd, timerfd, recvmmsg, sendmmsg");

mod event_fd;
mod poller;
mod receive;
mod send;
mod socket;
mod sys;
mod timer;

pub use event_fd::EventFd;
pub use poller::{Poller, Token};
pub use receive::{Datagram, ReceiveBatch, Received};
pub use send::{SendQueue, Sent};
pub use socket::UdpPort;
pub use timer::Timer;

/// Datagrams that are longer than this are neither received nor sent: no path on the internet takes them whole.
pub const MAX_DATAGRAM: usize = 2048;
/// As many datagrams pass the kernel's border by one system call.
pub const BATCH: usize = 64;
