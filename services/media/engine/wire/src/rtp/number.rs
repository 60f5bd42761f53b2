//! The numbers of RTP, which wrap, as types that know it.

use std::fmt;

/// A synchronisation source (RFC 3550 section 3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ssrc(pub u32);

impl fmt::Debug for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ssrc({:#010x})", self.0)
    }
}

/// A 16-bit sequence number. It has no order of its own: compare with [`SeqNo::is_after`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeqNo(pub u16);

impl SeqNo {
    /// Serial number arithmetic (RFC 1982 section 3.2); two numbers 32768 apart are in no order.
    pub const fn is_after(self, other: Self) -> bool {
        self.since(other) > 0
    }

    /// Steps from `other` to this one, the shorter way round.
    pub const fn since(self, other: Self) -> i16 {
        self.0.wrapping_sub(other.0) as i16
    }

    /// This number plus `steps`.
    #[must_use]
    pub const fn plus(self, steps: u16) -> Self {
        Self(self.0.wrapping_add(steps))
    }
}

/// A 32-bit media timestamp, in the clock of its payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RtpTimestamp(pub u32);

impl RtpTimestamp {
    /// Serial number arithmetic, as with [`SeqNo::is_after`].
    pub const fn is_after(self, other: Self) -> bool {
        self.since(other) > 0
    }

    /// Ticks from `other` to this one, the shorter way round.
    pub const fn since(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }

    /// This timestamp plus `ticks`.
    #[must_use]
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }
}

/// A sequence number with its wraps counted: an ordinary, ordered number.
///
/// The first packet of a stream is given wrap 1, so that packets from before it have a number too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtendedSeq(pub u64);

impl ExtendedSeq {
    /// The number on the wire.
    pub const fn seq(self) -> SeqNo {
        SeqNo(self.0 as u16)
    }

    /// As report blocks have it: wraps counted from 0 in the upper half (RFC 3550 section 6.4.1).
    pub const fn for_report(self) -> u32 {
        (self.0 as u32).wrapping_sub(1 << 16)
    }
}

/// Counts the wraps of one stream's sequence numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeqUnwrapper {
    highest: Option<ExtendedSeq>,
}

impl SeqUnwrapper {
    /// The highest number seen.
    pub const fn highest(&self) -> Option<ExtendedSeq> {
        self.highest
    }

    /// Extend a number by its distance to the highest one, which it may become.
    pub fn unwrap(&mut self, seq: SeqNo) -> ExtendedSeq {
        let extended = self.peek(seq);
        self.highest = Some(
            self.highest
                .map_or(extended, |highest| highest.max(extended)),
        );
        extended
    }

    /// What [`SeqUnwrapper::unwrap`] would answer, without remembering it.
    pub fn peek(&self, seq: SeqNo) -> ExtendedSeq {
        let Some(highest) = self.highest else {
            return ExtendedSeq((1 << 16) + seq.0 as u64);
        };
        let steps = seq.since(highest.seq());
        ExtendedSeq(highest.0.saturating_add_signed(steps.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_wraps() {
        assert!(SeqNo(0).is_after(SeqNo(65_535)));
        assert!(!SeqNo(65_535).is_after(SeqNo(0)));
        assert!(!SeqNo(5).is_after(SeqNo(5)));
        assert!(RtpTimestamp(3).is_after(RtpTimestamp(u32::MAX)));
        assert_eq!(RtpTimestamp(3).since(RtpTimestamp(u32::MAX)), 4);
        assert_eq!(SeqNo(65_535).plus(2), SeqNo(1));
    }

    #[test]
    fn unwrapping_goes_on_over_wraps_and_back() {
        let mut unwrapper = SeqUnwrapper::default();
        let first = unwrapper.unwrap(SeqNo(65_534));
        assert_eq!(unwrapper.unwrap(SeqNo(1)).0, first.0 + 3);
        assert_eq!(unwrapper.unwrap(SeqNo(65_535)).0, first.0 + 1);
        assert_eq!(
            unwrapper.highest().map(|highest| highest.0),
            Some(first.0 + 3)
        );
        assert_eq!(first.for_report(), 65_534);
        assert_eq!(ExtendedSeq(first.0 + 3).for_report(), 0x1_0001);
    }

    #[test]
    fn packets_before_the_first_have_a_number() {
        let mut unwrapper = SeqUnwrapper::default();
        let first = unwrapper.unwrap(SeqNo(0));
        assert_eq!(unwrapper.unwrap(SeqNo(65_535)).0, first.0 - 1);
    }

    #[test]
    fn peeking_remembers_nothing() {
        let mut unwrapper = SeqUnwrapper::default();
        unwrapper.unwrap(SeqNo(10));
        assert_eq!(unwrapper.peek(SeqNo(30_000)).seq(), SeqNo(30_000));
        assert_eq!(unwrapper.highest().map(ExtendedSeq::seq), Some(SeqNo(10)));
    }
}
