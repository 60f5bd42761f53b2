//! Datagrams over the loopback interface, through the public interface.
#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use salon_netio::{
    BATCH, MAX_DATAGRAM, Poller, ReceiveBatch, Received, SendQueue, Sent, Token, UdpPort,
};

const LONG: Option<Duration> = Some(Duration::from_secs(10));

fn port() -> (UdpPort, SocketAddr) {
    let port = UdpPort::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = port.local_addr().unwrap();
    (port, address)
}

fn peer() -> (UdpSocket, SocketAddr) {
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    peer.set_read_timeout(LONG).unwrap();
    let address = peer.local_addr().unwrap();
    (peer, address)
}

/// Receive until this many datagrams were taken, and answer the sum of what was told and what was handed on.
fn receive(port: &UdpPort, count: usize) -> (Received, Vec<(SocketAddr, Vec<u8>)>) {
    let mut poller = Poller::new().unwrap();
    poller.add(port, Token(1)).unwrap();
    let mut batch = ReceiveBatch::default();
    let mut total = Received::default();
    let mut datagrams = Vec::new();
    while total.taken < count {
        assert_eq!(poller.wait(LONG).unwrap().next(), Some(Token(1)));
        let received = batch.receive(port).unwrap();
        total.taken += received.taken;
        total.bytes += received.bytes;
        total.empty += received.empty;
        total.truncated += received.truncated;
        datagrams.extend(
            batch
                .datagrams()
                .map(|datagram| (datagram.source, datagram.bytes.to_vec())),
        );
    }
    (total, datagrams)
}

#[test]
fn more_than_a_batch_arrives_in_order_and_whole() {
    let (sender, from) = port();
    let (receiver, to) = port();
    let mut queue = SendQueue::new(2 * BATCH);
    let payload = |i: usize| vec![i as u8; 1 + i * 7];
    for i in 0..BATCH + 10 {
        assert!(queue.push(to, &payload(i)));
    }
    assert_eq!(queue.len(), BATCH + 10);
    let bytes = (0..BATCH + 10).map(|i| payload(i).len()).sum();
    assert_eq!(
        queue.flush(&sender),
        Sent {
            sent: BATCH + 10,
            bytes,
            would_block: 0,
            refused: 0
        }
    );
    assert!(queue.is_empty());
    let (total, datagrams) = receive(&receiver, BATCH + 10);
    assert_eq!(
        total,
        Received {
            taken: BATCH + 10,
            bytes,
            empty: 0,
            truncated: 0
        }
    );
    for (i, datagram) in datagrams.into_iter().enumerate() {
        assert_eq!(datagram, (from, payload(i)));
    }
}

#[test]
fn empty_and_truncated_datagrams_are_counted_and_dropped() {
    let (receiver, to) = port();
    let (peer, _) = peer();
    peer.send_to(&[], to).unwrap();
    peer.send_to(&[1; MAX_DATAGRAM + 1], to).unwrap();
    peer.send_to(&[2; MAX_DATAGRAM], to).unwrap();
    let (total, datagrams) = receive(&receiver, 3);
    assert_eq!((total.taken, total.empty, total.truncated), (3, 1, 1));
    assert_eq!(datagrams.len(), 1);
    assert_eq!(datagrams[0].1, [2; MAX_DATAGRAM]);
}

#[test]
fn nothing_waiting_is_no_error() {
    let (receiver, _) = port();
    let mut batch = ReceiveBatch::default();
    assert_eq!(batch.receive(&receiver).unwrap(), Received::default());
    assert_eq!(batch.datagrams().count(), 0);
}

#[test]
fn a_new_batch_replaces_the_old() {
    let (receiver, to) = port();
    let (peer, _) = peer();
    peer.send_to(b"once", to).unwrap();
    let mut batch = ReceiveBatch::default();
    while batch.receive(&receiver).unwrap().taken == 0 {}
    assert_eq!(batch.datagrams().count(), 1);
    assert_eq!(batch.receive(&receiver).unwrap().taken, 0);
    assert_eq!(batch.datagrams().count(), 0);
}

#[test]
fn datagrams_are_written_in_place() {
    let (sender, _) = port();
    let (peer, to) = peer();
    let mut queue = SendQueue::new(4);
    let slot = queue.slot().unwrap();
    slot[..5].copy_from_slice(b"hello");
    queue.commit(to, 5);
    assert_eq!(queue.flush(&sender).sent, 1);
    let mut buffer = [0; 16];
    assert_eq!(peer.recv(&mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"hello");
}

#[test]
fn a_slot_without_commit_and_an_empty_datagram_send_nothing() {
    let (sender, _) = port();
    let (_peer, to) = peer();
    let mut queue = SendQueue::new(1);
    queue.slot().unwrap();
    queue.commit(to, 0);
    assert_eq!(queue.flush(&sender), Sent::default());
}

#[test]
fn a_full_queue_says_so() {
    let (_peer, to) = peer();
    let mut queue = SendQueue::new(1);
    assert!(!queue.push(to, &[0; MAX_DATAGRAM + 1]));
    assert!(queue.push(to, b"x"));
    assert!(queue.slot().is_none());
    assert!(!queue.push(to, b"y"));
    assert_eq!(queue.len(), 1);
}

#[test]
fn a_refused_datagram_does_not_hold_up_the_others() {
    let (sender, _) = port();
    let (peer, to) = peer();
    let mut queue = SendQueue::new(4);
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    for (address, payload) in [(nowhere, b"a"), (to, b"b"), (nowhere, b"c"), (to, b"d")] {
        assert!(queue.push(address, payload));
    }
    assert_eq!(
        queue.flush(&sender),
        Sent {
            sent: 2,
            bytes: 2,
            would_block: 0,
            refused: 2
        }
    );
    let mut buffer = [0; 16];
    for expected in [b"b", b"d"] {
        assert_eq!(peer.recv(&mut buffer).unwrap(), 1);
        assert_eq!(&buffer[..1], expected);
    }
}

#[test]
fn ipv4_peers_of_an_ipv6_port_keep_their_ipv4_address() {
    let Ok(both) = UdpPort::bind((Ipv6Addr::UNSPECIFIED, 0).into()) else {
        return; // A machine without IPv6.
    };
    let (peer, address) = peer();
    peer.send_to(
        b"in",
        (Ipv4Addr::LOCALHOST, both.local_addr().unwrap().port()),
    )
    .unwrap();
    let (_, datagrams) = receive(&both, 1);
    assert_eq!(datagrams, [(address, b"in".to_vec())]);
    let mut queue = SendQueue::new(1);
    assert!(queue.push(address, b"out"));
    assert_eq!(queue.flush(&both).sent, 1);
    let mut buffer = [0; 16];
    assert_eq!(peer.recv(&mut buffer).unwrap(), 3);
}
