//! The engine: one thread, one UDP port, all sessions of a node.
//!
//! Owns sessions (ICE-lite, keys, addresses, signs of life), the thread that drives them, and the queues between it
//! and its owner. What a packet means within its room is `forward`'s, what is on the wire `wire`'s, and the
//! handshakes that make keys are the owner's: DTLS datagrams pass through here unread.
//!
//! [`Core`] is all of it without a socket, a thread or a clock, so that tests run whole rooms in virtual time;
//! [`Node`] is the thread around it.
#![forbid(unsafe_code)]

mod command;
mod core;
mod event;
mod metrics;
mod node;
mod outlet;
mod places;
mod session;

pub use command::{Command, MediaKeys};
pub use core::Core;
pub use event::{Event, EventReceiver, Events};
pub use metrics::{Counter, Metrics};
pub use node::{Node, NodeConfig};
pub use outlet::Outlet;
pub use session::{SessionNumber, SessionSpec};
