//! When to ask a sender for a key frame.
//!
//! Requests of all receivers of a layer are one: asked at once, again each 300 ms until a key frame comes, because
//! libwebrtc silently drops requests within 300 ms of the last; after a key frame, the next one at least 500 ms later.
//! A cache of the last key frame would answer late slots here, without asking.

use crate::Micros;

const AGAIN: Micros = 300_000;
const APART: Micros = 500_000;

/// One layer's requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyFrameRequests {
    wanted: bool,
    asked: Option<Micros>,
    came: Option<Micros>,
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
        let waits = |since: Option<Micros>, time| since.is_some_and(|since| now < since + time);
        // The request that brought the last key frame counts as well: that frame may have been on its way already.
        let answered = self.asked <= self.came;
        let again = if answered { APART } else { AGAIN };
        if !self.wanted || waits(self.asked, again) {
            return false;
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
    fn after_a_key_frame_requests_are_500_ms_apart() {
        let mut requests = KeyFrameRequests::default();
        requests.want();
        assert!(requests.poll(0));
        requests.received(50_000);
        requests.want();
        assert_eq!(asked(&mut requests, 50..700), [500]);
    }
}
