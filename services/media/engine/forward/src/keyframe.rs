//! When to ask a sender for a key frame.
//!
//! Requests of all receivers of a layer are one: asked at once, again each 300 ms until a key frame comes, because
//! libwebrtc silently drops requests within 300 ms of the last. Once key frames come they are at least 500 ms apart on
//! average, and the first few may be 300 ms apart: when a room comes over from another node its people arrive one after
//! the other within a second, and each needs one.
//! A cache of the last key frame would answer late slots here, without asking.

use crate::Micros;

const AGAIN: Micros = 300_000;
const APART: Micros = 500_000;
/// Requests after key frames that may be no more than `AGAIN` apart.
const BURST: Micros = 3;

/// One layer's requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyFrameRequests {
    wanted: bool,
    asked: Option<Micros>,
    came: Option<Micros>,
    /// As if each request after a key frame took `APART`, one after the other: when the last would end.
    spent_until: Micros,
}

impl KeyFrameRequests {
    /// Somebody needs a key frame.
    pub(crate) const fn want(&mut self) {
        self.wanted = true;
    }

    /// A key frame came.
    pub(crate) const fn received(&mut self, now: Micros) {
        self.wanted = false;
        self.came = Some(now);
    }

    /// Whether to ask now; having asked is taken for granted.
    pub(crate) fn poll(&mut self, now: Micros) -> bool {
        let soon = self.asked.is_some_and(|asked| now < asked + AGAIN);
        // The request that brought the last key frame counts as well: that frame may have been on its way already.
        let answered = self.asked <= self.came;
        let spent = answered && self.spent_until > now + (BURST - 1) * APART;
        if !self.wanted || soon || spent {
            return false;
        }
        if answered {
            self.spent_until = self.spent_until.max(now) + APART;
        }
        self.asked = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The milliseconds at which `requests` asks, polled each of them.
    fn asked(requests: &mut KeyFrameRequests, milliseconds: std::ops::Range<u64>) -> Vec<u64> {
        milliseconds.filter(|ms| requests.poll(ms * 1000)).collect()
    }

    #[test]
    fn at_once_and_each_300_ms_until_it_comes() {
        let mut requests = KeyFrameRequests::default();
        assert!(asked(&mut requests, 0..100).is_empty());
        requests.want();
        assert_eq!(asked(&mut requests, 100..800), [100, 400, 700]);
        requests.received(800_000);
        assert!(asked(&mut requests, 800..3000).is_empty());
    }

    #[test]
    fn wishes_are_merged() {
        let mut requests = KeyFrameRequests::default();
        for _ in 0..10 {
            requests.want();
        }
        assert_eq!(asked(&mut requests, 0..1), [0]);
        requests.want();
        assert!(asked(&mut requests, 1..300).is_empty());
    }

    #[test]
    fn after_key_frames_requests_are_500_ms_apart_but_for_the_first_few() {
        let mut requests = KeyFrameRequests::default();
        let mut times = Vec::new();
        for ms in 0..3_100 {
            requests.want();
            if requests.poll(ms * 1000) {
                times.push(ms);
                requests.received(ms * 1000 + 500);
            }
        }
        assert_eq!(times, [0, 300, 600, 900, 1200, 1500, 2000, 2500, 3000]);
    }

    #[test]
    fn a_pause_earns_the_first_few_again() {
        let mut requests = KeyFrameRequests::default();
        for (ms, asks) in [
            (0, true),
            (300, true),
            (600, true),
            (5_000, true),
            (5_300, true),
        ] {
            requests.want();
            assert_eq!(requests.poll(ms * 1000), asks);
            requests.received(ms * 1000 + 500);
        }
    }
}
