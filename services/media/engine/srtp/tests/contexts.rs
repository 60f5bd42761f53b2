//! What the two contexts promise each other and refuse everybody else.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use salon_srtp::{Error, InboundContext, MAX_OVERHEAD, OutboundContext, Profile};
use salon_wire::rtp::{RtpTimestamp, RtpWriter, SeqNo, Ssrc};

const PROFILES: [Profile; 3] = [
    Profile::Aes128CmSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

fn pair(profile: Profile) -> (OutboundContext, InboundContext) {
    let (key, salt) = (vec![7; profile.key_len()], vec![9; profile.salt_len()]);
    (
        OutboundContext::new(profile, &key, &salt).unwrap(),
        InboundContext::new(profile, &key, &salt).unwrap(),
    )
}

fn rtp(ssrc: u32, seq: u16) -> Vec<u8> {
    let mut packet = vec![0; 64];
    let writer = RtpWriter {
        payload_type: 96,
        marker: false,
        seq: SeqNo(seq),
        timestamp: RtpTimestamp(1),
        ssrc: Ssrc(ssrc),
        csrc: Some(5),
        extensions: &[],
    };
    let length = writer.write(b"payload", &mut packet).unwrap();
    packet.truncate(length);
    packet
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    [&[0x80, 201, 0, 1], &ssrc.to_be_bytes()[..]].concat()
}

fn protect(outbound: &mut OutboundContext, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buffer = [packet, &[0; MAX_OVERHEAD]].concat();
    let length = outbound.protect_rtp(&mut buffer, packet.len())?;
    buffer.truncate(length);
    Ok(buffer)
}

fn protect_rtcp(outbound: &mut OutboundContext, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buffer = [packet, &[0; MAX_OVERHEAD]].concat();
    let length = outbound.protect_rtcp(&mut buffer, packet.len())?;
    buffer.truncate(length);
    Ok(buffer)
}

#[test]
fn a_sequence_number_is_never_protected_twice() {
    for profile in PROFILES {
        let (mut outbound, _) = pair(profile);
        assert!(protect(&mut outbound, &rtp(1, 100)).is_ok());
        assert!(protect(&mut outbound, &rtp(1, 3000)).is_ok());
        for seq in [3000, 100, 2000, 0] {
            assert_eq!(
                protect(&mut outbound, &rtp(1, seq)),
                Err(Error::SequenceReused),
                "{seq}"
            );
        }
        assert!(
            protect(&mut outbound, &rtp(1, 2998)).is_ok(),
            "late, for the first time"
        );
        assert_eq!(
            protect(&mut outbound, &rtp(1, 2998)),
            Err(Error::SequenceReused)
        );
        assert!(
            protect(&mut outbound, &rtp(2, 100)).is_ok(),
            "another SSRC has numbers of its own"
        );
    }
}

#[test]
fn a_packet_that_was_not_protected_uses_no_number() {
    let (mut outbound, _) = pair(Profile::AeadAes128Gcm);
    let packet = rtp(1, 100);
    let mut no_room = packet.clone();
    assert_eq!(
        outbound.protect_rtp(&mut no_room, packet.len()),
        Err(Error::BufferTooSmall)
    );
    assert_eq!(no_room, packet);
    assert!(protect(&mut outbound, &packet).is_ok());
}

#[test]
fn what_is_no_packet_is_the_callers_error() {
    let (mut outbound, _) = pair(Profile::AeadAes128Gcm);
    let mut buffer = [0; 64];
    assert_eq!(
        outbound.protect_rtp(&mut buffer, 12),
        Err(Error::NotAPacket)
    );
    assert_eq!(
        outbound.protect_rtp(&mut buffer, 65),
        Err(Error::NotAPacket)
    );
    assert_eq!(
        outbound.protect_rtcp(&mut buffer, 8),
        Err(Error::NotAPacket)
    );
    buffer[0] = 0x80;
    assert_eq!(
        outbound.protect_rtcp(&mut buffer, 7),
        Err(Error::NotAPacket)
    );
    assert_eq!(
        outbound.protect_rtcp(&mut buffer[..27], 8),
        Err(Error::BufferTooSmall)
    );
}

#[test]
fn streams_go_on_over_many_wraps() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        for step in 0..40u32 {
            let seq = (step * 10_000) as u16;
            let mut packet = protect(&mut outbound, &rtp(1, seq)).unwrap();
            let length = inbound.unprotect_rtp(&mut packet).unwrap();
            assert_eq!(packet[..length], rtp(1, seq));
        }
    }
}

#[test]
fn a_late_packet_from_before_a_wrap_is_taken() {
    let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    let packets: Vec<_> = [65_533, 65_534, 65_535, 0, 1]
        .map(|seq| protect(&mut outbound, &rtp(1, seq)).unwrap())
        .to_vec();
    for at in [0, 3, 2, 4, 1] {
        assert!(
            inbound.unprotect_rtp(&mut packets[at].clone()).is_ok(),
            "packet {at}"
        );
    }
    for packet in packets {
        assert_eq!(
            inbound.unprotect_rtp(&mut packet.clone()),
            Err(Error::Replayed)
        );
    }
}

#[test]
fn a_packet_behind_the_window_is_too_old() {
    let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    let old = protect(&mut outbound, &rtp(1, 1)).unwrap();
    for seq in [2, 5000] {
        let mut packet = protect(&mut outbound, &rtp(1, seq)).unwrap();
        inbound.unprotect_rtp(&mut packet).unwrap();
    }
    assert_eq!(inbound.unprotect_rtp(&mut old.clone()), Err(Error::TooOld));
}

#[test]
fn a_peer_has_a_bounded_number_of_sources() {
    let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    let mut accepted = 0;
    for ssrc in 0..100 {
        let mut packet = protect(&mut outbound, &rtp(ssrc, 1)).unwrap();
        match inbound.unprotect_rtp(&mut packet) {
            Ok(_) => accepted += 1,
            Err(error) => assert_eq!(error, Error::TooManySources),
        }
    }
    assert_eq!(accepted, 64);
    let mut known = protect(&mut outbound, &rtp(0, 2)).unwrap();
    assert!(
        inbound.unprotect_rtp(&mut known).is_ok(),
        "those it has go on"
    );
    let sent = (100..200)
        .filter(|&ssrc| protect(&mut outbound, &rtp(ssrc, 1)).is_ok())
        .count();
    assert_eq!(sent, 28);
    assert_eq!(
        protect(&mut outbound, &rtp(200, 1)),
        Err(Error::TooManyOutboundSources)
    );
}

#[test]
fn forgeries_take_no_place() {
    let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    for ssrc in 0..1000 {
        let mut forged = [&rtp(ssrc, 1)[..], &[0; 16]].concat();
        assert_eq!(inbound.unprotect_rtp(&mut forged), Err(Error::Unauthentic));
        let mut forged = [&rtcp(ssrc)[..], &[0; 16], &[0x80, 0, 0, 1]].concat();
        assert_eq!(inbound.unprotect_rtcp(&mut forged), Err(Error::Unauthentic));
    }
    assert!(
        inbound
            .unprotect_rtp(&mut protect(&mut outbound, &rtp(2000, 1)).unwrap())
            .is_ok()
    );
    assert!(
        inbound
            .unprotect_rtcp(&mut protect_rtcp(&mut outbound, &rtcp(2000)).unwrap())
            .is_ok()
    );
}

#[test]
fn another_key_or_profile_is_not_believed() {
    for profile in PROFILES {
        let (mut outbound, _) = pair(profile);
        let packet = protect(&mut outbound, &rtp(1, 1)).unwrap();
        let (key, salt) = (vec![8; profile.key_len()], vec![9; profile.salt_len()]);
        let mut other = InboundContext::new(profile, &key, &salt).unwrap();
        assert_eq!(
            other.unprotect_rtp(&mut packet.clone()),
            Err(Error::Unauthentic)
        );
    }
}

#[test]
fn reports_have_an_index_each_over_all_sources() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let packets: Vec<_> = [1, 2, 1, 1]
            .map(|ssrc| protect_rtcp(&mut outbound, &rtcp(ssrc)).unwrap())
            .to_vec();
        for (at, ssrc) in [(3, 1), (1, 2), (0, 1), (2, 1)] {
            let mut packet = packets[at].clone();
            let length = inbound.unprotect_rtcp(&mut packet).unwrap();
            assert_eq!(packet[..length], rtcp(ssrc));
            assert_eq!(
                inbound.unprotect_rtcp(&mut packets[at].clone()),
                Err(Error::Replayed)
            );
        }
    }
}

#[test]
fn reports_that_say_they_are_not_encrypted_are_refused() {
    for (profile, index_from_end) in [(Profile::Aes128CmSha1_80, 14), (Profile::AeadAes128Gcm, 4)] {
        let (mut outbound, mut inbound) = pair(profile);
        let mut packet = protect_rtcp(&mut outbound, &rtcp(1)).unwrap();
        let at = packet.len() - index_from_end;
        packet[at] &= 0x7f;
        assert_eq!(inbound.unprotect_rtcp(&mut packet), Err(Error::Unencrypted));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let (outbound, inbound) = pair(Profile::AeadAes128Gcm);
    assert_eq!(
        format!("{outbound:?} {inbound:?}"),
        "OutboundContext { .. } InboundContext { .. }"
    );
}

#[test]
fn profiles_have_the_numbers_of_the_registry() {
    assert_eq!([1, 7, 8].map(Profile::from_iana), PROFILES.map(Some));
    assert_eq!([0, 2, 5, 6, 9].map(Profile::from_iana), [None; 5]);
}

proptest! {
    #[test]
    fn no_order_of_numbers_gets_a_nonce_used_twice(
        steps in proptest::collection::vec(
            prop_oneof![-1200i32..1200, -40_000i32..40_000, Just(0)],
            1..300,
        ),
    ) {
        // Packets of one sequence number differ in nothing but their rollover counter, so two alike share a nonce.
        let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
        let mut protected = std::collections::HashSet::new();
        let mut seq = 0u16;
        for step in steps {
            seq = seq.wrapping_add(step as u16);
            if let Ok(packet) = protect(&mut outbound, &rtp(1, seq)) {
                prop_assert!(protected.insert(packet.clone()), "{seq}");
                prop_assert!(inbound.unprotect_rtp(&mut packet.clone()).is_ok(), "{seq}");
            }
        }
    }

    #[test]
    fn any_order_and_loss_within_the_window_is_taken_once(
        first in 0u16..1 << 15,
        order in Just((0..300u16).collect::<Vec<_>>()).prop_shuffle(),
        taken in 1..300usize,
    ) {
        let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
        // The first packet arrives first: a stream's rollover counter is guessed from it.
        inbound.unprotect_rtp(&mut protect(&mut outbound, &rtp(1, first)).unwrap()).unwrap();
        let packets: Vec<_> =
            (1..=300).map(|step| protect(&mut outbound, &rtp(1, first.wrapping_add(step))).unwrap()).collect();
        for &at in &order[..taken] {
            prop_assert!(inbound.unprotect_rtp(&mut packets[at as usize].clone()).is_ok());
        }
        for &at in &order[..taken] {
            prop_assert_eq!(inbound.unprotect_rtp(&mut packets[at as usize].clone()), Err(Error::Replayed));
        }
    }
}
