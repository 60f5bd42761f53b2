//! Which protocol a datagram belongs to, by its first bytes (RFC 7983 section 7, RFC 5761 section 4).

/// The protocols that share one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// First byte 0-3.
    Stun,
    /// First byte 20-63.
    Dtls,
    /// First byte 128-191, and not [`Protocol::Rtcp`].
    Rtp,
    /// First byte 128-191, and the second one an RTCP packet type.
    Rtcp,
    /// ZRTP, TURN channels, and whatever nobody registered.
    Unknown,
}

impl Protocol {
    /// Classify a datagram. This looks at two bytes only and promises nothing about the rest.
    pub fn of(datagram: &[u8]) -> Self {
        match *datagram {
            [0..=3, ..] => Self::Stun,
            [20..=63, ..] => Self::Dtls,
            // RFC 5761 section 4: packet types 192-223 are RTCP; as RTP they would be payload types 64-95 with the
            // marker bit, which offers therefore must not use.
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, _, ..] => Self::Rtp,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn first_byte_ranges_are_those_of_rfc_7983() {
        for first in 0..=255u8 {
            let expected = match first {
                0..=3 => Protocol::Stun,
                20..=63 => Protocol::Dtls,
                128..=191 => Protocol::Rtp,
                _ => Protocol::Unknown,
            };
            assert_eq!(Protocol::of(&[first, 96]), expected, "first byte {first}");
        }
    }

    #[test]
    fn second_byte_tells_rtcp_from_rtp() {
        for second in 0..=255u8 {
            let expected = if (192..=223).contains(&second) {
                Protocol::Rtcp
            } else {
                Protocol::Rtp
            };
            assert_eq!(
                Protocol::of(&[0x80, second]),
                expected,
                "second byte {second}"
            );
        }
    }

    #[test]
    fn too_short_to_tell_is_unknown() {
        assert_eq!(Protocol::of(&[]), Protocol::Unknown);
        assert_eq!(Protocol::of(&[0x80]), Protocol::Unknown);
    }
}
