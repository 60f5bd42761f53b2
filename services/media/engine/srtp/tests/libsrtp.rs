//! Byte for byte as libsrtp does it: `vectors/make.py` tells how the vectors were made.
#![allow(clippy::unwrap_used)]

use salon_srtp::{Error, InboundContext, MAX_OVERHEAD, OutboundContext, Profile};

const VECTORS: &str = include_str!("vectors/libsrtp.txt");

struct Vector {
    profile: Profile,
    key: Vec<u8>,
    salt: Vec<u8>,
    /// Clear and protected.
    rtp: Vec<(Vec<u8>, Vec<u8>)>,
    rtcp: Vec<(Vec<u8>, Vec<u8>)>,
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn vectors() -> Vec<Vector> {
    let mut vectors: Vec<Vector> = Vec::new();
    for line in VECTORS.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["profile", number, key, salt] => vectors.push(Vector {
                profile: Profile::from_iana(number.parse().unwrap()).unwrap(),
                key: unhex(key),
                salt: unhex(salt),
                rtp: Vec::new(),
                rtcp: Vec::new(),
            }),
            ["rtp", clear, protected] => vectors
                .last_mut()
                .unwrap()
                .rtp
                .push((unhex(clear), unhex(protected))),
            ["rtcp", clear, protected] => vectors
                .last_mut()
                .unwrap()
                .rtcp
                .push((unhex(clear), unhex(protected))),
            _ => panic!("{line}"),
        }
    }
    assert_eq!(vectors.len(), 3);
    vectors
}

fn with_room(packet: &[u8]) -> Vec<u8> {
    [packet, &[0xee; MAX_OVERHEAD]].concat()
}

#[test]
fn we_protect_as_libsrtp_does() {
    for Vector {
        profile,
        key,
        salt,
        rtp,
        rtcp,
    } in vectors()
    {
        let mut outbound = OutboundContext::new(profile, &key, &salt).unwrap();
        for (clear, protected) in rtp {
            let mut buffer = with_room(&clear);
            let length = outbound.protect_rtp(&mut buffer, clear.len()).unwrap();
            assert_eq!(buffer[..length], protected, "{profile:?}");
        }
        // libsrtp counts reports from 1 and for each SSRC, we from 0, as RFC 3711 section 3.4 says, and over all.
        outbound
            .protect_rtcp(&mut with_room(&rtcp[0].0), rtcp[0].0.len())
            .unwrap();
        for (clear, protected) in rtcp {
            let mut buffer = with_room(&clear);
            let length = outbound.protect_rtcp(&mut buffer, clear.len()).unwrap();
            assert_eq!(buffer[..length], protected, "{profile:?}");
        }
    }
}

#[test]
fn we_take_what_libsrtp_protects_once() {
    for Vector {
        profile,
        key,
        salt,
        rtp,
        rtcp,
    } in vectors()
    {
        let mut inbound = InboundContext::new(profile, &key, &salt).unwrap();
        for (clear, protected) in &rtp {
            let mut packet = protected.clone();
            let length = inbound.unprotect_rtp(&mut packet).unwrap();
            assert_eq!(&packet[..length], clear, "{profile:?}");
            assert_eq!(
                inbound.unprotect_rtp(&mut protected.clone()),
                Err(Error::Replayed)
            );
        }
        for (clear, protected) in &rtcp {
            let mut packet = protected.clone();
            let length = inbound.unprotect_rtcp(&mut packet).unwrap();
            assert_eq!(&packet[..length], clear, "{profile:?}");
            assert_eq!(
                inbound.unprotect_rtcp(&mut protected.clone()),
                Err(Error::Replayed)
            );
        }
    }
}

#[test]
fn every_flipped_bit_and_truncation_is_refused_and_harms_nothing() {
    for Vector {
        profile,
        key,
        salt,
        rtp,
        rtcp,
    } in vectors()
    {
        let mut inbound = InboundContext::new(profile, &key, &salt).unwrap();
        let (clear, protected) = &rtp[0];
        for bit in 0..protected.len() * 8 {
            let mut forged = protected.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                inbound.unprotect_rtp(&mut forged).is_err(),
                "{profile:?} bit {bit}"
            );
        }
        for length in 0..protected.len() {
            assert!(
                inbound
                    .unprotect_rtp(&mut protected[..length].to_vec())
                    .is_err()
            );
        }
        assert_eq!(
            inbound.unprotect_rtp(&mut protected.clone()),
            Ok(clear.len())
        );

        let (clear, protected) = &rtcp[1];
        for bit in 0..protected.len() * 8 {
            let mut forged = protected.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                inbound.unprotect_rtcp(&mut forged).is_err(),
                "{profile:?} bit {bit}"
            );
        }
        for length in 0..protected.len() {
            assert!(
                inbound
                    .unprotect_rtcp(&mut protected[..length].to_vec())
                    .is_err()
            );
        }
        assert_eq!(
            inbound.unprotect_rtcp(&mut protected.clone()),
            Ok(clear.len())
        );
    }
}
