//! What came in of one SSRC: duplicates, loss and jitter (RFC 3550 appendices A.3 and A.8).

use salon_wire::ntp::{NtpTime, ShortInterval};
use salon_wire::rtcp::ReportBlock;
use salon_wire::rtp::{ExtendedSeq, RtpTimestamp, SeqNo, SeqUnwrapper, Ssrc};

use crate::Micros;

/// How many numbers behind the highest are told apart: 64 in each word.
const WORDS: usize = 16;
const WINDOW: u64 = 64 * WORDS as u64;

/// The packets of one SSRC.
#[derive(Debug, Clone)]
pub(crate) struct Reception {
    rate: u32,
    seqs: SeqUnwrapper,
    seen: [u64; WORDS],
    first: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    /// Times 16, in ticks (RFC 3550 appendix A.8).
    jitter: u64,
    transit: Option<u32>,
    /// The middle bits of the last sender report's time, and its arrival.
    last_report: Option<(u32, Micros)>,
}

impl Reception {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate,
            seqs: SeqUnwrapper::default(),
            seen: [0; WORDS],
            first: 0,
            received: 0,
            expected_before: 0,
            received_before: 0,
            jitter: 0,
            transit: None,
            last_report: None,
        }
    }

    /// The highest number seen.
    pub(crate) const fn highest(&self) -> Option<ExtendedSeq> {
        self.seqs.highest()
    }

    /// Count a packet and answer its extended number; `None` when it was there before or is too old to tell.
    pub(crate) fn receive(&mut self, seq: SeqNo) -> Option<ExtendedSeq> {
        let highest = self.seqs.highest();
        let extended = self.seqs.peek(seq);
        if let Some(highest) = highest {
            if highest.0 >= extended.0 + WINDOW {
                return None;
            }
            self.forget_between(highest.0, extended.0);
        } else {
            self.first = extended.0;
        }
        let (word, bit) = (extended.0 as usize / 64 % WORDS, 1 << (extended.0 % 64));
        if self.seen[word] & bit != 0 {
            return None;
        }
        self.seen[word] |= bit;
        self.first = self.first.min(extended.0);
        self.received += 1;
        Some(self.seqs.unwrap(seq))
    }

    /// The window moves on: what leaves it makes room for numbers not seen yet.
    fn forget_between(&mut self, highest: u64, new_highest: u64) {
        if new_highest >= highest + WINDOW {
            self.seen = [0; WORDS];
            return;
        }
        for seq in highest + 1..=new_highest {
            self.seen[seq as usize / 64 % WORDS] &= !(1 << (seq % 64));
        }
    }

    /// Measure the jitter of a packet that came by itself, not as a retransmission.
    pub(crate) fn measure(&mut self, timestamp: RtpTimestamp, arrival: Micros) {
        let arrival = (u128::from(arrival) * u128::from(self.rate) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(timestamp.0);
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit.wrapping_sub(before) as i32).unsigned_abs();
            self.jitter =
                self.jitter + u64::from(difference) - ((self.jitter + 8) >> 4).min(self.jitter);
        }
    }

    /// A sender report came.
    pub(crate) fn observe_report(&mut self, ntp: NtpTime, arrival: Micros) {
        self.last_report = Some((ntp.middle(), arrival));
    }

    /// The block for the next report; `None` before the first packet.
    pub(crate) fn report(&mut self, ssrc: Ssrc, now: Micros) -> Option<ReportBlock> {
        let highest = self.highest()?;
        let expected = highest.0 - self.first + 1;
        let (expected_now, received_now) = (
            expected - self.expected_before,
            self.received - self.received_before,
        );
        (self.expected_before, self.received_before) = (expected, self.received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction_lost = (lost_now << 8).checked_div(expected_now).unwrap_or(0);
        let lost = expected as i64 - self.received as i64;
        Some(ReportBlock {
            source: ssrc,
            fraction_lost: fraction_lost.min(255) as u8,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_seq: highest.for_report(),
            jitter: (self.jitter >> 4).min(u64::from(u32::MAX)) as u32,
            last_report: self.last_report.map_or(0, |(middle, _)| middle),
            delay: self.last_report.map_or(ShortInterval(0), |(_, arrival)| {
                ShortInterval::from_micros(now.saturating_sub(arrival))
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(seqs: impl IntoIterator<Item = u16>) -> (Reception, Vec<bool>) {
        let mut reception = Reception::new(90_000);
        let fresh = seqs
            .into_iter()
            .map(|seq| reception.receive(SeqNo(seq)).is_some())
            .collect();
        (reception, fresh)
    }

    #[test]
    fn each_number_is_received_once() {
        let (_, fresh) = received([65_535, 65_534, 0, 65_534, 3, 1, 2, 3, 65_535]);
        assert_eq!(
            fresh,
            [true, true, true, false, true, true, true, false, false]
        );
    }

    #[test]
    fn the_window_moves_on() {
        let (mut reception, fresh) = received([0, 1023, 0, 1, 1, 30_000, 28_000, 29_500]);
        assert_eq!(fresh, [true, true, false, true, false, true, false, true]);
        assert!(reception.receive(SeqNo(30_001)).is_some());
    }

    #[test]
    fn loss_is_counted_in_the_interval_and_in_all() {
        let (mut reception, _) = received([0, 1, 2, 3, 4, 5, 6, 9]);
        let block = reception.report(Ssrc(1), 0).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (51, 2));
        assert_eq!(block.highest_seq, 9);
        reception.receive(SeqNo(10));
        let block = reception.report(Ssrc(1), 0).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 2));
        reception.receive(SeqNo(7));
        let block = reception.report(Ssrc(1), 0).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 1));
    }

    #[test]
    fn jitter_is_that_of_rfc_3550() {
        let (mut reception, _) = received([1]);
        reception.measure(RtpTimestamp(0), 0);
        reception.measure(RtpTimestamp(9_000), 100_000);
        assert_eq!(reception.report(Ssrc(1), 0).unwrap().jitter, 0);
        reception.measure(RtpTimestamp(18_000), 210_000);
        // D = 900 ticks: J += 900 / 16.
        assert_eq!(reception.report(Ssrc(1), 0).unwrap().jitter, 56);
    }

    #[test]
    fn the_last_sender_report_is_echoed() {
        let (mut reception, _) = received([1]);
        let ntp = NtpTime::from_micros(77_000_000);
        reception.observe_report(ntp, 1_000_000);
        let block = reception.report(Ssrc(1), 1_500_000).unwrap();
        assert_eq!(block.last_report, ntp.middle());
        assert_eq!(block.delay, ShortInterval(1 << 15));
    }

    #[test]
    fn nothing_received_is_nothing_to_report() {
        assert!(Reception::new(90_000).report(Ssrc(1), 0).is_none());
    }
}
