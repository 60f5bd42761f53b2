//! All sessions and rooms of a node, without a socket, a thread or a clock.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use salon_forward::{Micros, SpecError};
use salon_wire::demux::Protocol;
use salon_wire::stun::BindingRequest;

use crate::places::{Failed, Places, Sessions, Surroundings};
use crate::session::{LifeConfig, Session, count_failure};
use crate::{
    Command, Counter, Event, Events, MediaKeys, Metrics, Outlet, SessionNumber, SessionSpec,
};

/// Sessions, found by number, by ufrag and by address.
#[derive(Debug)]
pub struct Core {
    sessions: Sessions,
    by_ufrag: HashMap<String, SessionNumber>,
    /// Filled by authenticated checks alone.
    by_address: HashMap<SocketAddr, SessionNumber>,
    places: Places,
    life: LifeConfig,
    events: Events,
    metrics: Arc<Metrics>,
}

impl Core {
    /// Nothing open yet. `seed` makes the start values of counters on the wire.
    pub fn new(seed: u64, silent_after: Micros, events: Events, metrics: Arc<Metrics>) -> Self {
        Self {
            sessions: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            places: Places::new(seed),
            life: LifeConfig { silent_after },
            events,
            metrics,
        }
    }

    /// Whether there is nobody to serve.
    pub fn is_idle(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Do what the owner says. A session that cannot be opened is not: its owner has checked the spec before.
    pub fn handle_command(&mut self, now: Micros, command: Command, outlet: &mut impl Outlet) {
        match command {
            Command::Open(spec) => {
                let _ = self.open(now, *spec);
            }
            Command::Close(session) => self.close(now, session, outlet),
            Command::SetKeys(session, keys) => {
                self.set_keys(now, session, keys, outlet);
            }
            Command::SendDtls(session, datagram) => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    let sent = session.send_dtls(now, outlet, &datagram);
                    count_failure(&self.metrics, sent);
                }
            }
            Command::SetLayout(session, wishes) => {
                if let Some(room) = self.sessions.get(&session).map(|session| session.room) {
                    self.with_rooms(now, outlet, |places, around| {
                        places.set_layout(room, session, &wishes, around)
                    });
                }
            }
            Command::Stop => {}
        }
        self.events.flush();
    }

    fn open(&mut self, now: Micros, spec: SessionSpec) -> Result<(), SpecError> {
        if self.sessions.contains_key(&spec.session)
            || self.by_ufrag.contains_key(&spec.local_ufrag)
        {
            return Err(SpecError::Twice);
        }
        spec.member.check()?;
        self.by_ufrag.insert(spec.local_ufrag.clone(), spec.session);
        self.sessions
            .insert(spec.session, Session::new(spec, self.life, now));
        Ok(())
    }

    fn set_keys(
        &mut self,
        now: Micros,
        number: SessionNumber,
        keys: Box<MediaKeys>,
        outlet: &mut impl Outlet,
    ) {
        let Some(session) = self.sessions.get_mut(&number) else {
            return;
        };
        let room = session.room;
        if let Some(member) = session.set_keys(keys) {
            self.with_rooms(now, outlet, |places, around| {
                places.join(room, number, member, around)
            });
        }
    }

    fn close(&mut self, now: Micros, number: SessionNumber, outlet: &mut impl Outlet) {
        if let Some(session) = self.forget(number) {
            self.with_rooms(now, outlet, |places, around| {
                places.leave(session.room, number, around)
            });
        }
    }

    /// Forget a session everywhere but in its room.
    fn forget(&mut self, number: SessionNumber) -> Option<Session> {
        let session = self.sessions.remove(&number)?;
        self.by_ufrag.remove(&session.ice.local_ufrag);
        for address in session.ice.addresses() {
            if self.by_address.get(address) == Some(&number) {
                self.by_address.remove(address);
            }
        }
        Some(session)
    }

    /// A datagram came. It is decrypted where it lies.
    pub fn handle_datagram(
        &mut self,
        now: Micros,
        from: SocketAddr,
        datagram: &mut [u8],
        outlet: &mut impl Outlet,
    ) {
        let handled = match Protocol::of(datagram) {
            Protocol::Stun => self.handle_check(now, from, datagram, outlet),
            Protocol::Dtls => self.handle_dtls(now, from, datagram),
            Protocol::Rtp => self.handle_rtp(now, from, datagram, outlet),
            Protocol::Rtcp => self.handle_rtcp(now, from, datagram, outlet),
            Protocol::Unknown => Err(Counter::DropUnknownProtocol),
        };
        count_failure(&self.metrics, handled);
    }

    /// The process did not run for a while, and whoever was here may be served elsewhere by now: nothing is sent to a
    /// client until it is heard again.
    pub fn handle_suspended(&mut self) {
        for session in self.sessions.values_mut() {
            session.life.doubt();
        }
    }

    /// A datagram that came while the process did not run. A client's goodbye is still one; nothing else is a sign of
    /// life any more, or media that anybody waits for.
    pub fn handle_late_datagram(&mut self, now: Micros, from: SocketAddr, datagram: &[u8]) {
        let handled = match Protocol::of(datagram) {
            Protocol::Dtls => self.handle_dtls(now, from, datagram),
            _ => Err(Counter::DropLate),
        };
        count_failure(&self.metrics, handled);
    }

    /// Timers: to be called each few milliseconds while anybody is here.
    pub fn handle_timeout(&mut self, now: Micros, outlet: &mut impl Outlet) {
        for room in self.places.handles() {
            self.with_rooms(now, outlet, |places, around| {
                places.handle_timeout(room, around)
            });
        }
        for session in self.sessions.values_mut() {
            session.keep_alive(now, outlet);
            if session.life.falls_silent(now) {
                self.events.push(Event::Silent(session.number));
            }
        }
    }

    /// Wake the owner for the events of a batch of datagrams.
    pub fn flush_events(&mut self) {
        self.events.flush();
    }

    fn handle_check(
        &mut self,
        now: Micros,
        from: SocketAddr,
        datagram: &[u8],
        outlet: &mut impl Outlet,
    ) -> Result<(), Counter> {
        let request = BindingRequest::parse(datagram).map_err(|_| Counter::DropStunMalformed)?;
        let session = request
            .local_ufrag()
            .and_then(|ufrag| self.by_ufrag.get(ufrag))
            .and_then(|number| self.sessions.get_mut(number))
            .ok_or(Counter::DropStunUnknown)?;
        let answer = session
            .ice
            .handle_check(&request, from, now, outlet.slot())?;
        outlet.commit(from, answer.length);
        self.metrics.count(Counter::StunAnswered);
        if !answer.vouched {
            return Ok(());
        }
        session.life.heard(now);
        if answer.first_selected {
            self.events.push(Event::Selected(session.number));
        }
        let number = session.number;
        if let Some(forgotten) = answer.forgotten
            && self.by_address.get(&forgotten) == Some(&number)
        {
            self.by_address.remove(&forgotten);
        }
        self.by_address.insert(from, number);
        Ok(())
    }

    fn handle_dtls(
        &mut self,
        now: Micros,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), Counter> {
        let session = session_at(&self.by_address, &mut self.sessions, from)?;
        if !session.life.admit_dtls(now) {
            return Err(Counter::DropDtlsRate);
        }
        self.events
            .push(Event::Dtls(session.number, datagram.into()));
        Ok(())
    }

    fn handle_rtp(
        &mut self,
        now: Micros,
        from: SocketAddr,
        datagram: &mut [u8],
        outlet: &mut impl Outlet,
    ) -> Result<(), Counter> {
        let session = session_at(&self.by_address, &mut self.sessions, from)?;
        let length = session.unprotect_rtp(datagram, now)?;
        let (room, number) = (session.room, session.number);
        self.with_rooms(now, outlet, |places, around| {
            places.receive_rtp(room, number, &datagram[..length], around)
        });
        Ok(())
    }

    fn handle_rtcp(
        &mut self,
        now: Micros,
        from: SocketAddr,
        datagram: &mut [u8],
        outlet: &mut impl Outlet,
    ) -> Result<(), Counter> {
        let session = session_at(&self.by_address, &mut self.sessions, from)?;
        let length = session.unprotect_rtcp(datagram, now)?;
        let (room, number) = (session.room, session.number);
        self.with_rooms(now, outlet, |places, around| {
            places.receive_rtcp(room, number, &datagram[..length], around)
        });
        Ok(())
    }

    /// Let a room work. If it fails, its sessions go with it.
    fn with_rooms<O: Outlet>(
        &mut self,
        now: Micros,
        outlet: &mut O,
        work: impl FnOnce(&mut Places, &mut Surroundings<'_, O>) -> Result<(), Failed>,
    ) {
        let mut around = Surroundings {
            now,
            sessions: &mut self.sessions,
            outlet,
            events: &mut self.events,
            metrics: &self.metrics,
        };
        if let Err(failed) = work(&mut self.places, &mut around) {
            for session in failed.sessions {
                self.forget(session);
            }
            self.events.push(Event::Failed(failed.room));
        }
    }
}

fn session_at<'a>(
    by_address: &HashMap<SocketAddr, SessionNumber>,
    sessions: &'a mut Sessions,
    from: SocketAddr,
) -> Result<&'a mut Session, Counter> {
    by_address
        .get(&from)
        .and_then(|number| sessions.get_mut(number))
        .ok_or(Counter::DropUnknownAddress)
}
