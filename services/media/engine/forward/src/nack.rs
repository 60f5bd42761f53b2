//! Asking a sender for packets again (RFC 4585 section 6.2.1): each 40 ms, ten times, as libwebrtc does.

use salon_wire::rtp::{ExtendedSeq, SeqNo};

use crate::Micros;

const AGAIN: Micros = 40_000;
const TRIES: u8 = 10;
/// A packet that is merely late by a few gets this long before it is asked for.
const REORDERING: Micros = 10_000;
/// More missing at once is not mended by asking: a key frame is.
const MAX_MISSING: usize = 128;

#[derive(Debug, Clone, Copy)]
struct Missing {
    seq: ExtendedSeq,
    due: Micros,
    tries: u8,
}

/// What one layer lacks.
#[derive(Debug, Clone, Default)]
pub(crate) struct MissingPackets {
    highest: Option<ExtendedSeq>,
    missing: Vec<Missing>,
}

impl MissingPackets {
    /// A packet came by itself. Answers false when so much is missing that asking is given up.
    pub(crate) fn received(&mut self, seq: ExtendedSeq, now: Micros) -> bool {
        let Some(highest) = self.highest.replace(seq) else {
            return true;
        };
        if seq <= highest {
            self.highest = Some(highest);
            self.missing.retain(|missing| missing.seq != seq);
            return true;
        }
        let gap = (seq.0 - highest.0 - 1) as usize;
        if self.missing.len() + gap > MAX_MISSING {
            self.missing.clear();
            return false;
        }
        self.missing
            .extend((highest.0 + 1..seq.0).map(|seq| Missing {
                seq: ExtendedSeq(seq),
                due: now + REORDERING,
                tries: 0,
            }));
        true
    }

    /// A retransmission came: answers whether it was asked for.
    pub(crate) fn restored(&mut self, seq: SeqNo) -> bool {
        let before = self.missing.len();
        self.missing.retain(|missing| missing.seq.seq() != seq);
        self.missing.len() != before
    }

    /// What to ask for now, in order.
    pub(crate) fn poll(&mut self, now: Micros, ask: &mut Vec<SeqNo>) {
        self.missing.retain_mut(|missing| {
            if missing.due > now {
                return true;
            }
            ask.push(missing.seq.seq());
            missing.due = now + AGAIN;
            missing.tries += 1;
            missing.tries < TRIES
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(missing: &mut MissingPackets, now: Micros) -> Vec<u16> {
        let mut ask = Vec::new();
        missing.poll(now, &mut ask);
        ask.iter().map(|seq| seq.0).collect()
    }

    #[test]
    fn gaps_are_asked_for_until_they_are_filled() {
        let mut missing = MissingPackets::default();
        missing.received(ExtendedSeq(65_535), 0);
        missing.received(ExtendedSeq(65_539), 0);
        assert!(asked(&mut missing, 9_999).is_empty());
        assert_eq!(asked(&mut missing, 10_000), [0, 1, 2]);
        assert!(missing.restored(SeqNo(1)));
        assert!(!missing.restored(SeqNo(1)));
        missing.received(ExtendedSeq(65_536), 20_000);
        assert!(asked(&mut missing, 49_999).is_empty());
        assert_eq!(asked(&mut missing, 50_000), [2]);
    }

    #[test]
    fn ten_tries_are_enough() {
        let mut missing = MissingPackets::default();
        missing.received(ExtendedSeq(65_536), 0);
        missing.received(ExtendedSeq(65_538), 0);
        let tries = (0..5_000_000)
            .step_by(5_000)
            .filter(|&now| !asked(&mut missing, now).is_empty())
            .count();
        assert_eq!(tries, 10);
        assert!(
            !missing.restored(SeqNo(1)),
            "it is not waited for any longer"
        );
    }

    #[test]
    fn a_flood_of_gaps_is_given_up() {
        let mut missing = MissingPackets::default();
        missing.received(ExtendedSeq(65_536), 0);
        assert!(missing.received(ExtendedSeq(65_600), 0));
        assert!(!missing.received(ExtendedSeq(70_000), 0));
        assert!(asked(&mut missing, 100_000).is_empty());
        assert!(missing.received(ExtendedSeq(70_001), 0));
    }
}
