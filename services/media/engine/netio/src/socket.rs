//! The UDP port.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

/// Half a second of 60 Mbit/s: a burst of key frames, or a thread that was not scheduled. The kernel may give less.
const BUFFER: usize = 4 << 20;

/// One UDP port, never waited for.
#[derive(Debug)]
pub struct UdpPort {
    socket: UdpSocket,
    v6: bool,
}

impl UdpPort {
    /// Bind an address; port 0 takes a free one. An IPv6 wildcard takes IPv4 too, where the system lets it.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let v6 = address.is_ipv6();
        let family = if v6 {
            AddressFamily::INET6
        } else {
            AddressFamily::INET
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
        // The settings are wishes: a port with less of them still serves.
        if v6 {
            let _ = sockopt::set_ipv6_v6only(&socket, false);
        }
        if sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER).is_err() {
            let _ = sockopt::set_socket_recv_buffer_size(&socket, BUFFER);
        }
        if sockopt::set_socket_send_buffer_size_force(&socket, BUFFER).is_err() {
            let _ = sockopt::set_socket_send_buffer_size(&socket, BUFFER);
        }
        bind(&socket, &address)?;
        Ok(Self {
            socket: socket.into(),
            v6,
        })
    }

    /// Where it is bound.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Whether it speaks IPv6, and IPv4 as a part of it.
    pub(crate) const fn is_v6(&self) -> bool {
        self.v6
    }
}

impl AsFd for UdpPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_refused() {
        let first = UdpPort::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let second = UdpPort::bind(first.local_addr().unwrap());
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn port_zero_takes_a_free_one() {
        let port = UdpPort::bind(([127, 0, 0, 1], 0).into()).unwrap();
        assert_ne!(port.local_addr().unwrap().port(), 0);
    }
}
