//! The replay window (RFC 3711 section 3.3.2), as a ring of blocks (RFC 6479).

use crate::{Error, Result};

const BLOCKS: usize = 16;
const BITS: u64 = u64::BITS as u64;
/// How far behind the newest a packet may be: one block is always partly ahead. RFC 3711 asks for 64 at least; a
/// client without RTX answers a NACK with the packet itself, a round trip and many packets later.
const WINDOW: u64 = (BLOCKS as u64 - 1) * BITS;

/// Which of the last indices were accepted.
#[derive(Debug, Clone)]
pub(crate) struct ReplayWindow {
    highest: u64,
    seen: [u64; BLOCKS],
}

impl ReplayWindow {
    /// With the first accepted index.
    pub(crate) fn new(first: u64) -> Self {
        let mut window = Self {
            highest: first,
            seen: [0; BLOCKS],
        };
        window.accept(first);
        window
    }

    pub(crate) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether a packet may be new. To be asked before its tag is verified.
    pub(crate) fn check(&self, index: u64) -> Result<()> {
        if index > self.highest {
            Ok(())
        } else if self.highest - index >= WINDOW {
            Err(Error::TooOld)
        } else if self.seen[block(index)] & bit(index) != 0 {
            Err(Error::Replayed)
        } else {
            Ok(())
        }
    }

    /// Remember a packet that passed the check and whose tag fits.
    pub(crate) fn accept(&mut self, index: u64) {
        let blocks_ahead = (index / BITS)
            .saturating_sub(self.highest / BITS)
            .min(BLOCKS as u64);
        for ahead in 1..=blocks_ahead {
            self.seen[block(self.highest + ahead * BITS)] = 0;
        }
        self.highest = self.highest.max(index);
        self.seen[block(index)] |= bit(index);
    }
}

const fn block(index: u64) -> usize {
    (index / BITS) as usize % BLOCKS
}

const fn bit(index: u64) -> u64 {
    1 << (index % BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn late_packets_are_taken_once() {
        let mut window = ReplayWindow::new(100);
        assert_eq!(window.check(100), Err(Error::Replayed));
        window.accept(103);
        assert_eq!(window.check(101), Ok(()));
        window.accept(101);
        assert_eq!(window.check(101), Err(Error::Replayed));
        assert_eq!(window.check(102), Ok(()));
    }

    #[test]
    fn the_window_ends() {
        let window = ReplayWindow::new(10_000);
        assert_eq!(window.check(10_000 - WINDOW), Err(Error::TooOld));
        assert_eq!(window.check(10_000 - WINDOW + 1), Ok(()));
    }

    #[test]
    fn a_far_jump_forgets_everything() {
        let mut window = ReplayWindow::new(5);
        window.accept(1 << 47);
        assert_eq!(window.check(5), Err(Error::TooOld));
        assert_eq!(window.check((1 << 47) - 1), Ok(()));
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(steps in proptest::collection::vec(-1200i64..1200, 1..200)) {
            let mut window = ReplayWindow::new(5000);
            let mut seen = BTreeSet::from([5000u64]);
            for step in steps {
                let highest = *seen.last().unwrap();
                let index = highest.saturating_add_signed(step);
                let expected = if index <= highest && highest - index >= WINDOW {
                    Err(Error::TooOld)
                } else if seen.contains(&index) {
                    Err(Error::Replayed)
                } else {
                    Ok(())
                };
                prop_assert_eq!(window.check(index), expected);
                if expected.is_ok() {
                    window.accept(index);
                    seen.insert(index);
                }
            }
        }
    }
}
