//! A slot's RTP timeline: one straight line of the node's clock through every switch.

use salon_wire::rtp::RtpTimestamp;

use crate::Micros;

/// Frames whose packets may still come are remembered, so that all packets of a frame carry one timestamp.
const REMEMBERED: usize = 8;

/// When a timeline may move by more than the sender's own clock did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Correction {
    /// At every frame by a millisecond at most: a picture a millisecond off is not seen.
    Steady,
    /// Not within a spurt of sound, where a step of one sample is heard as a gap, unless it is 100 ms off.
    AtGaps {
        /// The packet begins a spurt.
        gap: bool,
    },
}

/// out = base + rate × capture time in node time, increasing from frame to frame.
///
/// Between corrections it follows the sender's own timestamps, which are free of the network's jitter.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    base: u64,
    rate: u32,
    /// The highest given so far, with wraps counted.
    highest: u64,
    feed: Option<Feed>,
}

#[derive(Debug, Clone)]
struct Feed {
    first_out: u64,
    /// The newest frame.
    newest: (RtpTimestamp, u64),
    recent: [(RtpTimestamp, u64); REMEMBERED],
    next_recent: usize,
}

impl Timeline {
    pub(crate) fn new(base: u32, rate: u32) -> Self {
        Self {
            base: u64::from(base) + (1 << 32),
            rate,
            highest: 0,
            feed: None,
        }
    }

    /// The line itself: what a sender report pairs with `time`.
    pub(crate) fn at(&self, time: Micros) -> RtpTimestamp {
        RtpTimestamp(self.ticks_at(time) as u32)
    }

    fn ticks_at(&self, time: Micros) -> u64 {
        self.base
            .wrapping_add((u128::from(time) * u128::from(self.rate) / 1_000_000) as u64)
    }

    /// Go on with another feed, whose first frame was captured at `capture`, and answer that frame's timestamp.
    pub(crate) fn switch(&mut self, timestamp: RtpTimestamp, capture: Micros) -> RtpTimestamp {
        let out = self.ticks_at(capture).max(self.highest + 1);
        self.highest = out;
        self.feed = Some(Feed {
            first_out: out,
            newest: (timestamp, out),
            recent: [(timestamp, out); REMEMBERED],
            next_recent: 1,
        });
        RtpTimestamp(out as u32)
    }

    /// The timestamp for a packet of the feed that was switched to.
    pub(crate) fn map(
        &mut self,
        timestamp: RtpTimestamp,
        capture: Micros,
        correction: Correction,
    ) -> RtpTimestamp {
        let target = self.ticks_at(capture);
        let Some(feed) = &mut self.feed else {
            return self.switch(timestamp, capture);
        };
        if let Some(&(_, out)) = feed.recent.iter().find(|(seen, _)| *seen == timestamp) {
            return RtpTimestamp(out as u32);
        }
        let (newest_in, newest_out) = feed.newest;
        let steps = i64::from(timestamp.since(newest_in));
        let second = i64::from(self.rate);
        if steps < 0 && steps > -2 * second {
            // A late frame keeps its distance to the newest one.
            let out = newest_out.saturating_add_signed(steps).max(feed.first_out);
            feed.remember(timestamp, out);
            return RtpTimestamp(out as u32);
        }
        let expected = newest_out.saturating_add_signed(steps.max(0));
        let error = target.wrapping_sub(expected) as i64;
        let correction = match correction {
            // The sender jumped: its timestamps tell nothing about the time that passed.
            _ if steps < 0 || error.abs() > second => error,
            Correction::Steady => error.clamp(-second / 1000, second / 1000),
            Correction::AtGaps { gap } if gap || error.abs() > second / 10 => error,
            Correction::AtGaps { .. } => 0,
        };
        let out = expected
            .saturating_add_signed(correction)
            .max(newest_out + 1);
        feed.newest = (timestamp, out);
        feed.remember(timestamp, out);
        self.highest = self.highest.max(out);
        RtpTimestamp(out as u32)
    }
}

impl Feed {
    fn remember(&mut self, timestamp: RtpTimestamp, out: u64) {
        self.recent[self.next_recent] = (timestamp, out);
        self.next_recent = (self.next_recent + 1) % REMEMBERED;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 90_000;
    const SECOND: Micros = 1_000_000;

    #[test]
    fn frames_lie_on_the_line_of_the_sender_reports() {
        let mut timeline = Timeline::new(5, RATE);
        let first = timeline.switch(RtpTimestamp(777), 10 * SECOND);
        assert_eq!(first, timeline.at(10 * SECOND));
        let second = timeline.map(
            RtpTimestamp(777 + 3000),
            10 * SECOND + 33_333,
            Correction::Steady,
        );
        assert!((2999..=3000).contains(&second.since(first)));
        let other = timeline.switch(RtpTimestamp(9), 11 * SECOND);
        assert_eq!(other, timeline.at(11 * SECOND));
    }

    #[test]
    fn an_earlier_capture_still_comes_later() {
        let mut timeline = Timeline::new(5, RATE);
        let first = timeline.switch(RtpTimestamp(777), 10 * SECOND);
        let second = timeline.switch(RtpTimestamp(0), 9 * SECOND);
        assert_eq!(second.since(first), 1);
    }

    #[test]
    fn packets_of_a_frame_share_its_timestamp() {
        let mut timeline = Timeline::new(u32::MAX, RATE);
        timeline.switch(RtpTimestamp(0), SECOND);
        let one = timeline.map(RtpTimestamp(3000), SECOND + 33_000, Correction::Steady);
        let two = timeline.map(RtpTimestamp(6000), SECOND + 80_000, Correction::Steady);
        let late = timeline.map(RtpTimestamp(3000), SECOND + 90_000, Correction::Steady);
        assert_eq!(one, late);
        assert!(two.is_after(one));
    }

    #[test]
    fn pictures_are_corrected_slowly() {
        let mut timeline = Timeline::new(0, RATE);
        let first = timeline.switch(RtpTimestamp(0), SECOND);
        let next = timeline.map(RtpTimestamp(3000), SECOND + 50_000, Correction::Steady);
        assert_eq!(next.since(first), 3090);
    }

    #[test]
    fn sound_is_corrected_between_spurts_alone() {
        let mut timeline = Timeline::new(0, 48_000);
        let first = timeline.switch(RtpTimestamp(0), SECOND);
        let within = Correction::AtGaps { gap: false };
        let second = timeline.map(RtpTimestamp(960), SECOND + 40_000, within);
        assert_eq!(second.since(first), 960);
        let gap = Correction::AtGaps { gap: true };
        let third = timeline.map(RtpTimestamp(1920), SECOND + 60_000, gap);
        assert_eq!(third, timeline.at(SECOND + 60_000));
        let far = timeline.map(RtpTimestamp(2880), SECOND + 260_000, within);
        assert_eq!(far, timeline.at(SECOND + 260_000));
    }

    #[test]
    fn a_senders_jump_does_not_move_the_line() {
        for jump in [40_000_000_u32, u32::MAX - 40_000_000] {
            let mut timeline = Timeline::new(0, RATE);
            timeline.switch(RtpTimestamp(0), SECOND);
            let next = timeline.map(RtpTimestamp(jump), 2 * SECOND, Correction::Steady);
            assert_eq!(next, timeline.at(2 * SECOND));
        }
    }
}
