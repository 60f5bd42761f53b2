//! What the engine tells its owner: a bounded ring, and a descriptor that is readable while it holds something.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use salon_forward::{SlotChange, SourceId};
use salon_netio::EventFd;

use crate::{Counter, Metrics, SessionNumber};

/// A burst of joins is some thousand datagrams of handshakes; an owner this far behind is stuck.
const RING: usize = 8192;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A DTLS datagram, from an address that a check vouched for.
    Dtls(SessionNumber, Box<[u8]>),
    /// The client's first check that selects an address.
    Selected(SessionNumber),
    /// Nothing authentic was heard for too long.
    Silent(SessionNumber),
    /// What these slots show now.
    Slots(SessionNumber, Vec<SlotChange>),
    /// Who is heard in a room, loudest first, and who dominates.
    Speakers(u64, Vec<SourceId>, Option<SourceId>),
    /// A panic closed the room and its sessions.
    Failed(u64),
}

/// The engine's end of the ring. What does not fit is counted and dropped: the engine never waits for its owner.
#[derive(Debug)]
pub struct Events {
    ring: SyncSender<Event>,
    readable: Arc<EventFd>,
    metrics: Arc<Metrics>,
    /// Something was pushed since the owner was last woken.
    pending: bool,
}

/// The owner's end.
#[derive(Debug)]
pub struct EventReceiver {
    ring: Receiver<Event>,
    readable: Arc<EventFd>,
}

impl Events {
    /// A ring and both its ends.
    pub fn new(metrics: Arc<Metrics>) -> std::io::Result<(Self, EventReceiver)> {
        let (sender, receiver) = sync_channel(RING);
        let readable = Arc::new(EventFd::new()?);
        let events = Self {
            ring: sender,
            readable: Arc::clone(&readable),
            metrics,
            pending: false,
        };
        let receiver = EventReceiver {
            ring: receiver,
            readable,
        };
        Ok((events, receiver))
    }

    /// Tell the owner, at the next [`Events::flush`].
    pub(crate) fn push(&mut self, event: Event) {
        if self.ring.try_send(event).is_ok() {
            self.pending = true;
        } else {
            self.metrics.count(Counter::DropEventRing);
        }
    }

    /// Wake the owner once for all that was pushed.
    pub(crate) fn flush(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.readable.notify();
        }
    }
}

impl EventReceiver {
    /// Readable while events wait.
    pub fn readable(&self) -> &EventFd {
        &self.readable
    }

    /// All that waits.
    pub fn take(&self) -> Vec<Event> {
        self.readable.clear();
        // At most a ring full, so that a busy engine cannot hold its owner here.
        self.ring.try_iter().take(RING).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_drops_and_counts() {
        let metrics = Arc::new(Metrics::default());
        let (mut events, receiver) = Events::new(Arc::clone(&metrics)).unwrap();
        for number in 0..RING as u64 + 3 {
            events.push(Event::Selected(SessionNumber(number)));
        }
        events.flush();
        assert_eq!(metrics.value(Counter::DropEventRing), 3);
        let taken = receiver.take();
        assert_eq!(taken.len(), RING);
        assert_eq!(taken[0], Event::Selected(SessionNumber(0)));
        assert!(receiver.take().is_empty());
    }
}
