//! NTP timestamps as RTCP carries them (RFC 3550 section 4).

const MICROS: u128 = 1_000_000;

/// A 64-bit NTP timestamp: seconds in the upper, fractions in the lower 32 bits.
///
/// The node writes its own monotonic clock, not the time of day: receivers use differences only, and RFC 3550
/// section 4 allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From microseconds of the node's clock. Wraps after 136 years.
    pub const fn from_micros(micros: u64) -> Self {
        Self(((micros as u128 * (1 << 32)) / MICROS) as u64)
    }

    /// Microseconds, rounded to the nearest so that a round trip is exact.
    pub const fn to_micros(self) -> u64 {
        ((self.0 as u128 * MICROS + (1 << 31)) >> 32) as u64
    }

    /// The middle 32 bits: what LSR repeats, in units of 1/65536 s (RFC 3550 section 6.4.1).
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// An interval in units of 1/65536 s, as DLSR and [`NtpTime::middle`] count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ShortInterval(pub u32);

impl ShortInterval {
    /// From microseconds; what is longer than 18 hours is cut to that.
    pub const fn from_micros(micros: u64) -> Self {
        let units = micros as u128 * (1 << 16) / MICROS;
        if units > u32::MAX as u128 {
            Self(u32::MAX)
        } else {
            Self(units as u32)
        }
    }

    /// In microseconds.
    pub const fn to_micros(self) -> u64 {
        (self.0 as u64 * 1_000_000) >> 16
    }
}

/// The round trip that a report block tells: A - LSR - DLSR (RFC 3550 section 6.4.1), in microseconds.
///
/// `None` when the block answers no sender report yet, or when its numbers would make the trip negative, which is a
/// clock's doing or a lie.
pub fn round_trip(now: NtpTime, last_report: u32, delay: ShortInterval) -> Option<u64> {
    let trip = now.middle().wrapping_sub(last_report).wrapping_sub(delay.0);
    (last_report != 0 && trip < 1 << 31).then(|| ShortInterval(trip).to_micros())
}

#[cfg(test)]
mod tests {
    use super::{NtpTime, ShortInterval, round_trip};

    #[test]
    fn microseconds_survive_the_round_trip() {
        for micros in [
            0,
            1,
            2,
            499_999,
            999_999,
            1_000_000,
            86_400_000_001,
            4_000_000_000_000_001,
        ] {
            assert_eq!(NtpTime::from_micros(micros).to_micros(), micros);
        }
    }

    #[test]
    fn seconds_are_the_upper_half() {
        assert_eq!(NtpTime::from_micros(1_500_000).0, 0x1_8000_0000);
        assert_eq!(NtpTime::from_micros(1_500_000).middle(), 0x1_8000);
    }

    #[test]
    fn short_intervals_saturate() {
        assert_eq!(ShortInterval::from_micros(500_000).0, 1 << 15);
        assert_eq!(ShortInterval::from_micros(u64::MAX).0, u32::MAX);
    }

    #[test]
    fn round_trip_is_the_example_of_rfc_3550() {
        // Section 6.4.1, figure 2: A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000, trip = 6.125 s.
        let now = NtpTime(0xb710_8000 << 16);
        assert_eq!(
            round_trip(now, 0xb705_2000, ShortInterval(0x0005_4000)),
            Some(6_125_000)
        );
    }

    #[test]
    fn round_trip_is_unknown_without_a_report_or_when_negative() {
        let now = NtpTime::from_micros(10_000_000);
        assert_eq!(round_trip(now, 0, ShortInterval(0)), None);
        assert_eq!(round_trip(now, now.middle(), ShortInterval(1)), None);
    }
}
