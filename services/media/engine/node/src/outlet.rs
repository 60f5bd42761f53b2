//! Where datagrams go out: a queue of the socket in the node, a list in tests.

use std::net::SocketAddr;

use salon_netio::MAX_DATAGRAM;

/// Takes datagrams that are written in place.
pub trait Outlet {
    /// Room for the next datagram.
    fn slot(&mut self) -> &mut [u8; MAX_DATAGRAM];

    /// Send the first `length` bytes of the last slot.
    fn commit(&mut self, to: SocketAddr, length: usize);
}
