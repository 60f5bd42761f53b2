//! Batches of messages through one system call, which no safe crate offers in the shape we need: the kernel's
//! structures point into the caller's arena, and later carry `UDP_SEGMENT` beside the bytes.
#![allow(unsafe_code)]

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::{BATCH, MAX_DATAGRAM};

/// A message that the kernel wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    /// `None` for a family that is not the internet's.
    pub(crate) source: Option<SocketAddr>,
    pub(crate) length: usize,
    /// The datagram was longer than its slot.
    pub(crate) truncated: bool,
}

/// A message for the kernel to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) to: SocketAddr,
    pub(crate) bytes: &'a [u8],
}

/// Receive at most [`BATCH`] datagrams, without waiting, into the slots of `arena`, and describe each to `report`.
/// Answers how many there were; the error is `WouldBlock` when there was none.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    arena: &mut [[u8; MAX_DATAGRAM]],
    mut report: impl FnMut(Incoming),
) -> io::Result<usize> {
    let mut names = [RawAddress::ZERO; BATCH];
    let mut vectors = [EMPTY_VECTOR; BATCH];
    let mut headers = [EMPTY_HEADER; BATCH];
    let count = arena.len().min(BATCH);
    for (((slot, name), vector), header) in arena
        .iter_mut()
        .zip(&mut names)
        .zip(&mut vectors)
        .zip(&mut headers)
    {
        *vector = libc::iovec {
            iov_base: slot.as_mut_ptr().cast(),
            iov_len: MAX_DATAGRAM,
        };
        header.msg_hdr.msg_iov = ptr::from_mut(vector);
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_name = ptr::from_mut(name).cast();
        header.msg_hdr.msg_namelen = size_of::<RawAddress>() as libc::socklen_t;
    }
    // SAFETY: the first `count` headers point to a vector and a name on this stack frame and to a slot of the arena,
    // which is borrowed for as long as this call, each with its true size; null is a valid timeout.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as u32,
            libc::MSG_DONTWAIT,
            ptr::null_mut(),
        )
    };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for (header, name) in headers.iter().zip(&names).take(received) {
        report(Incoming {
            source: name.decode(header.msg_hdr.msg_namelen),
            length: header.msg_len as usize,
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        });
    }
    Ok(received)
}

/// Send at most [`BATCH`] datagrams without waiting and answer how many the kernel took. An error is that of the
/// first datagram, and none was taken. `v6`: whether the socket speaks IPv6, and IPv4 as a part of it.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    v6: bool,
    messages: &[Outgoing<'_>],
) -> io::Result<usize> {
    let mut names = [RawAddress::ZERO; BATCH];
    let mut vectors = [EMPTY_VECTOR; BATCH];
    let mut headers = [EMPTY_HEADER; BATCH];
    let count = messages.len().min(BATCH);
    for (((message, name), vector), header) in messages
        .iter()
        .zip(&mut names)
        .zip(&mut vectors)
        .zip(&mut headers)
    {
        let length;
        (*name, length) = RawAddress::encode(message.to, v6);
        *vector = libc::iovec {
            iov_base: message.bytes.as_ptr().cast_mut().cast(),
            iov_len: message.bytes.len(),
        };
        header.msg_hdr.msg_iov = ptr::from_mut(vector);
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_name = ptr::from_mut(name).cast();
        header.msg_hdr.msg_namelen = length;
    }
    // SAFETY: the first `count` headers point to a vector and a name on this stack frame and to bytes borrowed for as
    // long as this call, each with its true size; sendmmsg only reads through them.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as u32,
            libc::MSG_DONTWAIT,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

const EMPTY_VECTOR: libc::iovec = libc::iovec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};

// SAFETY: mmsghdr is plain C data, for which zeros mean no name, no vectors and no control data.
const EMPTY_HEADER: libc::mmsghdr = unsafe { std::mem::zeroed() };

/// A socket address of either family as the kernel lays it out.
#[derive(Clone, Copy)]
#[repr(C)]
union RawAddress {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl RawAddress {
    // SAFETY: every field is plain C data, for which zeros are valid.
    const ZERO: Self = unsafe { std::mem::zeroed() };

    fn encode(address: SocketAddr, v6: bool) -> (Self, libc::socklen_t) {
        let mut raw = Self::ZERO;
        match address {
            SocketAddr::V4(address) if !v6 => {
                raw.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr {
                        s_addr: u32::from(*address.ip()).to_be(),
                    },
                    sin_zero: [0; 8],
                };
                (raw, size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            SocketAddr::V4(address) => {
                let mapped = SocketAddrV6::new(address.ip().to_ipv6_mapped(), address.port(), 0, 0);
                Self::encode(mapped.into(), v6)
            }
            SocketAddr::V6(address) => {
                raw.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: address.flowinfo(),
                    sin6_addr: libc::in6_addr {
                        s6_addr: address.ip().octets(),
                    },
                    sin6_scope_id: address.scope_id(),
                };
                (raw, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
            }
        }
    }

    /// An IPv4 address that came as a part of IPv6 is told as IPv4, so that one peer has one address.
    fn decode(&self, length: libc::socklen_t) -> Option<SocketAddr> {
        let length = length as usize;
        if length < size_of::<libc::sa_family_t>() {
            return None;
        }
        // SAFETY: all of the union is initialised, by zeros or by the kernel, and any bits are a valid family.
        let family = unsafe { self.family };
        match i32::from(family) {
            libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
                // SAFETY: the family and length say that the kernel wrote this member; any bits are valid for it.
                let raw = unsafe { self.v4 };
                let ip = Ipv4Addr::from(u32::from_be(raw.sin_addr.s_addr));
                Some(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)).into())
            }
            libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
                // SAFETY: as above.
                let raw = unsafe { self.v6 };
                let (ip, port) = (
                    Ipv6Addr::from(raw.sin6_addr.s6_addr),
                    u16::from_be(raw.sin6_port),
                );
                Some(match ip.to_ipv4_mapped() {
                    Some(ip) => SocketAddrV4::new(ip, port).into(),
                    None => {
                        SocketAddrV6::new(ip, port, raw.sin6_flowinfo, raw.sin6_scope_id).into()
                    }
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(address: &str, v6: bool) -> String {
        let (raw, length) = RawAddress::encode(address.parse().expect("an address"), v6);
        raw.decode(length)
            .expect("a family of the internet")
            .to_string()
    }

    #[test]
    fn addresses_survive_the_kernels_layout() {
        assert_eq!(round_trip("192.0.2.7:5004", false), "192.0.2.7:5004");
        assert_eq!(round_trip("192.0.2.7:5004", true), "192.0.2.7:5004");
        assert_eq!(round_trip("[2001:db8::1]:1", true), "[2001:db8::1]:1");
        assert_eq!(round_trip("[fe80::1%3]:9", true), "[fe80::1%3]:9");
    }

    #[test]
    fn short_or_foreign_addresses_are_none() {
        let (raw, _) = RawAddress::encode(([192, 0, 2, 7], 5004).into(), false);
        for length in [0, 1, 2, 15] {
            assert_eq!(raw.decode(length), None);
        }
        assert_eq!(RawAddress::ZERO.decode(28), None);
    }
}
