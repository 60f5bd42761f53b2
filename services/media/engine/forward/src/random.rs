//! Start values of counters. Not for secrets: all of them are seen on the wire.

/// `SplitMix64` (Steele, Lea and Flood, 2014): tiny, seedable, good enough for values that need only differ.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn equal_seeds_give_equal_values() {
        let (mut one, mut two) = (Random::new(7), Random::new(7));
        assert_eq!(one.next(), two.next());
        assert_ne!(one.next(), one.next());
        assert_ne!(Random::new(8).next(), Random::new(7).next());
    }
}
