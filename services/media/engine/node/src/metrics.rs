//! Counters since the start: written by the engine's thread, read by anybody.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Counter {
            $($(#[$doc])* $variant,)*
        }

        impl Counter {
            /// All of them, with their names.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$variant, $name),)*];
        }
    };
}

counters! {
    /// Datagrams taken from the port.
    DatagramsIn => "datagrams_in",
    /// Datagrams that the kernel took.
    DatagramsOut => "datagrams_out",
    /// Their bytes.
    BytesIn => "bytes_in",
    /// Their bytes.
    BytesOut => "bytes_out",
    /// Media packets that went to a receiver.
    Forwarded => "forwarded",
    /// How often the engine's thread had something to do; it grows while the thread lives, also when nobody is here.
    Turns => "turns",
    /// How often the process did not run for so long that its clients may have gone.
    Suspensions => "suspensions",
    /// Checks that were answered.
    StunAnswered => "stun_answered",
    /// Datagrams without a byte.
    DropEmpty => "drop_empty",
    /// Datagrams longer than any path takes.
    DropTruncated => "drop_truncated",
    /// First bytes of no protocol that shares the port.
    DropUnknownProtocol => "drop_unknown_protocol",
    /// Not a binding request with its fingerprint.
    DropStunMalformed => "drop_stun_malformed",
    /// No session has this ufrag.
    DropStunUnknown => "drop_stun_unknown",
    /// The integrity does not fit.
    DropStunForged => "drop_stun_forged",
    /// Neither STUN nor from an address that a check vouched for.
    DropUnknownAddress => "drop_unknown_address",
    /// More DTLS than a handshake and a data channel need.
    DropDtlsRate => "drop_dtls_rate",
    /// The owner does not take its events.
    DropEventRing => "drop_event_ring",
    /// Media before its keys.
    DropNoKeys => "drop_no_keys",
    /// SRTP or SRTCP that is not authentic.
    DropUnauthentic => "drop_unauthentic",
    /// SRTP or SRTCP that was there before.
    DropReplayed => "drop_replayed",
    /// Authentic, and yet not what it claims to be.
    DropMalformed => "drop_malformed",
    /// No section is known for its SSRC.
    DropUnknownSsrc => "drop_unknown_ssrc",
    /// Its payload type was not agreed on.
    DropUnknownPayloadType => "drop_unknown_payload_type",
    /// There before, under its own or a retransmission's SSRC.
    DropDuplicate => "drop_duplicate",
    /// A retransmission that nobody asked for; browsers probe with them.
    DropUnwantedRepair => "drop_unwanted_repair",
    /// Its source belongs to a newer session.
    DropSuperseded => "drop_superseded",
    /// Came while the process did not run.
    DropLate => "drop_late",
    /// To a client that no check vouches for, or none any more, or that may have gone.
    DropNoConsent => "drop_no_consent",
    /// The keys would not protect it.
    DropProtect => "drop_protect",
    /// The socket's buffer was full.
    DropWouldBlock => "drop_would_block",
    /// The kernel refused it.
    DropRefused => "drop_refused",
    /// Rooms closed by a panic.
    RoomsFailed => "rooms_failed",
}

/// One number a counter.
#[derive(Debug)]
pub struct Metrics([AtomicU64; Counter::ALL.len()]);

impl Default for Metrics {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Metrics {
    /// Count one more.
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Count several more. There is one writer, so no update is lost.
    pub fn add(&self, counter: Counter, more: u64) {
        let value = &self.0[counter as usize];
        value.store(value.load(Ordering::Relaxed) + more, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn value(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }

    /// Every count with its name.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Counter::ALL
            .iter()
            .map(|&(counter, name)| (name, self.value(counter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_names_of_their_own() {
        let metrics = Metrics::default();
        metrics.count(Counter::DropEmpty);
        metrics.add(Counter::BytesIn, 40);
        let counted: Vec<_> = metrics.all().filter(|(_, value)| *value > 0).collect();
        assert_eq!(counted, [("bytes_in", 40), ("drop_empty", 1)]);
        let mut names: Vec<_> = metrics.all().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Counter::ALL.len());
    }
}
