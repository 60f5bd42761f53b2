//! The rooms of a node, each behind a wall: a panic in one closes that room and no other.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use salon_forward::{DropReason, Forward, Member, MemberSpec, Micros, Room, RoomEvent};

use crate::session::{Session, count_failure};
use crate::{Counter, Event, Events, Metrics, Outlet, SessionNumber};

/// Sessions by their number.
pub(crate) type Sessions = HashMap<SessionNumber, Session>;

/// What a room needs to act: its members' sessions, and where things go.
pub(crate) struct Surroundings<'a, O> {
    pub(crate) now: Micros,
    pub(crate) sessions: &'a mut Sessions,
    pub(crate) outlet: &'a mut O,
    pub(crate) events: &'a mut Events,
    pub(crate) metrics: &'a Metrics,
}

/// A panic closed this room: its sessions are to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) room: u64,
    pub(crate) sessions: Vec<SessionNumber>,
}

/// Rooms by their handle.
#[derive(Debug)]
pub(crate) struct Places {
    rooms: HashMap<u64, Place>,
    next_seed: u64,
    /// Kept, so that no packet allocates.
    forwards: Vec<Forward>,
}

/// A room and the sessions of its members.
#[derive(Debug)]
struct Place {
    room: Room,
    sessions: HashMap<Member, SessionNumber>,
    members: HashMap<SessionNumber, Member>,
    next_member: u32,
}

impl Places {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rooms: HashMap::new(),
            next_seed: seed,
            forwards: Vec::new(),
        }
    }

    /// A session joins, as what was checked when it was opened.
    pub(crate) fn join<O: Outlet>(
        &mut self,
        handle: u64,
        session: SessionNumber,
        spec: MemberSpec,
        around: &mut Surroundings<'_, O>,
    ) -> Result<(), Failed> {
        let seed = self.next_seed;
        self.next_seed = seed.wrapping_add(1);
        self.rooms.entry(handle).or_insert_with(|| Place {
            room: Room::new(seed),
            sessions: HashMap::new(),
            members: HashMap::new(),
            next_member: 0,
        });
        let result = self.guarded(handle, around, |place, _| place.join(session, spec));
        self.remove_if_empty(handle);
        result
    }

    /// A session leaves.
    pub(crate) fn leave<O: Outlet>(
        &mut self,
        handle: u64,
        session: SessionNumber,
        around: &mut Surroundings<'_, O>,
    ) -> Result<(), Failed> {
        let result = self.guarded(handle, around, |place, _| place.leave(session));
        self.remove_if_empty(handle);
        result
    }

    fn remove_if_empty(&mut self, handle: u64) {
        if self
            .rooms
            .get(&handle)
            .is_some_and(|place| place.room.is_empty())
        {
            self.rooms.remove(&handle);
        }
    }

    /// The handles of all rooms.
    pub(crate) fn handles(&self) -> Vec<u64> {
        self.rooms.keys().copied().collect()
    }

    /// A packet of a member, in the clear.
    pub(crate) fn receive_rtp<O: Outlet>(
        &mut self,
        handle: u64,
        from: SessionNumber,
        packet: &[u8],
        around: &mut Surroundings<'_, O>,
    ) -> Result<(), Failed> {
        let mut forwards = std::mem::take(&mut self.forwards);
        let result = self.guarded(handle, around, |place, around| {
            let Some(&member) = place.members.get(&from) else {
                return;
            };
            let received = place
                .room
                .receive_rtp(around.now, member, packet, &mut forwards);
            match received {
                Ok(payload) => place.send(&forwards, &packet[payload], around),
                Err(reason) => around.metrics.count(counter(reason)),
            }
            place.send_rtcp(around);
        });
        forwards.clear();
        self.forwards = forwards;
        result
    }

    /// RTCP of a member, in the clear.
    pub(crate) fn receive_rtcp<O: Outlet>(
        &mut self,
        handle: u64,
        from: SessionNumber,
        datagram: &[u8],
        around: &mut Surroundings<'_, O>,
    ) -> Result<(), Failed> {
        self.guarded(handle, around, |place, around| {
            let Some(&member) = place.members.get(&from) else {
                return;
            };
            let received = place.room.receive_rtcp(around.now, member, datagram);
            count_failure(around.metrics, received.map_err(counter));
            place.send_rtcp(around);
        })
    }

    /// Another layout of a member.
    pub(crate) fn set_layout<O: Outlet>(
        &mut self,
        handle: u64,
        session: SessionNumber,
        wishes: &[salon_forward::Wish],
        around: &mut Surroundings<'_, O>,
    ) -> Result<(), Failed> {
        self.guarded(handle, around, |place, around| {
            if let Some(&member) = place.members.get(&session) {
                place.room.set_layout(around.now, member, wishes);
                place.send_rtcp(around);
            }
        })
    }

    /// Timers of a room.
    pub(crate) fn handle_timeout<O: Outlet>(
        &mut self,
        handle: u64,
        around: &mut Surroundings<'_, O>,
    ) -> Result<(), Failed> {
        self.guarded(handle, around, |place, around| {
            place.room.handle_timeout(around.now);
            place.send_rtcp(around);
            place.tell(handle, around);
        })
    }

    /// Work on a room; a panic removes it. Outside of the room only whole packets are touched, and what a session has
    /// protected counts as sent (its keys are forgotten with it), so nothing half-done is used again.
    fn guarded<O: Outlet>(
        &mut self,
        handle: u64,
        around: &mut Surroundings<'_, O>,
        work: impl FnOnce(&mut Place, &mut Surroundings<'_, O>),
    ) -> Result<(), Failed> {
        let Some(place) = self.rooms.get_mut(&handle) else {
            return Ok(());
        };
        if catch_unwind(AssertUnwindSafe(|| work(place, around))).is_ok() {
            return Ok(());
        }
        around.metrics.count(Counter::RoomsFailed);
        let place = self.rooms.remove(&handle);
        Err(Failed {
            room: handle,
            sessions: place.map_or_else(Vec::new, |place| place.members.into_keys().collect()),
        })
    }
}

impl Place {
    fn join(&mut self, session: SessionNumber, spec: MemberSpec) {
        let member = Member(self.next_member);
        self.next_member += 1;
        self.sessions.insert(member, session);
        self.members.insert(session, member);
        if self.room.join(member, spec).is_err() {
            self.leave(session);
        }
    }

    fn leave(&mut self, session: SessionNumber) {
        if let Some(member) = self.members.remove(&session) {
            self.sessions.remove(&member);
            self.room.leave(member);
        }
    }

    fn send<O: Outlet>(
        &self,
        forwards: &[Forward],
        payload: &[u8],
        around: &mut Surroundings<'_, O>,
    ) {
        for forward in forwards {
            let session = self
                .sessions
                .get(&forward.to)
                .and_then(|session| around.sessions.get_mut(session));
            let Some(session) = session else { continue };
            let sent =
                session.send_rtp(around.now, around.outlet, |out| forward.write(payload, out));
            match sent {
                Ok(()) => around.metrics.count(Counter::Forwarded),
                Err(counter) => around.metrics.count(counter),
            }
        }
    }

    fn send_rtcp<O: Outlet>(&mut self, around: &mut Surroundings<'_, O>) {
        let mut buffer = [0; 1280];
        while let Some((member, length)) = self.room.poll_rtcp(around.now, &mut buffer) {
            let session = self
                .sessions
                .get(&member)
                .and_then(|session| around.sessions.get_mut(session));
            let Some(session) = session else { continue };
            let packet = &buffer[..length];
            // To a client that has no keys yet there is nothing to say.
            let _ = session.send_rtcp(around.now, around.outlet, |out| {
                let room = out.get_mut(..length);
                room.ok_or(salon_wire::Error::BufferTooSmall)?
                    .copy_from_slice(packet);
                Ok(length)
            });
        }
    }

    fn tell<O: Outlet>(&mut self, handle: u64, around: &mut Surroundings<'_, O>) {
        while let Some(event) = self.room.poll_event() {
            match event {
                RoomEvent::Slots(member, changes) => {
                    if let Some(&session) = self.sessions.get(&member) {
                        around.events.push(Event::Slots(session, changes));
                    }
                }
                RoomEvent::Speakers(heard, dominant) => {
                    around.events.push(Event::Speakers(handle, heard, dominant));
                }
            }
        }
    }
}

const fn counter(reason: DropReason) -> Counter {
    match reason {
        DropReason::UnknownSsrc => Counter::DropUnknownSsrc,
        DropReason::UnknownPayloadType => Counter::DropUnknownPayloadType,
        DropReason::Duplicate => Counter::DropDuplicate,
        DropReason::UnwantedRepair => Counter::DropUnwantedRepair,
        DropReason::Superseded => Counter::DropSuperseded,
        _ => Counter::DropMalformed,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use salon_netio::MAX_DATAGRAM;

    use super::*;

    struct Nowhere(Box<[u8; MAX_DATAGRAM]>);

    impl Outlet for Nowhere {
        fn slot(&mut self) -> &mut [u8; MAX_DATAGRAM] {
            &mut self.0
        }

        fn commit(&mut self, _: SocketAddr, _: usize) {}
    }

    #[test]
    fn a_panic_closes_its_room_and_no_other() {
        let metrics = Arc::new(Metrics::default());
        let (mut events, _receiver) = Events::new(Arc::clone(&metrics)).unwrap();
        let mut around = Surroundings {
            now: 0,
            sessions: &mut Sessions::new(),
            outlet: &mut Nowhere(Box::new([0; MAX_DATAGRAM])),
            events: &mut events,
            metrics: &metrics,
        };
        let mut places = Places::new(1);
        for (room, session) in [(5, 1), (5, 2), (6, 3)] {
            let spec = MemberSpec {
                cname: String::new(),
                sends: vec![],
                slots: vec![],
            };
            let session = SessionNumber(session);
            places.join(room, session, spec, &mut around).unwrap();
        }
        let failed = places
            .guarded(5, &mut around, |_, _| panic!("as a test"))
            .unwrap_err();
        assert_eq!(failed.room, 5);
        assert_eq!(failed.sessions.len(), 2);
        assert_eq!(places.handles(), [6]);
        assert_eq!(metrics.value(Counter::RoomsFailed), 1);
        assert_eq!(places.handle_timeout(5, &mut around), Ok(()));
        assert_eq!(places.handle_timeout(6, &mut around), Ok(()));
    }
}
