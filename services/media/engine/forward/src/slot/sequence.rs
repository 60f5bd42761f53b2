//! A slot's sequence numbers: one unbroken run through every switch of source or layer.

use salon_wire::rtp::{ExtendedSeq, SeqNo};

/// Maps the numbers of whatever feeds the slot by an offset that only a switch changes. So a gap at the sender stays a
/// gap in the slot, reordering stays reordering, and no number is ever given twice (AES-GCM forbids it).
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    /// The number after the highest given so far.
    next: u64,
    feed: Option<Feed>,
}

#[derive(Debug, Clone, Copy)]
struct Feed {
    first_in: u64,
    first_out: u64,
}

impl Sequence {
    pub(crate) fn new(first: u16) -> Self {
        // The lower half leaves the receiver room to see early reordering without a wrap (RFC 3711 section 3.3.1).
        Self {
            next: (1 << 16) + u64::from(first & 0x7fff),
            feed: None,
        }
    }

    /// Go on with another feed, whose first packet has this number.
    pub(crate) fn switch(&mut self, first_in: ExtendedSeq) {
        self.feed = Some(Feed {
            first_in: first_in.0,
            first_out: self.next,
        });
    }

    /// The number for a packet of the feed; `None` for those from before the switch.
    pub(crate) fn map(&mut self, seq: ExtendedSeq) -> Option<SeqNo> {
        let feed = self.feed?;
        let out = feed.first_out + seq.0.checked_sub(feed.first_in)?;
        self.next = self.next.max(out + 1);
        Some(SeqNo(out as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_leave_no_gap() {
        let mut sequence = Sequence::new(100);
        assert_eq!(sequence.map(ExtendedSeq(7)), None);
        sequence.switch(ExtendedSeq(70_000));
        assert_eq!(sequence.map(ExtendedSeq(70_000)), Some(SeqNo(100)));
        assert_eq!(sequence.map(ExtendedSeq(70_002)), Some(SeqNo(102)));
        sequence.switch(ExtendedSeq(65_536));
        assert_eq!(sequence.map(ExtendedSeq(65_536)), Some(SeqNo(103)));
    }

    #[test]
    fn gaps_and_order_of_the_feed_are_kept() {
        let mut sequence = Sequence::new(0);
        sequence.switch(ExtendedSeq(65_540));
        let out: Vec<_> = [65_540, 65_543, 65_541, 65_544]
            .map(|seq| sequence.map(ExtendedSeq(seq)).map(|seq| seq.0))
            .into();
        assert_eq!(out, [Some(0), Some(3), Some(1), Some(4)]);
    }

    #[test]
    fn packets_from_before_the_switch_have_no_number() {
        let mut sequence = Sequence::new(0);
        sequence.switch(ExtendedSeq(65_540));
        assert_eq!(sequence.map(ExtendedSeq(65_539)), None);
    }
}
