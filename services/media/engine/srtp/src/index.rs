//! Packet indices: a sequence number and how often it wrapped (RFC 3711 section 3.3.1).

use salon_wire::rtp::SeqNo;

/// 48 bits: the rollover counter, then the sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PacketIndex(u64);

const HALF: u16 = 1 << 15;

impl PacketIndex {
    /// Of a stream's first packet, for which both sides take a rollover counter of 0.
    pub(crate) const fn first(seq: SeqNo) -> Self {
        Self(seq.0 as u64)
    }

    const fn new(roc: u32, seq: SeqNo) -> Self {
        Self((roc as u64) << 16 | seq.0 as u64)
    }

    /// From [`PacketIndex::value`].
    pub(crate) const fn from_value(value: u64) -> Self {
        Self(value)
    }

    pub(crate) const fn value(self) -> u64 {
        self.0
    }

    pub(crate) const fn roc(self) -> u32 {
        (self.0 >> 16) as u32
    }

    pub(crate) const fn seq(self) -> SeqNo {
        SeqNo(self.0 as u16)
    }

    /// The index of a received packet, guessed from the highest one believed so far. `None` when the guess lies before
    /// the first or after the last index a key may have.
    pub(crate) fn estimate(highest: Self, seq: SeqNo) -> Option<Self> {
        let (roc, last) = (highest.roc(), highest.seq().0);
        let guess = if last < HALF && seq.0.saturating_sub(last) > HALF {
            roc.checked_sub(1)?
        } else if last >= HALF && last - HALF > seq.0 {
            roc.checked_add(1)?
        } else {
            roc
        };
        Some(Self::new(guess, seq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(roc: u32, last: u16, seq: u16) -> Option<(u32, u16)> {
        let index = PacketIndex::estimate(PacketIndex::new(roc, SeqNo(last)), SeqNo(seq))?;
        Some((index.roc(), index.seq().0))
    }

    #[test]
    fn guesses_the_nearest_rollover_counter() {
        assert_eq!(estimate(3, 10, 11), Some((3, 11)));
        assert_eq!(estimate(3, 10, 9), Some((3, 9)));
        assert_eq!(estimate(3, 65_535, 0), Some((4, 0)));
        assert_eq!(estimate(3, 0, 65_535), Some((2, 65_535)));
        assert_eq!(estimate(3, 0x7fff, 0xffff), Some((3, 0xffff)));
        assert_eq!(estimate(3, 0x7ffe, 0xffff), Some((2, 0xffff)));
        assert_eq!(estimate(3, 0x8000, 0), Some((3, 0)));
        assert_eq!(estimate(3, 0x8001, 0), Some((4, 0)));
    }

    #[test]
    fn there_is_nothing_before_the_first_or_after_the_last() {
        assert_eq!(estimate(0, 0, 65_535), None);
        assert_eq!(estimate(u32::MAX, 65_535, 0), None);
    }
}
