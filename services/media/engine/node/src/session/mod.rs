//! One client's session, between the socket and its room.
//!
//! Owns what is the session's alone: ICE, keys, liveness. The room decides what its media means.

mod ice;
mod life;

pub(crate) use ice::Ice;
pub(crate) use life::{Life, LifeConfig};

use std::net::SocketAddr;

use salon_forward::{MemberSpec, Micros};
use salon_srtp::{MAX_OVERHEAD, OutboundContext};

use crate::command::MediaKeys;
use crate::{Counter, Metrics, Outlet};

/// The owner's number of a session, unique for the life of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionNumber(pub u64);

/// What the owner tells of a new session.
#[derive(Debug, Clone)]
pub struct SessionSpec {
    /// Unique for the life of the engine.
    pub session: SessionNumber,
    /// The room's handle: sessions with the same one hear each other.
    pub room: u64,
    /// Ours, in the answer.
    pub local_ufrag: String,
    /// Ours, in the answer.
    pub local_pwd: String,
    /// Theirs, in the offer.
    pub remote_ufrag: String,
    /// What it sends and receives.
    pub member: MemberSpec,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) number: SessionNumber,
    pub(crate) room: u64,
    pub(crate) ice: Ice,
    pub(crate) life: Life,
    /// Until there are keys: who cannot hear yet is not in the room yet.
    joining: Option<MemberSpec>,
    keys: Option<Box<MediaKeys>>,
    /// Under whose name empty reports go out.
    reporter: u32,
}

impl Session {
    pub(crate) fn new(spec: SessionSpec, config: LifeConfig, now: Micros) -> Self {
        Self {
            number: spec.session,
            room: spec.room,
            ice: Ice::new(&spec),
            life: Life::new(config, now),
            keys: None,
            // A session without slots has no SSRC of its own; any number does (RFC 3550 section 6.4.2).
            reporter: spec.member.slots.first().map_or(1, |slot| slot.ssrc.0),
            joining: Some(spec.member),
        }
    }

    /// Keys are set once: counters that began anew under them would use nonces again. Answers with what to join the
    /// room as.
    pub(crate) fn set_keys(&mut self, keys: Box<MediaKeys>) -> Option<MemberSpec> {
        let joining = self.joining.take()?;
        self.keys = Some(keys);
        Some(joining)
    }

    /// Decrypt an SRTP packet in place and answer its length.
    pub(crate) fn unprotect_rtp(
        &mut self,
        packet: &mut [u8],
        now: Micros,
    ) -> Result<usize, Counter> {
        let keys = self.keys.as_mut().ok_or(Counter::DropNoKeys)?;
        let length = keys.inbound.unprotect_rtp(packet).map_err(reason)?;
        self.life.heard(now);
        Ok(length)
    }

    /// Decrypt an SRTCP packet in place and answer its length.
    pub(crate) fn unprotect_rtcp(
        &mut self,
        packet: &mut [u8],
        now: Micros,
    ) -> Result<usize, Counter> {
        let keys = self.keys.as_mut().ok_or(Counter::DropNoKeys)?;
        let length = keys.inbound.unprotect_rtcp(packet).map_err(reason)?;
        self.life.heard(now);
        Ok(length)
    }

    /// Protect the RTP packet that `write` makes, and send it.
    pub(crate) fn send_rtp(
        &mut self,
        now: Micros,
        outlet: &mut impl Outlet,
        write: impl FnOnce(&mut [u8]) -> salon_wire::Result<usize>,
    ) -> Result<(), Counter> {
        self.send_protected(now, outlet, write, OutboundContext::protect_rtp)
    }

    /// Protect the RTCP packet that `write` makes, and send it.
    pub(crate) fn send_rtcp(
        &mut self,
        now: Micros,
        outlet: &mut impl Outlet,
        write: impl FnOnce(&mut [u8]) -> salon_wire::Result<usize>,
    ) -> Result<(), Counter> {
        self.send_protected(now, outlet, write, OutboundContext::protect_rtcp)
    }

    fn send_protected(
        &mut self,
        now: Micros,
        outlet: &mut impl Outlet,
        write: impl FnOnce(&mut [u8]) -> salon_wire::Result<usize>,
        protect: impl FnOnce(&mut OutboundContext, &mut [u8], usize) -> salon_srtp::Result<usize>,
    ) -> Result<(), Counter> {
        let to = self.destination(now)?;
        let keys = self.keys.as_mut().ok_or(Counter::DropNoKeys)?;
        let slot = outlet.slot();
        let length = written(slot, write)?;
        let length = protect(&mut keys.outbound, slot, length).map_err(|_| Counter::DropProtect)?;
        outlet.commit(to, length);
        self.life.sent(now);
        Ok(())
    }

    /// Send a datagram of the owner's as it is.
    pub(crate) fn send_dtls(
        &mut self,
        now: Micros,
        outlet: &mut impl Outlet,
        datagram: &[u8],
    ) -> Result<(), Counter> {
        let to = self.destination(now)?;
        let slot = outlet.slot();
        let room = slot
            .get_mut(..datagram.len())
            .ok_or(Counter::DropTruncated)?;
        room.copy_from_slice(datagram);
        outlet.commit(to, datagram.len());
        Ok(())
    }

    /// Give a sign of life if nothing else was sent of late: an empty receiver report.
    pub(crate) fn keep_alive(&mut self, now: Micros, outlet: &mut impl Outlet) {
        if self.keys.is_none() || !self.life.sign_is_due(now) {
            return;
        }
        let reporter = self.reporter;
        // A client that cannot be answered gets no sign either.
        let _ = self.send_rtcp(now, outlet, |out| write_empty_report(reporter, out));
    }

    fn destination(&self, now: Micros) -> Result<SocketAddr, Counter> {
        self.ice
            .selected()
            .filter(|_| self.ice.has_consent(now) && !self.life.is_doubted())
            .ok_or(Counter::DropNoConsent)
    }
}

/// Leave room behind for the tag.
fn written(
    slot: &mut [u8],
    write: impl FnOnce(&mut [u8]) -> salon_wire::Result<usize>,
) -> Result<usize, Counter> {
    let room = slot.len() - MAX_OVERHEAD;
    write(&mut slot[..room]).map_err(|_| Counter::DropMalformed)
}

/// RFC 3550 section 6.4.2: a receiver report without a block.
fn write_empty_report(reporter: u32, out: &mut [u8]) -> salon_wire::Result<usize> {
    let report = out
        .first_chunk_mut::<8>()
        .ok_or(salon_wire::Error::BufferTooSmall)?;
    report[..4].copy_from_slice(&[0x80, 201, 0, 1]);
    report[4..].copy_from_slice(&reporter.to_be_bytes());
    Ok(report.len())
}

fn reason(error: salon_srtp::Error) -> Counter {
    match error {
        salon_srtp::Error::Replayed | salon_srtp::Error::TooOld => Counter::DropReplayed,
        salon_srtp::Error::Malformed => Counter::DropMalformed,
        _ => Counter::DropUnauthentic,
    }
}

/// Count what went wrong, if anything did.
pub(crate) fn count_failure(metrics: &Metrics, result: Result<(), Counter>) {
    if let Err(counter) = result {
        metrics.count(counter);
    }
}
