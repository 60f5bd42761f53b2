//! When was this captured? From a sender's clock to the node's.

use salon_wire::ntp::NtpTime;
use salon_wire::rtp::RtpTimestamp;

use crate::Micros;

/// Reports looked back on for the one with the least delay.
const REPORTS: usize = 16;
/// A mapping that puts a capture further from its arrival is wrong, or a lie.
const EARLIEST: i64 = 5_000_000;
const LATEST: i64 = 1_000_000;

/// One sender's wall clock against the node's: how far it is behind, by the fastest of the last sender reports. What
/// the fastest report took on its way stays in: it is the same for all of the sender's sources.
#[derive(Debug, Clone, Default)]
pub(crate) struct SenderClock {
    offsets: [i64; REPORTS],
    count: usize,
}

impl SenderClock {
    /// A sender report arrived.
    pub(crate) fn observe(&mut self, ntp: NtpTime, arrival: Micros) {
        let offset = arrival.wrapping_sub(ntp.to_micros()) as i64;
        if self
            .offset()
            .is_some_and(|known| offset.abs_diff(known) > LATEST as u64)
        {
            // The sender's clock was set: what was known of it is worth nothing.
            self.count = 0;
        }
        self.offsets[self.count % REPORTS] = offset;
        self.count += 1;
    }

    fn offset(&self) -> Option<i64> {
        self.offsets[..self.count.min(REPORTS)]
            .iter()
            .min()
            .copied()
    }
}

/// One layer's timestamps against the clocks.
#[derive(Debug, Clone)]
pub(crate) struct MediaClock {
    rate: u32,
    /// The newest packet's timestamp and when it was captured, by its arrival.
    by_arrival: Option<(RtpTimestamp, Micros)>,
    /// The last sender report: timestamp and the sender's wall clock in microseconds.
    by_report: Option<(RtpTimestamp, u64)>,
}

impl MediaClock {
    pub(crate) const fn new(rate: u32) -> Self {
        Self {
            rate,
            by_arrival: None,
            by_report: None,
        }
    }

    /// A sender report for this layer arrived.
    pub(crate) fn observe(&mut self, timestamp: RtpTimestamp, ntp: NtpTime) {
        self.by_report = Some((timestamp, ntp.to_micros()));
    }

    /// The capture time of a packet in the node's time.
    pub(crate) fn capture(
        &mut self,
        timestamp: RtpTimestamp,
        arrival: Micros,
        sender: &SenderClock,
    ) -> Micros {
        let by_arrival = self.capture_by_arrival(timestamp, arrival);
        self.capture_by_report(timestamp, sender)
            .filter(|&capture| plausible(capture, arrival))
            .unwrap_or(by_arrival)
    }

    fn capture_by_report(&self, timestamp: RtpTimestamp, sender: &SenderClock) -> Option<Micros> {
        let (reported, ntp) = self.by_report?;
        let capture = ntp.wrapping_add_signed(self.micros(timestamp.since(reported)));
        Some(capture.wrapping_add_signed(sender.offset()?))
    }

    /// As fast as the fastest packet so far: the delay of slower ones is the network's.
    fn capture_by_arrival(&mut self, timestamp: RtpTimestamp, arrival: Micros) -> Micros {
        let Some((newest, captured)) = self.by_arrival else {
            self.by_arrival = Some((timestamp, arrival));
            return arrival;
        };
        let steps = timestamp.since(newest);
        let capture = captured.wrapping_add_signed(self.micros(steps));
        let capture = if plausible(capture, arrival) {
            capture.min(arrival)
        } else {
            arrival
        };
        if steps > 0 || !plausible(captured, arrival) {
            self.by_arrival = Some((timestamp, capture));
        }
        capture
    }

    const fn micros(&self, ticks: i32) -> i64 {
        ticks as i64 * 1_000_000 / self.rate as i64
    }
}

const fn plausible(capture: Micros, arrival: Micros) -> bool {
    let delay = arrival.wrapping_sub(capture) as i64;
    -LATEST <= delay && delay <= EARLIEST
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 90_000;
    const SECOND: Micros = 1_000_000;

    #[test]
    fn before_the_first_report_the_fastest_packet_counts() {
        let mut clock = MediaClock::new(RATE);
        let sender = SenderClock::default();
        let mut capture = |ticks, arrival| clock.capture(RtpTimestamp(ticks), arrival, &sender);
        assert_eq!(capture(0, 50 * SECOND), 50 * SECOND);
        // 20 ms late: captured when its timestamp says so.
        assert_eq!(capture(9_000, 50 * SECOND + 120_000), 50 * SECOND + 100_000);
        // 10 ms early: the first was late, then.
        assert_eq!(
            capture(18_000, 50 * SECOND + 190_000),
            50 * SECOND + 190_000
        );
        assert_eq!(
            capture(27_000, 50 * SECOND + 400_000),
            50 * SECOND + 290_000
        );
    }

    #[test]
    fn reports_tie_layers_to_one_clock() {
        let mut sender = SenderClock::default();
        let (mut low, mut high) = (MediaClock::new(RATE), MediaClock::new(RATE));
        let wall = |micros| NtpTime::from_micros(1_000_000 * SECOND + micros);
        sender.observe(wall(0), 10 * SECOND + 30_000);
        sender.observe(wall(SECOND), 11 * SECOND + 20_000);
        low.observe(RtpTimestamp(100), wall(0));
        high.observe(RtpTimestamp(7_000_100), wall(0));
        let one = low.capture(RtpTimestamp(90_100), 11 * SECOND + 90_000, &sender);
        let two = high.capture(RtpTimestamp(7_090_100), 11 * SECOND + 30_000, &sender);
        assert_eq!(one, 11 * SECOND + 20_000);
        assert_eq!(one, two);
    }

    #[test]
    fn a_report_that_lies_is_not_believed() {
        let mut sender = SenderClock::default();
        let mut clock = MediaClock::new(RATE);
        sender.observe(NtpTime::from_micros(SECOND), 10 * SECOND);
        clock.observe(RtpTimestamp(0), NtpTime::from_micros(900 * SECOND));
        assert_eq!(
            clock.capture(RtpTimestamp(0), 10 * SECOND, &sender),
            10 * SECOND
        );
    }

    #[test]
    fn a_clock_that_was_set_is_learnt_anew() {
        let mut sender = SenderClock::default();
        sender.observe(NtpTime::from_micros(SECOND), 10 * SECOND);
        sender.observe(NtpTime::from_micros(500 * SECOND), 11 * SECOND);
        assert_eq!(sender.offset(), Some(-489 * SECOND as i64));
    }

    #[test]
    fn timestamps_may_jump_and_stand_still() {
        let mut clock = MediaClock::new(RATE);
        let sender = SenderClock::default();
        clock.capture(RtpTimestamp(0), SECOND, &sender);
        for timestamp in [u32::MAX / 2, 5, 4_000_000_000, 4_000_000_000] {
            let capture = clock.capture(RtpTimestamp(timestamp), 20 * SECOND, &sender);
            assert!(plausible(capture, 20 * SECOND));
        }
    }
}
